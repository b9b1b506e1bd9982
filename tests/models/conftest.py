import numpy as np
import pytest

import tf_led
from tf_led.testing import fill_spread, tiny_config

# A document of the tests is one block: called eagerly, each block costs.
SIZES = {"attention_window": [14, 16]}
# For what is traced or trained.
SMALL = {"encoder_layers": 1, "decoder_layers": 1, "attention_window": 14}


def make_model(cls=tf_led.TFLEDForConditionalGeneration, seed=3, options=(), **fields):
    """A model with weights of large spread; `options` are those of the constructor."""
    model = cls(tiny_config(**{**SIZES, **fields}), **dict(options))
    fill_spread(model, seed)
    return model


@pytest.fixture(scope="session")
def model():
    """One for all tests that only look."""
    return make_model()


@pytest.fixture(scope="session")
def base():
    return make_model(tf_led.TFLEDModel)


@pytest.fixture
def inputs():
    """Two documents: one with two global tokens, one with padding."""
    rng = np.random.default_rng(7)
    ids = rng.integers(3, 29, [2, 7])
    mask = np.ones([2, 7], int)
    ids[1, 5:], mask[1, 5:] = 1, 0
    global_mask = np.zeros([2, 7], int)
    global_mask[0, [0, 4]] = global_mask[1, 0] = 1
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": global_mask,
        "decoder_input_ids": rng.integers(3, 29, [2, 3]),
    }


@pytest.fixture
def labels():
    return np.array([[5, 11, 2], [17, 2, -100]])
