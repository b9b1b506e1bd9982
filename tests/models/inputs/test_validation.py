import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_led.models.inputs import validation as checks
from tf_led.models.inputs.validation import assert_before, input_error, raise_where

IDS = [[0, 5, 28], [7, 11, 2]]


@pytest.fixture(params=["eager", "graph"])
def either(request):
    """Runs a check on one argument, eagerly or with an open shape in a graph.

    What is found while tracing is a ValueError, what only a run shows is TensorFlow's.
    """

    def run(check, argument):
        if request.param == "eager":
            return check(argument)
        argument = tf.convert_to_tensor(argument)
        spec = tf.TensorSpec([None] * argument.shape.rank, argument.dtype)
        return tf.function(check, input_signature=[spec])(argument)

    return run


def rejected(*values):
    """Expects the words of a message, whatever a graph puts around its parts."""
    pattern = r"[\W\s]*".join(re.escape(str(value)) for value in values)
    return pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=pattern)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int16"])
def test_ids_of_every_integer(dtype):
    ids = checks.validate_ids(np.array(IDS, dtype), "input_ids", 50_265)
    assert ids.dtype == tf.int32 and ids.numpy().tolist() == IDS


@pytest.mark.parametrize("wrong", [29, -1, 2**32 + 5])
def test_ids_beyond_the_vocabulary(either, wrong):
    """2**32 + 5 would be 5 after a careless cast."""
    ids = np.array([[0, wrong], [3, 5]])
    with rejected(
        "`decoder_input_ids` holds", wrong, ", but the vocabulary has ids 0 to 28"
    ):
        either(lambda ids: checks.validate_ids(ids, "decoder_input_ids", 29), ids)


def test_ids_that_are_no_integers():
    with rejected("`input_ids` must hold integers, got float32"):
        checks.validate_ids(np.ones([2, 3], "float32"), "input_ids", 29)


@pytest.mark.parametrize("shape", [[3], [2, 3, 5]])
def test_ids_of_another_rank(shape):
    with rejected(f"`input_ids` has shape {shape}; expected [batch, length]"):
        checks.validate_ids(np.ones(shape, int), "input_ids", 29)


def test_ids_of_rows_of_unequal_length():
    with rejected("`input_ids` must be rows of ids, all of one length"):
        checks.validate_ids([[0, 5], [3]], "input_ids", 29)


def test_no_ids_at_all():
    with rejected("`input_ids` has no tokens"):
        checks.validate_ids(np.zeros([2, 0], int), "input_ids", 29)


def test_labels():
    labels = checks.validate_labels([[5, -100], [0, 28]], 29)
    assert labels.dtype == tf.int32
    assert labels.numpy().tolist() == [[5, -100], [0, 28]]


@pytest.mark.parametrize("wrong", [29, -1, -99])
def test_labels_that_are_neither_ids_nor_ignored(either, wrong):
    with rejected("`labels` holds", wrong, "; allowed are the ids 0 to 28"):
        either(lambda labels: checks.validate_labels(labels, 29), [[5, wrong, -100]])


def test_labels_that_are_no_integers():
    with rejected("`labels` must hold integers, got float64"):
        checks.validate_labels(np.ones([2, 3]), 29)


@pytest.mark.parametrize("dtype", ["int32", "int64", "bool", "uint8"])
def test_masks_of_every_kind(dtype):
    mask = checks.validate_mask(np.array([[1, 0, 1]], dtype), "attention_mask", [1, 3])
    assert mask.dtype == tf.bool and mask.numpy().tolist() == [[True, False, True]]
    assert checks.validate_mask(None, "attention_mask", [1, 3]) is None


@pytest.mark.parametrize("wrong", [2, -1])
def test_masks_of_other_values(either, wrong):
    with rejected(
        "`attention_mask` holds", wrong, "; allowed are 0 and 1. Global tokens"
    ):
        either(
            lambda m: checks.validate_mask(m, "attention_mask", [1, None]), [[1, wrong]]
        )


@pytest.mark.parametrize("take", [checks.validate_mask, checks.validate_global_mask])
def test_masks_of_floats(take):
    with rejected("`attention_mask` is a float32 mask", "give integers or bools"):
        take(np.ones([1, 3], "float32"), "attention_mask", [1, 3])


@pytest.mark.parametrize("shape", [[2, 4], [1, 5], [2, 1]])
@pytest.mark.parametrize("take", [checks.validate_mask, checks.validate_global_mask])
def test_masks_of_another_shape(either, take, shape):
    """[1, 5] and [2, 1] would broadcast in silence."""
    with rejected("`attention_mask` has shape", *shape, "expected", 2, 5):
        either(lambda m: take(m, "attention_mask", [2, 5]), np.ones(shape, int))


def test_masks_against_sizes_known_at_run_time():
    def take(mask, tokens):
        size = tf.shape(tokens)
        return checks.validate_mask(mask, "attention_mask", [size[0], size[1]])

    take = tf.function(
        take, input_signature=[tf.TensorSpec([None, None], tf.int32)] * 2
    )
    assert take(np.ones([2, 5]), np.ones([2, 5])).shape == [2, 5]
    with rejected("`attention_mask` has shape", 2, 1, "expected", 2, 5):
        take(np.ones([2, 1]), np.ones([2, 5]))


def test_masks_of_another_rank():
    with rejected("`attention_mask` has shape [5], expected [2, 5]"):
        checks.validate_mask(np.ones([5], int), "attention_mask", [2, 5])


def test_global_masks():
    mask = checks.validate_global_mask([[1, 0, -1]], "global_attention_mask", [1, 3])
    assert mask.dtype == tf.int32 and mask.numpy().tolist() == [[1, 0, -1]]
    assert checks.validate_global_mask(None, "global_attention_mask", [1, 3]) is None


@pytest.mark.parametrize("wrong", [2, -2])
def test_global_masks_of_other_values(either, wrong):
    with rejected("`global_attention_mask` holds", wrong, "; allowed are 1, 0 and -1"):
        either(
            lambda m: checks.validate_global_mask(
                m, "global_attention_mask", [1, None]
            ),
            [[1, wrong]],
        )


def test_embeddings():
    embeds = checks.validate_embeds(
        np.ones([2, 3, 12]), "inputs_embeds", 12, "bfloat16"
    )
    assert embeds.dtype == tf.bfloat16 and embeds.shape == [2, 3, 12]


@pytest.mark.parametrize(
    ("embeds", "message"),
    [
        (np.ones([2, 3, 11]), "has 11 features, but d_model is 12"),
        (np.ones([2, 12]), "has shape [2, 12]; expected [batch, length, d_model]"),
        (np.ones([2, 0, 12]), "has no tokens"),
        (np.ones([2, 3, 12], int), "must hold floats, got int64"),
    ],
)
def test_embeddings_that_do_not_fit(embeds, message):
    with rejected(f"`inputs_embeds` {message}"):
        checks.validate_embeds(embeds, "inputs_embeds", 12, "float32")


@pytest.mark.parametrize(("dtype", "large"), [("float32", 1e14), ("float16", 3e4)])
def test_masked_embeddings_that_no_mask_could_hide(dtype, large):
    row = [large, -1.0, np.nan, np.inf, -np.inf, np.finfo(dtype).max]
    embeds = tf.constant([row] * 2, dtype)[None]  # [1, 2, 6]
    first, second = checks.clear_masked(embeds, tf.constant([[True, False]])).numpy()[0]
    np.testing.assert_array_equal(first, embeds[0, 0])
    np.testing.assert_array_equal(second, [*first[:2], 0, 0, 0, 0])
    assert checks.clear_masked(embeds, None) is embeds


def test_head_masks():
    mask = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(
        checks.validate_head_mask(mask, "head_mask", 2, 3), mask
    )
    repeated = checks.validate_head_mask(np.array([0, 1, 2]), "head_mask", 2, 3)
    assert repeated.numpy().tolist() == [[0, 1, 2]] * 2
    assert repeated.dtype == tf.float32
    assert checks.validate_head_mask(None, "head_mask", 2, 3) is None


@pytest.mark.parametrize("shape", [[3, 3], [2, 5], [5], [2, 1, 3]])
def test_head_masks_of_another_shape(shape):
    found = [2, *shape] if len(shape) == 1 else shape
    with rejected(
        f"`head_mask` has shape {found}", "but the model has 2 layers of 3 heads"
    ):
        checks.validate_head_mask(np.ones(shape), "head_mask", 2, 3)


def test_batches(either):
    document = tf.zeros([3, 5, 2])

    def check(tokens):
        return checks.validate_batch(tokens, document)

    np.testing.assert_array_equal(either(check, np.ones([3, 7])), np.ones([3, 7]))
    with rejected("input is a batch of", 1, "the document", "s one of", 3):
        either(check, np.ones([1, 7]))


def test_lengths(either):
    def check(ids):
        length = ids.shape[1] or tf.shape(ids)[1]
        return checks.validate_length(ids, length, 7, "input_ids", "max_positions")

    assert tuple(either(check, np.ones([2, 7], int)).shape)[1] == 7
    with rejected("`input_ids` has", 8, "tokens, but this model has 7 positions"):
        either(check, np.ones([2, 8], int))


def test_a_length_message_names_the_remedy():
    with rejected(
        "(`max_positions`). Truncate to 7 tokens", "tokenizer(..., truncation="
    ):
        checks.validate_length(tf.zeros([1, 8]), 8, 7, "input_ids", "max_positions")


BAD_IDS = tf.constant([[3, 31], [-5, 37]])


def reject(ids):
    return raise_where(ids > 29, ids, "`ids` holds", "; allowed are up to 29.")


def test_eagerly_the_largest_wrong_entry_is_named():
    with pytest.raises(ValueError, match="^`ids` holds 37; allowed are up to 29.$"):
        reject(BAD_IDS)


def test_what_is_right_comes_back():
    ids = tf.constant([3, -5])
    assert reject(ids) is ids
    np.testing.assert_array_equal(tf.function(reject)(ids), ids)


def test_in_a_graph_it_is_named_too():
    call = tf.function(reject, input_signature=[tf.TensorSpec(None, tf.int32)])
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"\[`ids` holds\] \[37\] \[; allowed are up to 29.\]",
    ):
        call(BAD_IDS)


def test_the_check_comes_before_what_uses_the_tensor():
    """Else the user may get the error of what went wrong later."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def look_up(ids):
        return tf.gather(tf.range(30), reject(ids))

    for _ in range(7):
        with pytest.raises(tf.errors.InvalidArgumentError, match="`ids` holds"):
            look_up([3, 31])


def test_assert_before():
    tensor = tf.constant([3])
    np.testing.assert_array_equal(
        assert_before(tf.constant(True), ["no"], tensor), tensor
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="no"):
        assert_before(tf.constant(False), ["no"], tensor)


def test_keras_adds_no_page_of_arguments():
    class Layer(keras.layers.Layer):
        def call(self, ids):
            return reject(ids)

    with pytest.raises(ValueError) as caught:
        Layer()(BAD_IDS)
    assert str(caught.value) == "`ids` holds 37; allowed are up to 29."


def test_autograph_keeps_it_a_value_error():
    def reject_at_once(ids):
        if ids.shape.rank != 2:
            raise input_error(f"`ids` has shape {ids.shape}.")
        return ids

    with pytest.raises(ValueError, match=r"`ids` has shape \(3,\)."):
        tf.function(reject_at_once)(tf.constant([3, 5, 7]))
