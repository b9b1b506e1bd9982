import copy

import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tf_led.models.backbone.main_layer import TFLEDMainLayer
from tf_led.ops.losses import shift_tokens_right

SOURCE = ["input_ids", "attention_mask", "global_attention_mask"]


@pytest.fixture(scope="module")
def led(model):
    return model.led


def encode(led, inputs, **options):
    return led.encoder({name: inputs[name] for name in SOURCE}, **options)


@pytest.mark.parametrize("form", ["struct", "dict", "tuple", "list", "tensor"])
def test_encoder_outputs_in_every_form(led, inputs, form):
    output = encode(led, inputs, output_hidden_states=True)
    given = {
        "struct": output,
        "dict": dict(output),
        "tuple": output.to_tuple(),
        "list": list(output.to_tuple()),
        "tensor": output.last_hidden_state,
    }[form]
    decoder = {name: inputs[name] for name in ("attention_mask", "decoder_input_ids")}
    mine, whole = led(encoder_outputs=given, **decoder), led(inputs)
    np.testing.assert_array_equal(mine.last_hidden_state, whole.last_hidden_state)
    states = mine.encoder_hidden_states
    assert states is None if form == "tensor" else len(states) == 3


def test_the_cache_holds_all_of_the_document(led, inputs):
    """Neither ids nor encoder outputs are needed once there is a cache."""
    ids, mask = inputs["decoder_input_ids"], inputs["attention_mask"]
    whole = led(inputs)
    past = led({**inputs, "decoder_input_ids": ids[:, :2]}).past_key_values
    step = led(
        decoder_input_ids=ids[:, 2:],
        decoder_attention_mask=np.ones([2, 3], int),
        past_key_values=past,
        attention_mask=mask,
    )
    np.testing.assert_allclose(step[0][:, 0], whole[0][:, 2], atol=1e-5)
    assert step.encoder_last_hidden_state is None


def test_the_decoder_starts_from_the_shifted_document(led, inputs):
    del inputs["decoder_input_ids"]
    shifted = shift_tokens_right(inputs["input_ids"], 1, 2)
    mine, expected = led(inputs), led({**inputs, "decoder_input_ids": shifted})
    np.testing.assert_array_equal(mine.last_hidden_state, expected.last_hidden_state)


def test_a_document_too_long_to_start_from_is_rejected(led):
    """The encoder would take it; what to do is not to truncate it."""
    with pytest.raises(
        ValueError, match="are 33 tokens and it has 32 .* Give `decoder_"
    ):
        led(input_ids=[[3] * 33])
    led(input_ids=[[3] * 33], decoder_input_ids=[[2]])


def test_embeddings_alone_cannot_start_the_decoder(led):
    with pytest.raises(ValueError, match="Without `input_ids` there is nothing"):
        led(inputs_embeds=np.ones([1, 3, 12]))


def test_wrong_ids_are_named_as_the_users(led):
    with pytest.raises(ValueError, match="^`input_ids` holds 29"):
        led(input_ids=[[3, 29]])


@pytest.mark.parametrize("name", ["decoder_head_mask", "cross_attn_head_mask"])
def test_head_masks_of_the_decoder(led, inputs, name):
    with pytest.raises(ValueError, match=rf"`{name}` has shape \[3, 3\]"):
        led(inputs, **{name: np.ones([3, 3])})
    plain, masked = led(inputs), led(inputs, **{name: np.eye(2, 3)})
    assert np.abs(plain[0] - masked[0]).max() > 0.1
    same = [output.encoder_last_hidden_state for output in (plain, masked)]
    np.testing.assert_array_equal(*same)


def test_reloads_from_its_config(led, inputs):
    config = led.get_config()
    before = copy.deepcopy(config)
    again = TFLEDMainLayer.from_config(config)
    assert config == before
    again.set_weights(led.get_weights())
    np.testing.assert_array_equal(again(inputs)[0], led(inputs)[0])
    assert isinstance(led(inputs), tf_led.TFLEDSeq2SeqModelOutput)


@pytest.mark.slow
def test_masked_embeddings_influence_nothing(led):
    """Whatever they hold: eagerly, in graphs and in every gradient."""
    random, bad = np.random.default_rng(0), [np.nan, np.inf, -np.inf, 3e38] * 3
    mask = np.array([[1] * 13, [1] * 9 + [0] * 4])
    decoder_mask = np.array([[1] * 5, [0] + [1] * 4])
    good = [random.normal(size=(2, n, 12)).astype("float32") for n in (13, 5)]
    spoiled = [
        np.where(seen[..., None] == 1, embeds, bad).astype("float32")
        for embeds, seen in zip(good, (mask, decoder_mask), strict=True)
    ]

    def run(embeds, decoder_embeds):
        with tf.GradientTape() as tape:
            tape.watch([embeds, decoder_embeds])
            output = led(
                inputs_embeds=embeds,
                attention_mask=mask,
                global_attention_mask=[[1] + [0] * 12] * 2,
                decoder_inputs_embeds=decoder_embeds,
                decoder_attention_mask=decoder_mask,
            )
            hidden = tf.boolean_mask(output.last_hidden_state, decoder_mask == 1)
        watched = [embeds, decoder_embeds, *led.trainable_variables]
        return hidden, tape.gradient(hidden, watched)

    expected, gradients = run(*map(tf.constant, good))
    for call in (run, tf.function(run)):
        hidden, found = call(*map(tf.constant, spoiled))
        np.testing.assert_allclose(hidden, expected, atol=1e-5)
        for one, other in zip(found, gradients, strict=True):
            if one is not None:
                np.testing.assert_allclose(
                    tf.convert_to_tensor(one), tf.convert_to_tensor(other), atol=1e-4
                )


def test_masked_encoder_outputs_influence_nothing(led, inputs):
    states = encode(led, inputs).last_hidden_state.numpy()
    mask = np.ones(states.shape[:2], int)
    mask[:, -2:] = 0
    ids = inputs["decoder_input_ids"]
    given = {"attention_mask": mask, "decoder_input_ids": ids}
    expected = led(encoder_outputs=states, **given).last_hidden_state
    states[:, -2:] = np.nan
    found = led(encoder_outputs=states, **given).last_hidden_state
    np.testing.assert_allclose(found, expected, atol=1e-6)
