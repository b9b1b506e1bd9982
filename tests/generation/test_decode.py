"""What a decoding loop leaves behind, uncut."""

import numpy as np
import pytest
import tensorflow as tf

from tests.generation.toy_step import ToyStep
from tf_led.generation.decode import decode
from tf_led.generation.finalize import finalize
from tf_led.generation.generate import generate
from tf_led.generation.options import GenerationOptions

LENGTH = 11


def decode_toy(**options):
    options = GenerationOptions(
        max_length=LENGTH, eos_token_id=[2, 3], pad_token_id=1, **options
    )
    step = ToyStep(LENGTH, eos_bias=1.0)
    call = {"options": options, "prompt_ids": tf.constant([[4, 7], [4, 5]])}
    return step, step.new_cache([3, 5], options.width), call


@pytest.mark.parametrize("options", [{}, {"num_beams": 3, "num_return_sequences": 2}])
def test_shapes_do_not_depend_on_what_is_found(options):
    options |= {"return_dict_in_generate": True, "output_scores": True}
    step, cache, call = decode_toy(**options)
    decoded = decode(step, cache, **call)
    rows, width = (
        2 * options.get("num_return_sequences", 1),
        options.get("num_beams", 1),
    )
    assert decoded.sequences.shape == (rows, LENGTH)
    assert decoded.records["scores"].shape == (LENGTH - 2, 2, width, 23)
    assert decoded.cache is None and decoded.ancestors is None


@pytest.mark.parametrize("options", [{}, {"num_beams": 3, "num_return_sequences": 2}])
def test_cutting_outside_of_the_graph_gives_the_same(options):
    options |= {"return_dict_in_generate": True, "output_scores": True}
    step, cache, call = decode_toy(**options)
    decoded = tf.function(lambda: decode(step, cache, **call), autograph=False)()
    cut = finalize(decoded, options=call["options"], prompt_len=2)
    whole = generate(step, cache, **call)
    assert list(cut) == list(whole)
    np.testing.assert_array_equal(cut.sequences, whole.sequences)
    assert isinstance(cut.scores, tuple) and len(cut.scores) == len(whole.scores)
    for step_scores, expected in zip(cut.scores, whole.scores, strict=True):
        np.testing.assert_allclose(step_scores, expected, rtol=1e-4, atol=1e-5)


def test_the_last_cache_can_be_kept():
    step, cache, call = decode_toy()
    decoded = decode(step, cache, keep_cache=True, **call)
    read = int(decoded.length) - 1  # the last token has not been read
    written = decoded.cache["written"].numpy()[:read, :, 0].T
    np.testing.assert_array_equal(written, decoded.sequences[:, :read])
    assert not decoded.ancestors.numpy()[..., :read].any()


def test_further_fields_are_passed_on():
    step, cache, call = decode_toy(return_dict_in_generate=True)
    encoded = (tf.ones([2, 5, 7]),)
    found = generate(step, cache, fields={"encoder_hidden_states": encoded}, **call)
    assert list(found) == ["sequences", "encoder_hidden_states"]
    assert found.encoder_hidden_states is encoded
