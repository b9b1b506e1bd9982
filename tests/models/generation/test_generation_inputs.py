import numpy as np
import pytest
import tensorflow as tf
from transformers import BatchEncoding

from tf_led.models.generation.generation_inputs import (
    GenerationInputs,
    convert_inputs,
    take_inputs,
)
from tf_led.testing import tiny_config

IDS = np.array([[0, 5, 7, 2], [0, 11, 2, 1]])
STATES = np.ones([2, 4, 12], "float32")


@pytest.mark.parametrize(
    ("inputs", "kwargs"),
    [
        (IDS, {"num_beams": 3}),
        ({"input_ids": IDS}, {"num_beams": 3}),
        (BatchEncoding({"input_ids": IDS}), {"num_beams": 3}),
        (None, {"input_ids": IDS, "num_beams": 3}),
    ],
)
def test_inputs_are_told_from_options(inputs, kwargs):
    before = dict(kwargs)
    taken, options = take_inputs(inputs, kwargs)
    assert taken == GenerationInputs(input_ids=taken.input_ids)
    assert taken.input_ids is IDS and taken.document() is IDS
    assert options == {"num_beams": 3} and kwargs.keys() == before.keys()


def test_encoder_outputs_take_the_place_of_the_document():
    for given in ((STATES,), STATES, {"last_hidden_state": STATES}):
        taken, _ = take_inputs(None, {"encoder_outputs": given})
        assert taken.encoder_outputs.last_hidden_state is STATES
        assert taken.document() is STATES


@pytest.mark.parametrize(
    ("inputs", "kwargs", "message"),
    [
        (None, {}, "needs the documents: give either `input_ids`"),
        (IDS, {"inputs_embeds": STATES}, "needs the documents: give either"),
        (IDS, {"input_ids": IDS}, "`input_ids` is given twice"),
        ({"input_ids": IDS}, {"input_ids": IDS}, "`input_ids` is given twice"),
        (
            {"input_ids": IDS, "labels": IDS},
            {},
            "'labels', which `generate` does not take",
        ),
    ],
)
def test_bad_inputs_are_rejected(inputs, kwargs, message):
    with pytest.raises(ValueError, match=message):
        take_inputs(inputs, kwargs)


def convert(config=None, **given):
    return convert_inputs(GenerationInputs(**given), config or tiny_config())


def test_padding_is_masked_unless_told_otherwise():
    """As PyTorch's `generate`, though not its call, does."""
    converted = convert(input_ids=IDS)
    assert converted.input_ids.dtype == tf.int32
    assert converted.attention_mask.dtype == tf.bool
    np.testing.assert_array_equal(converted.attention_mask, IDS != 1)
    given = convert(input_ids=IDS, attention_mask=np.ones_like(IDS))
    assert given.attention_mask.numpy().all()


def test_padding_that_also_ends_is_not():
    for config in (tiny_config(eos_token_id=1), tiny_config(eos_token_id=[2, 1])):
        assert convert(config, input_ids=IDS).attention_mask.numpy().all()
    no_padding = tiny_config(pad_token_id=None)
    assert convert(no_padding, input_ids=IDS).attention_mask.numpy().all()
    assert convert(inputs_embeds=STATES).attention_mask.shape == [2, 4]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_ids": IDS + 22}, "`input_ids` holds 33"),
        ({"input_ids": [[3] * 65]}, "`input_ids` has 65 tokens, .* 64 positions"),
        ({"input_ids": IDS, "attention_mask": IDS[:, 1:]}, r"shape \[2, 3\], expected"),
        ({"input_ids": IDS, "attention_mask": IDS}, "`attention_mask` holds 11"),
        ({"input_ids": IDS, "global_attention_mask": IDS}, "attention_mask` holds 11"),
        ({"input_ids": IDS, "global_attention_mask": IDS / 2}, "is a float64 mask"),
        ({"inputs_embeds": STATES[..., 1:]}, "`inputs_embeds` has 11 features"),
        (
            {"input_ids": IDS, "decoder_input_ids": [[2, 29]] * 2},
            "`decoder_.* holds 29",
        ),
        (
            {"input_ids": IDS, "decoder_input_ids": [[2, -1]] * 2},
            "`decoder_.* holds -1",
        ),
        ({"input_ids": IDS, "decoder_input_ids": [[2.0]] * 2}, "must hold integers"),
        ({"input_ids": IDS, "decoder_input_ids": [[2]]}, "batch of 1, .* one of 2"),
    ],
)
def test_bad_values_are_rejected(given, message):
    with pytest.raises(ValueError, match=message):
        convert(**given)


def test_a_prompt_known_while_tracing_stays_known():
    """Whether it lacks the start token is decided by its ids."""
    known = []

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def run(ids):
        for prompt in ([[2, 5]], ids):
            converted = convert(input_ids=ids, decoder_input_ids=prompt)
            value = tf.get_static_value(converted.decoder_input_ids)
            known.append(None if value is None else value.tolist())
        return converted.decoder_input_ids

    run(tf.constant([[3, 7]]))
    assert known == [[[2, 5]], None]
    with pytest.raises(tf.errors.InvalidArgumentError, match="holds"):
        run(tf.constant([[3, 29]]))


@pytest.mark.parametrize(
    "name", ["inputs_embeds", "global_attention_mask", "head_mask"]
)
def test_what_only_the_encoder_reads_is_rejected_beside_its_outputs(name):
    given = {"encoder_outputs": (np.zeros([1, 3, 5]),), name: np.ones([1, 3])}
    with pytest.raises(
        ValueError, match=f"`{name}` was given beside `encoder_outputs`"
    ):
        take_inputs(None, given)


@pytest.mark.parametrize("text", ["All is well.", ["All is well.", "So it is."]])
def test_texts_are_told_what_to_call(text):
    for given in ((text, {}), (None, {"input_ids": text}), ({"input_ids": text}, {})):
        with pytest.raises(TypeError, match=r"'All is well\.'.*tf_led\.pipeline"):
            take_inputs(*given)
