import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.conftest import SIZES, make_model
from tf_led.models.backbone.encoder import TFLEDEncoder, merge_masks
from tf_led.testing import tiny_config

SOURCE = ["input_ids", "attention_mask", "global_attention_mask"]


@pytest.fixture(scope="module")
def encoder(model):
    return model.get_encoder()


@pytest.fixture
def document(inputs):
    return {name: inputs[name] for name in SOURCE}


def test_called_alone_it_gives_what_the_model_gives(model, encoder, inputs, document):
    states = encoder(document).last_hidden_state
    whole = model(inputs).encoder_last_hidden_state
    np.testing.assert_array_equal(states, whole)


def test_every_field_in_order(encoder, document):
    options = {"output_attentions": True, "output_hidden_states": True}
    output = encoder(document, **options)
    assert list(output) == [
        "last_hidden_state",
        "hidden_states",
        "attentions",
        "global_attentions",
    ]
    assert [state.shape.as_list() for state in output.hidden_states] == [[2, 7, 12]] * 3
    np.testing.assert_array_equal(output.hidden_states[-1], output[0])
    # Two global tokens at most, windows of 14 and 16.
    shapes = [probs.shape.as_list() for probs in output.attentions]
    assert shapes == [[2, 3, 7, 2 + 15], [2, 3, 7, 2 + 17]]
    assert [m.shape.as_list() for m in output.global_attentions] == [[2, 3, 7, 2]] * 2
    fields = encoder(document, **options, return_dict=False)
    assert type(fields) is tuple and len(fields) == 4
    np.testing.assert_array_equal(fields[3][1], output.global_attentions[1])


def test_the_config_says_what_a_call_leaves_open(document):
    config = tiny_config(
        **SIZES,
        encoder_layers=2,
        output_hidden_states=True,
        output_attentions=True,
        return_dict=False,
    )
    encoder = TFLEDEncoder(config)
    assert len(encoder(document)) == 4
    options = ["output_attentions", "output_hidden_states", "return_dict"]
    assert encoder(
        document, **dict.fromkeys(options[:2], False), return_dict=True
    ).keys() == {"last_hidden_state"}


def test_embeddings_instead_of_ids(encoder, document):
    embeds = encoder.embed_tokens(document["input_ids"])
    masks = {name: document[name] for name in SOURCE[1:]}
    output = encoder(inputs_embeds=embeds, **masks)
    np.testing.assert_allclose(output[0], encoder(document)[0], atol=1e-5)


def test_minus_one_masks_a_token_like_padding(encoder, document):
    ids, mask = document["input_ids"], document["attention_mask"]
    given = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    padded = encoder(input_ids=ids, global_attention_mask=mask - 1).last_hidden_state
    np.testing.assert_allclose(padded, given, atol=1e-5)


def test_padding_is_never_global(encoder, document):
    wrong = np.where(
        document["attention_mask"] == 0, 1, document["global_attention_mask"]
    )
    output = encoder({**document, "global_attention_mask": wrong})
    np.testing.assert_allclose(output[0], encoder(document)[0], atol=1e-5)


def test_merge_masks():
    hidden = tf.zeros([1, 5, 3])
    mask, flags = tf.constant([[1, 1, 1, 0, 0]]) > 0, tf.constant([[1, 0, -1, 1, 0]])
    padding, is_global = merge_masks(hidden, mask, flags)
    assert padding.numpy().tolist() == [[1, 1, 0, 0, 0]]
    assert is_global.numpy().tolist() == [[1, 0, 0, 0, 0]]
    padding, is_global = merge_masks(hidden, None, None)
    assert padding.numpy().all() and is_global is None


@pytest.mark.parametrize(
    "name", ["head_mask", "attention_mask", "global_attention_mask"]
)
def test_masks_reach_the_layers(encoder, document, name):
    """That each reaches the right place is measured against the dense reference."""
    changed = {"head_mask": np.eye(2, 3, dtype="float32")}
    changed["attention_mask"] = np.ones([2, 7], int)
    changed["global_attention_mask"] = np.zeros([2, 7], int)
    output = encoder({**document, name: changed[name]})[0]
    assert np.abs(output - encoder(document)[0]).max() > 0.1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_ids": [[3, 29]]}, "`input_ids` holds 29"),
        ({"input_ids": [[3, -2]]}, "`input_ids` holds -2"),
        ({"input_ids": [[3] * 65]}, "`input_ids` has 65 tokens, .* 64 positions"),
        ({"inputs_embeds": np.ones([1, 65, 12])}, "`inputs_embeds` has 65 tokens"),
        ({"inputs_embeds": np.ones([1, 5, 11])}, "`inputs_embeds` has 11 features"),
        ({"input_ids": [[3]], "attention_mask": [[0.5]]}, "is a float32 mask"),
        ({"input_ids": [[3]], "attention_mask": [[2]]}, "`attention_mask` holds 2"),
        ({"input_ids": [[3]], "attention_mask": [[1, 1]]}, r"shape \[1, 2\], expected"),
        ({"input_ids": [[3]], "global_attention_mask": [[-2]]}, "_mask` holds -2"),
        (
            {"input_ids": [[3]], "head_mask": np.ones([3, 3])},
            r"`head_mask` .* \[3, 3\]",
        ),
        ({"input_ids": [[3]], "inputs_embeds": np.ones([1, 1, 12])}, "got both"),
        ({}, "Give either `input_ids` or `inputs_embeds`, got neither"),
    ],
)
def test_wrong_input_is_one_line(encoder, given, message):
    with pytest.raises(ValueError, match=message) as caught:
        encoder(**given)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_wrong_input_is_found_in_a_graph_of_open_shapes():
    """One layer: its trace is short."""
    encoder = TFLEDEncoder(tiny_config(encoder_layers=1))
    spec = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[spec] * 3, autograph=False)
    def encode(ids, mask, global_mask):
        return encoder(
            input_ids=ids, attention_mask=mask, global_attention_mask=global_mask
        ).last_hidden_state

    ids, ones = np.full([2, 5], 3), np.ones([2, 5], int)
    assert encode(ids, ones, ones).shape == [2, 5, 12]
    long = np.full([1, 65], 3)
    for wrong, message in [
        ((ids + 26, ones, ones), r"`input_ids` holds\] \[29\]"),
        ((ids - 4, ones, ones), r"`input_ids` holds\] \[-1\]"),
        ((ids, 2 * ones, ones), r"`attention_mask` holds\] \[2\]"),
        ((ids, ones, 2 * ones), r"`global_attention_mask` holds\] \[2\]"),
        ((ids, ones[:, :1], ones), r"`attention_mask` has shape\] \[2 1\]"),
        ((ids, ones, ones[:1]), r"`global_attention_mask` has shape\] \[1 5\]"),
        ((long, long // 3, long // 3), r"`input_ids` has\] \[65\]"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            encode(*wrong)
    assert encode.experimental_get_tracing_count() == 1


WITH_PROBS = {"output_attentions": True, "return_dict": True}


def test_the_limit_sets_the_width_of_attention_probs(document):
    config = tiny_config(**SIZES)
    exact, bounded = TFLEDEncoder(config), TFLEDEncoder(config, max_global_tokens=3)
    bounded.set_weights(exact.get_weights())
    one, other = exact(document, **WITH_PROBS), bounded(document, **WITH_PROBS)
    assert other.attentions[1].shape == [2, 3, 7, 3 + 17]
    for mine, padded in zip(one.attentions, other.attentions, strict=True):
        np.testing.assert_allclose(mine[..., :2], padded[..., :2], atol=1e-6)
        assert not np.any(padded[..., 2])
        np.testing.assert_allclose(mine[..., 2:], padded[..., 3:], atol=1e-6)
    np.testing.assert_allclose(one[0], other[0], atol=1e-5)


def test_a_bound_beyond_the_document_is_its_length(document):
    encoder = TFLEDEncoder(tiny_config(**SIZES), max_global_tokens=11)
    assert encoder(document, **WITH_PROBS).global_attentions[0].shape == [2, 3, 7, 7]


def test_more_global_tokens_than_the_bound_are_rejected(document):
    encoder = TFLEDEncoder(tiny_config(**SIZES), max_global_tokens=1)
    with pytest.raises(ValueError, match="has 2 global tokens, .* max_global_tokens=1"):
        encoder(document, **WITH_PROBS)
    encoder(document)  # Without attention probabilities nothing is limited.


@pytest.mark.slow
def test_attention_probs_under_xla(document):
    """Their width is the bound; beyond it, where XLA cannot reject, all is NaN."""
    config = tiny_config(encoder_layers=1)
    encoder, free = TFLEDEncoder(config, max_global_tokens=2), TFLEDEncoder(config)
    free.set_weights(encoder.get_weights())
    given = {name: tf.constant(array, tf.int32) for name, array in document.items()}
    call = tf.function(
        lambda given: encoder(given, **WITH_PROBS), jit_compile=True, autograph=False
    )
    compiled, eager = call(given), free(document, **WITH_PROBS)
    for mine, other in zip(
        tf.nest.flatten(compiled), tf.nest.flatten(eager), strict=True
    ):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    given["global_attention_mask"] = tf.constant(document["attention_mask"], tf.int32)
    assert np.isnan(call(given).last_hidden_state).all()
    with pytest.raises(ValueError, match="build the model with max_global_tokens=n"):
        tf.function(lambda given: free(given, **WITH_PROBS), jit_compile=True)(given)


def test_a_bound_that_is_no_positive_int_raises():
    with pytest.raises(ValueError, match="`max_global_tokens` is 0"):
        TFLEDEncoder(tiny_config(), max_global_tokens=0)


def test_layer_drop_acts_in_training_only(document):
    model = make_model(encoder_layerdrop=1.0, dropout=0.0, decoder_layers=1)
    encoder = model.get_encoder()
    still = encoder(document, output_hidden_states=True)
    dropped = encoder(document, training=True)
    np.testing.assert_allclose(dropped[0], still.hidden_states[0], atol=1e-6)
    assert np.abs(still[0] - dropped[0]).max() > 0.1
    with pytest.raises(ValueError, match="layerdrop 1.0"):
        encoder(document, training=True, output_attentions=True)


def test_reloads_from_its_config(encoder, document):
    config = encoder.get_config()
    before = copy.deepcopy(config)
    again = TFLEDEncoder.from_config(config)
    assert config == before
    again.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(again(document)[0], encoder(document)[0])
    serialized = keras.saving.serialize_keras_object(encoder)
    again = keras.saving.deserialize_keras_object(serialized)
    assert again.config.to_dict() == encoder.config.to_dict()
