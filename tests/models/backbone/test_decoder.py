import copy

import numpy as np
import pytest
import tensorflow as tf

from tests.models.conftest import SIZES
from tf_led.models.backbone.decoder import TFLEDDecoder
from tf_led.testing import tiny_config

IDS = np.array([[2, 5, 7], [2, 11, 3]])
STATES = np.random.default_rng(5).standard_normal([2, 7, 12]).astype("float32")
DOCUMENT = {"encoder_hidden_states": STATES}
EVERYTHING = {"output_attentions": True, "output_hidden_states": True}


@pytest.fixture(scope="module")
def decoder(model):
    return model.get_decoder()


def test_every_field_in_order(decoder):
    output = decoder(input_ids=IDS, **DOCUMENT, **EVERYTHING)
    assert list(output) == [
        "last_hidden_state",
        "past_key_values",
        "hidden_states",
        "attentions",
        "cross_attentions",
    ]
    assert [state.shape.as_list() for state in output.hidden_states] == [[2, 3, 12]] * 3
    assert [probs.shape.as_list() for probs in output.attentions] == [[2, 3, 3, 3]] * 2
    assert [m.shape.as_list() for m in output.cross_attentions] == [[2, 3, 3, 7]] * 2
    fields = decoder(input_ids=IDS, **DOCUMENT, **EVERYTHING, return_dict=False)
    assert type(fields) is tuple and len(fields) == 5
    np.testing.assert_array_equal(fields[4][1], output.cross_attentions[1])


def test_called_alone_it_gives_what_the_model_gives(model, decoder, inputs):
    whole = model.led(inputs)
    output = decoder(
        input_ids=inputs["decoder_input_ids"],
        encoder_hidden_states=whole.encoder_last_hidden_state,
        encoder_attention_mask=inputs["attention_mask"],
    )
    np.testing.assert_array_equal(output[0], whole.last_hidden_state)


def test_without_a_document_it_is_a_language_model(decoder):
    output = decoder(input_ids=IDS, **EVERYTHING)
    assert output.cross_attentions is None
    assert [len(layer) for layer in output.past_key_values] == [2, 2]
    past = decoder(input_ids=IDS[:, :2]).past_key_values
    step = decoder(input_ids=IDS[:, 2:], past_key_values=past)
    np.testing.assert_allclose(step[0][:, 0], output[0][:, 2], atol=1e-5)


def test_step_by_step_equals_at_once(decoder):
    mask = np.array([[1, 1, 1], [0, 1, 1]])
    whole = decoder(input_ids=IDS, attention_mask=mask, **DOCUMENT)
    past = None
    for i in range(3):
        # The document's keys are in the cache after the first step.
        document = DOCUMENT if past is None else {}
        step = decoder(
            input_ids=IDS[:, i : i + 1],
            attention_mask=mask[:, : i + 1],
            past_key_values=past,
            **document,
        )
        past = step.past_key_values
        real = mask[:, i] > 0
        np.testing.assert_allclose(
            step[0].numpy()[real, 0], whole[0].numpy()[real, i], atol=1e-5
        )
    for mine, other in zip(
        tf.nest.flatten(past), tf.nest.flatten(whole.past_key_values), strict=True
    ):
        assert mine.shape == other.shape


def test_embeddings_instead_of_ids(decoder):
    embeds = decoder.embed_tokens(IDS)
    output = decoder(inputs_embeds=embeds, **DOCUMENT)
    whole = decoder(input_ids=IDS, **DOCUMENT)
    np.testing.assert_allclose(output[0], whole[0], atol=1e-5)


def test_one_token_of_each_hypothesis(decoder):
    """What generation reads: all at one position."""
    embeds = decoder.embed_token(tf.constant(IDS), tf.constant(5))
    table = decoder.embed_tokens(IDS) + decoder.embed_positions(tf.constant(5))
    np.testing.assert_allclose(embeds, decoder.layernorm_embedding(table), atol=1e-6)


def test_positions_go_on_after_the_cache(decoder):
    embeds = decoder.embed_tokens(IDS)
    later = decoder.embed_at(embeds[:, 1:], 1)
    np.testing.assert_allclose(later, decoder.embed_at(embeds, 0)[:, 1:], atol=1e-6)


@pytest.mark.parametrize(
    ("option", "default", "field"),
    [
        ("use_cache", True, "past_key_values"),
        ("output_attentions", False, "attentions"),
        ("output_hidden_states", False, "hidden_states"),
    ],
)
def test_the_config_says_what_a_call_leaves_open(decoder, option, default, field):
    assert (field in decoder(input_ids=IDS)) == default
    other = TFLEDDecoder(tiny_config(decoder_layers=1, **{option: not default}))
    assert (field in other(input_ids=IDS)) == (not default)
    assert (field in other(input_ids=IDS, **{option: default})) == default


def test_training_keeps_no_cache(decoder):
    assert decoder(input_ids=IDS, training=True).past_key_values is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_ids": [[29]]}, "`decoder_input_ids` holds 29"),
        (
            {"input_ids": [[3] * 33]},
            "`decoder_input_ids` has 33 tokens, .* 32 positions",
        ),
        (
            {"input_ids": [[3]], "attention_mask": [[1, 1]]},
            r"`decoder_attention_mask` .* \[1, 2\]",
        ),
        ({"input_ids": [[3]], "attention_mask": [[0.5]]}, "is a float32 mask"),
        (
            {"input_ids": [[3]], "head_mask": np.ones([5])},
            "`decoder_head_mask` has shape",
        ),
        (
            {"input_ids": [[3]], "encoder_head_mask": np.ones([5])},
            "`cross_attn_head_mask` has",
        ),
        (
            {"input_ids": [[3]], "encoder_hidden_states": STATES},
            "batch of 1, the document's one of 2",
        ),
        (
            {"input_ids": IDS, "encoder_hidden_states": STATES[..., 1:]},
            "has 11 features",
        ),
        (
            {
                "input_ids": IDS,
                **DOCUMENT,
                "encoder_attention_mask": np.ones([2, 5], int),
            },
            r"`attention_mask` has shape \[2, 5\], expected \[2, 7\]",
        ),
        ({"input_ids": IDS, "inputs_embeds": STATES}, "got both"),
        ({}, "Give either `decoder_input_ids` or `decoder_inputs_embeds`, got neither"),
        ({"input_ids": IDS, "past_key_values": (1, 2)}, r"2 entries of sizes \[0, 0\]"),
        (
            {"input_ids": IDS, "past_key_values": ((1, 2, 3),) * 2},
            r"sizes \[3, 3\]; expected 2",
        ),
        ({"input_ids": IDS, "past_key_values": ((1, 2),) * 3}, "has 3 entries"),
    ],
)
def test_wrong_input_is_one_line(decoder, given, message):
    with pytest.raises(ValueError, match=message) as caught:
        decoder(**given)
    assert len(str(caught.value).splitlines()) == 1


def test_the_cache_counts_to_the_length(decoder):
    past = decoder(input_ids=np.full([1, 32], 3)).past_key_values
    with pytest.raises(ValueError, match="`decoder_input_ids` has 33 tokens"):
        decoder(input_ids=[[3]], past_key_values=past)


def test_wrong_input_is_found_in_a_graph_of_open_shapes():
    decoder = TFLEDDecoder(tiny_config(decoder_layers=1))
    spec = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[spec, spec], autograph=False)
    def decode(ids, mask):
        return decoder(input_ids=ids, attention_mask=mask).last_hidden_state

    ones = np.ones([2, 3], int)
    assert decode(IDS, ones).shape == [2, 3, 12]
    long = np.ones([1, 33], int)
    for wrong, message in [
        ((IDS + 19, ones), r"`decoder_input_ids` holds\] \[30\]"),
        ((IDS, ones[:, :1]), r"`decoder_attention_mask` has shape\] \[2 1\]"),
        ((long, long), r"`decoder_input_ids` has\] \[33\]"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            decode(*wrong)


def test_reloads_from_its_config(decoder):
    config = decoder.get_config()
    before = copy.deepcopy(config)
    again = TFLEDDecoder.from_config(config)
    assert (
        config == before and again.config.attention_window == SIZES["attention_window"]
    )
    again.set_weights(decoder.get_weights())
    output = again(input_ids=IDS, **DOCUMENT)
    np.testing.assert_array_equal(output[0], decoder(input_ids=IDS, **DOCUMENT)[0])
