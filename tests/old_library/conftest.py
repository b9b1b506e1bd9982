"""Runs each test on our classes, or with OLD_LIBRARY=1 on those of transformers 4.

`make test-old` does the latter, in an environment that has TensorFlow, tf_keras and
transformers 4.57.6. A test that the old classes fail says so by `old_differs`: there it
has to fail.
"""

import os

import numpy as np
import pytest

IS_OLD = os.environ.get("OLD_LIBRARY") == "1"
if IS_OLD:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read when transformers loads

VOCAB, SOURCE_LEN, TARGET_LEN, BATCH = 29, 11, 5, 3
SIZES = {
    "vocab_size": VOCAB,
    "d_model": 12,
    "encoder_layers": 1,  # a layer more is only more of the same
    "decoder_layers": 1,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 17,
    "decoder_ffn_dim": 19,
    "max_encoder_position_embeddings": 32,
    "max_decoder_position_embeddings": 32,
    "attention_window": 4,
    "init_std": 0.5,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}


class Library:
    """The names that a test uses, of one of the two packages."""

    def __init__(self):
        if IS_OLD:
            import tf_keras as keras
            import transformers as classes
        else:
            import keras

            import tf_led as classes
        self.keras = keras
        self.LEDConfig = classes.LEDConfig
        self.Model = classes.TFLEDModel
        self.Generator = classes.TFLEDForConditionalGeneration

    def config(self, **changes):
        """A small config; generation must not end early unless a test wants it to."""
        return self.LEDConfig(**{**SIZES, **changes})


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "old_differs(why): the old classes fail this, on purpose or not"
    )


def pytest_collection_modifyitems(items):
    for item in items if IS_OLD else ():
        for mark in item.iter_markers("old_differs"):
            item.add_marker(pytest.mark.xfail(reason=mark.args[0], strict=True))


@pytest.fixture(scope="session")
def library():
    return Library()


@pytest.fixture(scope="session")
def generator(library):
    """A model that no test may change."""
    return library.Generator(library.config())


@pytest.fixture(scope="session", params=["Model", "Generator"])
def model(request, library):
    """Either class; no test may change it."""
    return getattr(library, request.param)(library.config())


@pytest.fixture
def inputs():
    """Arrays of every input that has one for each token."""
    rng = np.random.default_rng(7)
    source = rng.integers(3, VOCAB, (BATCH, SOURCE_LEN), dtype="int32")
    mask = np.ones_like(source)
    mask[1, 7:] = 0
    source[1, 7:] = SIZES["pad_token_id"]
    global_mask = np.zeros_like(source)
    global_mask[:, 0] = 1
    return {
        "input_ids": source,
        "attention_mask": mask,
        "global_attention_mask": global_mask,
        "decoder_input_ids": rng.integers(3, VOCAB, (BATCH, TARGET_LEN), dtype="int32"),
    }
