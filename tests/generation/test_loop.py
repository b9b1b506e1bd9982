"""The contract with the model's step function."""

import numpy as np
import pytest
import tensorflow as tf

from tests.generation.toy_step import ToyStep, generate
from tf_led.generation.loop import StepOutput, call_step
from tf_led.generation.options.generation_options import GenerationOptions

TOKENS = tf.reshape(tf.range(2 * 3 * 5), [2, 3, 5])
FRAME = {
    "tokens": TOKENS,
    "token_ids": TOKENS[:, :, 3],
    "beam_history": tf.zeros([2, 3, 5], tf.int32),
    "token_mask": tf.ones([2, 5], tf.bool),
}


def test_a_step_gets_the_tokens_at_the_index():
    def step(token_ids, index, beam_history, token_mask, cache):
        assert token_ids.numpy().tolist() == [[3, 8, 13], [18, 23, 28]]
        assert int(index) == 3
        assert (
            beam_history is FRAME["beam_history"] and token_mask is FRAME["token_mask"]
        )
        return StepOutput(tf.ones([2, 3, 7], tf.bfloat16), cache, {})

    out = call_step(step, index=tf.constant(3), cache=[tf.zeros([5])], **FRAME)
    assert out.logits.dtype == tf.float32


def test_a_cache_must_keep_its_shape():
    def step(token_ids, index, beam_history, token_mask, cache):
        return StepOutput(tf.ones([2, 3, 7]), [tf.zeros([11])], {})

    with pytest.raises(tf.errors.InvalidArgumentError, match="\\[11\\].*\\[5\\]"):
        call_step(step, index=tf.constant(3), cache=[tf.zeros([5])], **FRAME)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_step_may_read_all_tokens_instead_of_a_cache(beams, compiled):
    toy = ToyStep(9)

    class Uncached:
        needs_tokens = True

        def __call__(
            self, token_ids, index, beam_history, token_mask, cache, *, tokens
        ):
            written = {
                "written": tf.transpose(tokens, [2, 0, 1]),
                "documents": tf.constant([3, 5]),
            }
            out = toy(token_ids, index, own, token_mask, written)
            return out._replace(cache=cache)

    own = tf.broadcast_to(tf.range(beams)[:, None], [2, beams, 9])
    options = GenerationOptions(max_length=9, eos_token_id=2, num_beams=beams)

    def run(step, cache):
        return generate(step, cache, options=options, prompt_ids=[[4, 5], [4, 7]])

    if compiled:
        run = tf.function(run)
    cached = run(toy, toy.new_cache([3, 5], beams)).sequences
    uncached = run(Uncached(), ()).sequences
    np.testing.assert_array_equal(uncached, cached)


def test_missing_attentions_are_named():
    options = GenerationOptions(
        max_length=5, return_dict_in_generate=True, output_attentions=True
    )
    step = ToyStep(5, extras=["cross_attentions"])
    with pytest.raises(
        ValueError, match=r"`decoder_attentions`.*\['cross_attentions'\]"
    ):
        generate(step, step.new_cache([3], 1), options=options, prompt_ids=[[4]])
