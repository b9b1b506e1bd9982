"""Tokenizers and models that the pipelines' tests share."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tests.pipelines.make_golden import make_model
from tests.tokenization.conftest import FILES
from tf_led import LEDTokenizerFast


@pytest.fixture(scope="session")
def tokenizer():
    return LEDTokenizerFast(*FILES)


@pytest.fixture(scope="session")
def writer():
    """A model for conditional generation, of 64 positions."""
    return make_model("LEDForConditionalGeneration")


class FirstWords:
    """In the place of a model: its "summary" is what a document starts with.

    Fast, and it keeps what it was given.
    """

    def __init__(self, limit, max_new_tokens=5):
        self.config = SimpleNamespace(
            max_encoder_position_embeddings=limit,
            max_decoder_position_embeddings=17,
            pad_token_id=1,
        )
        self.generation_config = GenerationConfig(max_new_tokens=max_new_tokens)
        self.batches = []

    def generate(self, input_ids, attention_mask, global_attention_mask, **options):
        self.batches.append((input_ids.numpy(), global_attention_mask.numpy(), options))
        number = options.get("max_new_tokens", self.generation_config.max_new_tokens)
        start = np.full([len(input_ids), 1], 2)
        ids = np.where(attention_mask.numpy() > 0, input_ids.numpy(), 1)
        return tf.constant(np.concatenate([start, ids[:, 1 : 1 + number]], 1))


@pytest.fixture
def first_words():
    return FirstWords(limit=23)
