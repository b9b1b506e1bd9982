"""Subclasses with a `call` of their own: it counts for every generated token."""

import numpy as np
import pytest
import tensorflow as tf

from tests.models.conftest import SMALL, make_model
from tf_led import TFLEDForConditionalGeneration
from tf_led.models.generation.model_call_step import has_own_call, own_keywords

IDS = np.array([[5, 6, 7, 8, 9, 13, 2], [4, 3, 11, 2, 1, 1, 1]])


class Shifted(TFLEDForConditionalGeneration):
    """Adds to the scores of each document what a keyword of its own says."""

    def call(self, input_ids=None, *args, shift=None, **kwargs):
        output = super().call(input_ids, *args, **kwargs)
        if shift is None:
            return output
        shifted = output.logits + tf.cast(shift, tf.float32)[:, None]
        return type(output)(**{**output, "logits": shifted})


class Unchanged(TFLEDForConditionalGeneration):
    def call(self, *args, **kwargs):
        return super().call(*args, **kwargs)


@pytest.fixture(scope="module")
def shifted():
    return make_model(Shifted, **SMALL)


def test_only_a_users_call_is_ones_own():
    assert has_own_call(Shifted) and not has_own_call(TFLEDForConditionalGeneration)
    assert own_keywords(Shifted) == {"shift"}
    assert own_keywords(TFLEDForConditionalGeneration) == set()


@pytest.mark.slow
@pytest.mark.parametrize("beams", [1, 3])
def test_a_call_that_changes_nothing_gives_the_same(beams):
    outputs = {f"output_{name}": True for name in ("attentions", "hidden_states")}
    options = {**outputs, "num_beams": beams, "max_length": 7}
    options |= {"return_dict_in_generate": True, "output_logits": True}
    ours = make_model(**SMALL).generate(IDS, **options)
    theirs = make_model(Unchanged, **SMALL).generate(IDS, **options)
    assert list(ours) == list(theirs)
    np.testing.assert_array_equal(ours.sequences, theirs.sequences)
    for name in ("logits", "decoder_attentions", "decoder_hidden_states"):
        pairs = zip(
            tf.nest.flatten(ours[name]), tf.nest.flatten(theirs[name]), strict=True
        )
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("beams", [1, 2])
def test_a_keyword_reaches_the_call_of_every_token(shifted, beams):
    options = {"num_beams": beams, "max_length": 6, "eos_token_id": None}
    shift = np.zeros([2, 29], np.float32)
    shift[0, 11] = shift[1, 17] = 1e4
    found = shifted.generate(IDS, shift=shift, **options)
    assert found[:, 1:].numpy().tolist() == [[11] * 5, [17] * 5]
    plain = make_model(**SMALL).generate(IDS, **options)
    np.testing.assert_array_equal(shifted.generate(IDS, **options), plain)


def test_what_its_call_does_not_take_is_named(shifted):
    with pytest.raises(ValueError, match="`shifts`"):
        shifted.generate(IDS, shifts=3, max_length=6)


def test_it_reads_no_drafts(shifted):
    with pytest.raises(ValueError, match="`prompt_lookup_num_tokens` is 3, .*`call`"):
        shifted.generate(IDS, prompt_lookup_num_tokens=3, max_length=6)


def test_a_dtype_of_the_decoder_is_not_for_a_call_of_ones_own(shifted):
    with pytest.raises(ValueError, match="`decoder_dtype` is 'bfloat16'"):
        shifted.generate(IDS, decoder_dtype="bfloat16", max_new_tokens=2)
