"""The decoder prompt."""

import numpy as np
import pytest
import tensorflow as tf

from tf_led.generation.prompt import prepare_prompt


def prepare(ids=None, mask=None, batch_size=2, start=2):
    ids = None if ids is None else tf.constant(ids, tf.int32)
    mask = None if mask is None else tf.constant(mask) > 0
    prompt, mask = prepare_prompt(
        ids, mask, batch_size=batch_size, start_token_id=start
    )
    assert prompt.dtype == tf.int32 and mask.dtype == tf.bool
    return prompt.numpy().tolist(), mask.numpy().tolist()


def test_without_a_prompt_the_start_token_is_one():
    assert prepare() == ([[2], [2]], [[True], [True]])
    assert prepare(start=[3, 5]) == ([[3], [5]], [[True], [True]])


def test_the_start_token_is_put_in_front_when_no_row_has_it():
    ids, mask = prepare([[5, 7], [3, 2]], [[0, 1], [1, 1]])
    assert ids == [[2, 5, 7], [2, 3, 2]]
    assert mask == [[True, False, True], [True, True, True]]


def test_a_prompt_with_the_start_token_in_one_row_stays():
    ids, mask = prepare(np.array([[5, 7], [2, 3]]))
    assert ids == [[5, 7], [2, 3]] and all(map(all, mask))


def test_each_row_may_have_its_own_start_token():
    assert prepare([[5, 7], [3, 2]], start=[3, 5])[0] == [[3, 5, 7], [5, 3, 2]]
    assert prepare([[3, 7], [3, 2]], start=[3, 5])[0] == [[3, 7], [3, 2]]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_graph_the_prompt_stays_as_it_is(jit_compile):
    spec = tf.TensorSpec([None, 3], tf.int32)

    @tf.function(input_signature=[spec], jit_compile=jit_compile)
    def run(ids):
        return prepare_prompt(ids, batch_size=tf.shape(ids)[0], start_token_id=2)

    ids = tf.constant([[2, 5, 7], [3, 5, 7]])
    assert run(ids)[0].numpy().tolist() == ids.numpy().tolist()


def test_in_a_graph_a_prompt_without_the_start_token_is_stopped():
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int32)])
    def run(ids):
        return prepare_prompt(ids, batch_size=tf.shape(ids)[0], start_token_id=2)

    with pytest.raises(tf.errors.InvalidArgumentError, match="begin with.*\\[11 13\\]"):
        run(tf.constant([[11, 2], [13, 2]]))


def test_a_mask_needs_a_prompt():
    with pytest.raises(ValueError, match="`decoder_attention_mask` needs"):
        prepare(mask=[[1], [1]])


def test_the_length_of_a_prompt_must_be_known():
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def run(ids):
        return prepare_prompt(ids, batch_size=2, start_token_id=2)

    with pytest.raises(ValueError, match=r"`decoder_input_ids` .* \(None, None\)"):
        run(tf.constant([[2, 5], [2, 7]]))


def test_start_tokens_must_be_one_for_each_document():
    with pytest.raises(ValueError, match="has 3 ids for 2 documents"):
        prepare(start=[3, 5, 7])
