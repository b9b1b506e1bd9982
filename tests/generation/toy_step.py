"""A step function in TensorFlow whose logits depend on the whole history."""

import numpy as np
import tensorflow as tf

from tf_led.generation.decode import decode, finalize
from tf_led.generation.loop import StepOutput
from tf_led.generation.search.greedy_and_sampling import make_seed

VOCAB, HIDDEN, LAYERS, HEADS, SOURCE = 23, 5, 2, 3, 7
_TABLE_LEN = 389


class ToyStep:
    """Looks logits up by a hash of the document and of the hypothesis so far.

    The cache holds the tokens as they were written, int32[T, B, K], and one number per
    document. A wrong beam history, index or mask gives another hash and other logits.
    """

    def __init__(self, length, *, eos_bias=0.0, extras=(), seed=0):
        rng = np.random.default_rng(seed)
        self.length, self.extras = length, extras
        self.factors = tf.constant(rng.integers(1, 997, length), tf.int32)
        table = 3 * rng.standard_normal([_TABLE_LEN, VOCAB])
        table[:, 2] += eos_bias
        self.table = tf.constant(table, tf.float32)
        hidden = rng.standard_normal([_TABLE_LEN, HIDDEN])
        self.hidden = tf.constant(hidden, tf.float32)

    def new_cache(self, documents, width):
        written = tf.zeros([self.length, tf.shape(documents)[0], width], tf.int32)
        return {"written": written, "documents": tf.cast(documents, tf.int32)}

    def __call__(self, token_ids, index, beam_history, token_mask, cache):
        written = tf.tensor_scatter_nd_update(
            cache["written"], [[index]], token_ids[None]
        )
        beam_index = tf.transpose(beam_history, [2, 0, 1])  # [T, B, K]
        history = tf.gather(written, beam_index, axis=2, batch_dims=2)
        history = tf.transpose(history, [1, 2, 0])  # [B, K, T]
        is_seen = (tf.range(self.length) <= index) & token_mask[:, None]
        terms = tf.where(is_seen, (history + 1) * self.factors, 0)
        key = tf.reduce_sum(terms, -1) + 31 * cache["documents"][:, None] + 7 * index
        key %= _TABLE_LEN
        cache = {"written": written, "documents": cache["documents"]}
        return StepOutput(tf.gather(self.table, key), cache, self._extras(key, index))

    def _extras(self, key, index):
        value = tf.cast(key, tf.float32)[..., None, None, None]  # [B, K, 1, 1, 1]
        layers = [value + layer for layer in range(LAYERS)]
        is_read = tf.cast(tf.range(self.length) <= index, tf.float32)
        made = {
            "decoder_attentions": [
                layer * tf.ones([HEADS, 1, 1]) * is_read for layer in layers
            ],
            "cross_attentions": [
                layer * tf.ones([HEADS, 1, SOURCE]) for layer in layers
            ],
            "decoder_hidden_states": [tf.gather(self.hidden, key)[:, :, None]] * 3,
        }
        return {name: tuple(made[name]) for name in self.extras}


def generate(step, cache, *, options, prompt_ids, seed=None, **kwargs):
    """Decodes and cuts to length, as a model's `generate` does after its checks."""
    prompt_ids = tf.cast(prompt_ids, tf.int32)
    seed = make_seed(seed) if options.do_sample else None
    decoded = decode(
        step, cache, options=options, prompt_ids=prompt_ids, seed=seed, **kwargs
    )
    return finalize(decoded, options=options, prompt_len=prompt_ids.shape[1])
