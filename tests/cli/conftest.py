"""A checkpoint written by PyTorch and the text that PyTorch generates from it."""

import argparse
import contextlib
import io
import json
import random
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.training_runs import Run, train, write_examples

LIMIT = 96  # encoder positions, fewer than a long test document has tokens


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """The directory of a tiny LED of large weights, tokenizer included."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LEDForConditionalGeneration

    from tf_led.testing import spread_weights, tiny_config

    folder = tmp_path_factory.mktemp("checkpoint")
    learner = ByteLevelBPETokenizer()
    special_tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    learner.train(
        [argparse.__file__],
        vocab_size=503,
        special_tokens=special_tokens,
        show_progress=False,
    )
    learner.save_model(str(folder))
    layers = {"encoder_layers": 1, "decoder_layers": 1}  # tracing takes the time
    sizes = {"vocab_size": 503, "max_encoder_position_embeddings": LIMIT}
    config = tiny_config(**layers, **sizes)
    model = LEDForConditionalGeneration(config)
    weights = {name: torch.tensor(w) for name, w in spread_weights(config).items()}
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    model.generation_config.max_length = 13
    model.generation_config.num_beams = 2
    model.generation_config.no_repeat_ngram_size = 2  # random weights like to repeat
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def pytorch_summary(checkpoint):
    """The text that PyTorch's `generate` gives for a document and options."""
    import torch
    from transformers import LEDForConditionalGeneration, LEDTokenizer

    model = LEDForConditionalGeneration.from_pretrained(checkpoint).eval()
    tokenizer = LEDTokenizer.from_pretrained(checkpoint)

    def summarize(text, is_global=lambda span: False, **options):
        batch = tokenizer(
            text, truncation=True, max_length=LIMIT, return_offsets_mapping=True
        )
        spans = batch.pop("offset_mapping")
        batch["global_attention_mask"] = [int(is_global(span)) for span in spans]
        if not any(batch["global_attention_mask"]):
            batch["global_attention_mask"][0] = 1
        rows = {name: torch.tensor([row]) for name, row in batch.items()}
        ids = model.generate(**rows, **options)[0]
        return tokenizer.decode(ids, skip_special_tokens=True)

    return summarize


class Small(NamedTuple):
    """A checkpoint that is quick to train: its folder, tokenizer and embeddings."""

    folder: Path
    tokenizer: object
    embeddings: object


@pytest.fixture(scope="session")
def small(checkpoint, tmp_path_factory):
    """A LED of one layer each and 20 % dropout, with the tokenizer of `checkpoint`."""
    import keras

    from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
    from tf_led.testing import tiny_config

    folder = tmp_path_factory.mktemp("small")
    tokenizer = LEDTokenizerFast.from_pretrained(checkpoint)
    tokenizer.save_pretrained(folder)
    keras.utils.set_random_seed(0)
    layers = {"encoder_layers": 1, "decoder_layers": 1, "dropout": 0.2}
    sizes = {"vocab_size": 503, "max_encoder_position_embeddings": LIMIT}
    model = TFLEDForConditionalGeneration(tiny_config(**layers, **sizes))
    model.save_pretrained(folder)
    return Small(folder, tokenizer, model.led.shared.embeddings.numpy())


@pytest.fixture(scope="session")
def files(small, tmp_path_factory):
    """Files of training and validation examples, and the checkpoint's folder."""
    folder = tmp_path_factory.mktemp("examples")
    learnt, validation = folder / "train.jsonl", folder / "validation.jsonl"
    long = json.dumps({"document": "parser " * 97, "summary": "parser"})
    bad = [(2, '{"document": '), (5, '{"document": "a", "summary": ""}'), (7, long)]
    write_examples(learnt, random.Random(0), 10, bad)
    write_examples(validation, random.Random(1), 3)
    return learnt, validation, small.folder


@pytest.fixture(scope="session")
def run(files, tmp_path_factory):
    """A run from the beginning to the end."""
    output = tmp_path_factory.mktemp("run") / "out"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert train(files, output) == 0
    run = Run((output, json.loads(out.getvalue()), err.getvalue()))
    run.files = files
    return run
