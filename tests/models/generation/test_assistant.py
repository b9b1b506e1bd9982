"""`generate` with an assistant: the same tokens as without, in fewer steps."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tests.models.conftest import SMALL, make_model
from tf_led import TFLEDForConditionalGeneration
from tf_led.models.generation import decode_step

IDS = np.array([[5, 6, 7, 8, 9, 13, 2], [4, 3, 11, 2, 1, 1, 1], [14, 2, 1, 1, 1, 1, 1]])
MASK = (IDS != 1).astype(int)
SMALLER = {**SMALL, "d_model": 8, "decoder_layers": 1, "decoder_ffn_dim": 11}
SMALLER |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
WHOLE = {"eos_token_id": None, "max_length": None, "max_new_tokens": 30}


@pytest.fixture(scope="module")
def small():
    return make_model(**SMALL)


@pytest.fixture(scope="module")
def smaller():
    return make_model(**SMALLER, seed=3)


def steps_of(model, **options):
    """The tokens of an eager call, and how often the model's own step was called."""
    calls = []
    read = decode_step.DecodeStep.__call__

    def count(step, *args):
        calls.append(step.decoder)
        return read(step, *args)

    with mock.patch.object(decode_step.DecodeStep, "__call__", count):
        ids = model.generate(IDS, attention_mask=MASK, max_time=1000.0, **options)
    return ids.numpy(), sum(decoder is model.get_decoder() for decoder in calls)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        WHOLE,
        pytest.param({"num_assistant_tokens": 1}, marks=pytest.mark.large),
        {"num_assistant_tokens": 11, "repetition_penalty": 1.3},
        pytest.param({"do_sample": True, "seed": 7}, marks=pytest.mark.large),
        {"do_sample": True, "seed": 7, "num_return_sequences": 3, "top_p": 0.9},
        pytest.param(
            {"forced_eos_token_id": 2, "min_length": 5}, marks=pytest.mark.large
        ),
        pytest.param(
            {"decoder_input_ids": [[2, 17, 9], [2, 7, 8], [2, 17, 17]]},
            marks=pytest.mark.large,
        ),
        {
            "decoder_input_ids": [[1, 2, 9], [2, 7, 8], [1, 1, 2]],
            "decoder_attention_mask": [[0, 1, 1], [1, 1, 1], [0, 0, 1]],
        },
        {"max_time": 1000.0},  # eagerly
    ],
)
def test_tokens_are_those_without(small, smaller, options):
    options = {"max_length": 11, **options}
    drafts = {"assistant_model": smaller}
    if "num_assistant_tokens" in options:
        drafts["num_assistant_tokens"] = options.pop("num_assistant_tokens")
    expected = small.generate(IDS, attention_mask=MASK, **options)
    found = small.generate(IDS, attention_mask=MASK, **options, **drafts)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [2, 5])
def test_one_that_is_always_right_saves_steps(small, count):
    """The model as its own assistant: each step gives all drafts and one more."""
    twin = make_model(**SMALL)
    expected, plain = steps_of(small, **WHOLE)
    found, fewer = steps_of(
        small, **WHOLE, assistant_model=twin, num_assistant_tokens=count
    )
    np.testing.assert_array_equal(found, expected)
    assert (plain, fewer) == (30, -(-30 // (count + 1)))


def test_each_decoder_token_counts_for_the_assistant(small):
    """With a prompt it is as right as without: it has read the prompt."""
    prompt = {"decoder_input_ids": [[2, 17, 9]] * 3, **WHOLE}
    twin = make_model(**SMALL)
    expected, _ = steps_of(small, **prompt)
    found, fewer = steps_of(
        small, **prompt, assistant_model=twin, num_assistant_tokens=4
    )
    np.testing.assert_array_equal(found, expected)
    assert fewer == 2 + 30 // 5  # two of the prompt's tokens are read before


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_graph_gives_the_same(small, smaller, jit_compile):
    expected = small.generate(IDS, attention_mask=MASK, max_length=11).numpy()

    @tf.function(jit_compile=jit_compile, autograph=False)
    def run(ids, mask):
        return small.generate(
            ids, attention_mask=mask, max_length=11, assistant_model=smaller
        )

    found = run(tf.constant(IDS), tf.constant(MASK)).numpy()
    np.testing.assert_array_equal(found[:, : expected.shape[1]], expected)
    assert set(found[:, expected.shape[1] :].ravel()) <= {1}


def test_compiled_loops_tell_assistants_apart(small, smaller):
    other = make_model(**SMALLER, seed=17)
    for assistant in (smaller, other, None, smaller):
        drafts = {} if assistant is None else {"assistant_model": assistant}
        found = small.generate(IDS, attention_mask=MASK, max_length=7, **drafts)
        expected = small.generate(
            IDS, attention_mask=MASK, max_length=7, max_time=1000.0
        )
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [20, 3])
def test_a_number_in_a_configuration_counts_only_with_an_assistant(small, count):
    expected = small.generate(IDS, max_length=7)
    stored = GenerationConfig.from_dict(small.generation_config.to_dict())
    stored.num_assistant_tokens = count
    found = small.generate(IDS, max_length=7, generation_config=stored)
    np.testing.assert_array_equal(found, expected)


class OwnCall(TFLEDForConditionalGeneration):
    def call(self, input_ids=None, **kwargs):
        return super().call(input_ids, **kwargs)


@pytest.mark.parametrize(
    ("make", "options", "error", "message"),
    [
        (lambda: "tiny", {}, TypeError, "`assistant_model` must be .*, got str"),
        (lambda: keras.layers.Dense(3), {}, TypeError, "got Dense"),
        (lambda: OwnCall, {}, TypeError, "got type"),
        (
            lambda: OwnCall(make_model(**SMALLER).config),
            {},
            TypeError,
            "with the `call` that it comes with, got OwnCall",
        ),
        (
            lambda: make_model(**{**SMALLER, "vocab_size": 31}),
            {},
            ValueError,
            "`assistant_model` has 31 tokens, this model 29",
        ),
        (
            lambda: make_model(**SMALLER, max_encoder_position_embeddings=6),
            {},
            ValueError,
            "`input_ids` of the `assistant_model` has 7 tokens, .* 6 positions",
        ),
        (
            lambda: make_model(**SMALLER),
            {"num_beams": 3},
            ValueError,
            "An `assistant_model` goes .* got beam search .num_beams=3.* Leave it out",
        ),
        (
            lambda: make_model(**SMALLER),
            {"use_cache": False},
            ValueError,
            "An `assistant_model` needs `use_cache=True`, got False",
        ),
        (
            lambda: make_model(**SMALLER),
            {"prompt_lookup_num_tokens": 3},
            ValueError,
            "`prompt_lookup_num_tokens` is 3 and an `assistant_model` was given",
        ),
        (
            lambda: make_model(**SMALLER),
            {"num_assistant_tokens": 0},
            ValueError,
            "`num_assistant_tokens` must .* got 0",
        ),
        (
            lambda: None,
            {"num_assistant_tokens": 13},
            ValueError,
            "`num_assistant_tokens` is 13, but no `assistant_model`",
        ),
    ],
)
def test_what_cannot_be_is_named(small, make, options, error, message):
    with pytest.raises(error, match=message):
        small.generate(IDS, max_length=7, assistant_model=make(), **options)


@pytest.mark.parametrize("given", ["inputs_embeds", "encoder_outputs"])
def test_it_needs_ids(small, smaller, given):
    embeds = tf.random.stateless_normal([3, 7, 12], [3, 5])
    value = embeds
    if given == "encoder_outputs":
        value = small.get_encoder()(inputs_embeds=embeds)
    with pytest.raises(ValueError, match=f"give `input_ids`, got `{given}` alone"):
        small.generate(**{given: value}, max_length=7, assistant_model=smaller)


@pytest.mark.large
def test_hundreds_of_random_models_give_the_same_tokens():
    """But for ties: another product of the same numbers may round otherwise."""
    differ, model, assistant = 0, make_model(**SMALL), make_model(**SMALLER)
    for seed in range(200):  # other weights, and what was compiled stays
        model.set_weights(make_model(**SMALL, seed=seed).get_weights())
        assistant.set_weights(make_model(**SMALLER, seed=seed + 1).get_weights())
        options = {"max_length": 31, "do_sample": seed % 2 == 1}
        options |= {"seed": seed} if seed % 2 else {}
        expected = model.generate(IDS, attention_mask=MASK, **options).numpy()
        found = model.generate(
            IDS, attention_mask=MASK, **options, assistant_model=assistant
        ).numpy()
        differ += not np.array_equal(found, expected)
    assert differ <= 1
