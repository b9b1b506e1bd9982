"""Exports that many tests read, made once; and what the model itself gives."""

import argparse
import os
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest

LIMIT = 64  # encoder positions, fewer than a long text has tokens
BEAMS = {"num_beams": 3, "max_new_tokens": 7, "no_repeat_ngram_size": 2}
SAMPLE = {"do_sample": True, "top_k": 11, "max_new_tokens": 5}
TEXTS = [
    "An argument has a name.",
    "",
    "Caf\u00e9 <mask> \U0001f600 </s> x\n\n\tparser.",
    "The parser adds an argument; the argument has a name. " * 23,  # cut
]


class Export(NamedTuple):
    path: Any
    model: Any
    tokenizer: Any
    options: dict

    def documents(self, texts):
        """Inputs of `generate`, as a user makes them."""
        batch = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=LIMIT
        )
        ids, mask = (np.array(batch[n]) for n in ("input_ids", "attention_mask"))
        first = np.zeros_like(ids)
        first[:, 0] = 1
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "global_attention_mask": first,
        }

    def generate(self, documents, **options):
        return self.model.generate(documents, **{**self.options, **options}).numpy()

    def summaries(self, texts, **options):
        ids = self.generate(self.documents(texts), **options)
        return self.tokenizer.batch_decode(ids, skip_special_tokens=True)


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    from tokenizers import ByteLevelBPETokenizer

    from tf_led import LEDTokenizerFast

    folder = tmp_path_factory.mktemp("tokenizer")
    learner = ByteLevelBPETokenizer()
    special_tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    learner.train(
        [argparse.__file__],
        vocab_size=503,
        special_tokens=special_tokens,
        show_progress=False,
    )
    learner.save_model(str(folder))
    return LEDTokenizerFast.from_pretrained(folder)


@pytest.fixture(scope="session")
def model():
    from tf_led import TFLEDForConditionalGeneration
    from tf_led.testing import fill_spread, tiny_config

    layers = {"encoder_layers": 1, "decoder_layers": 1}  # tracing takes the time
    config = tiny_config(
        vocab_size=503, max_encoder_position_embeddings=LIMIT, **layers
    )
    model = TFLEDForConditionalGeneration(config)
    fill_spread(model)
    return model


@pytest.fixture(scope="session")
def beams(model, tokenizer, tmp_path_factory):
    """An export with beam search."""
    from tf_led import export_saved_model

    folder = tmp_path_factory.mktemp("beams")
    path = export_saved_model(model, folder, tokenizer, **BEAMS)
    return Export(path, model, tokenizer, BEAMS)


@pytest.fixture(scope="session")
def sampled(model, tokenizer, tmp_path_factory):
    """An export that samples, with XLA signatures, by `model.export`."""
    folder = tmp_path_factory.mktemp("sampled")
    path = model.export(folder, tokenizer=tokenizer, xla=True, seed=13, **SAMPLE)
    return Export(path, model, tokenizer, SAMPLE)


@pytest.fixture(scope="session")
def sessions(beams, sampled):
    """The exports in TensorFlow's C API."""
    # By path: the file must run without this project.
    sys.path.insert(0, os.path.dirname(__file__))
    try:
        from c_api import Library, Session
    finally:
        sys.path.pop(0)
    library = Library()
    return {
        "beams": Session(beams.path, library),
        "sampled": Session(sampled.path, library),
    }


@pytest.fixture(scope="session")
def run_apart():
    """Runs a script where nothing of ours can be imported, and returns its stdout."""

    def run(source, *argv, cwd=None):
        blocked = "import sys\nfor n in ('tf_led', 'transformers', 'keras_hub'):\n"
        blocked += "    sys.modules[n] = None\n"
        done = subprocess.run(
            [sys.executable, "-P", "-c", blocked + source, *map(str, argv)],
            cwd=cwd,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run
