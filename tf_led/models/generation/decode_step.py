"""The decoder as the step function that generation asks for."""

import tensorflow as tf

from tf_led.generation.loop import StepOutput
from tf_led.layers.decoder_attention import KeyValue
from tf_led.ops.masks import causal_mask


class DecodeStep:
    """Reads one token of every hypothesis: see `tf_led.generation.loop.StepOutput`.

    The document's keys are made once, here, and shared by its hypotheses.

    Args:
        decoder: `TFLEDDecoder`.
        score_tokens: function from hidden states float[B, K, D] to logits.
        encoder_hidden: float[B, S, D].
        document_mask: bool[B, S], True for tokens that may be attended to.
        head_mask: float[L, N] or None, for self-attention.
        cross_head_mask: float[L, N] or None, for cross-attention.
        keep_attentions: bool, whether each step returns its attention.
        keep_hidden: bool, whether each step returns its hidden states.
    """

    def __init__(
        self,
        decoder,
        score_tokens,
        encoder_hidden,
        document_mask,
        *,
        head_mask=None,
        cross_head_mask=None,
        keep_attentions=False,
        keep_hidden=False,
    ):
        self.decoder = decoder
        self.score_tokens = score_tokens
        self.batch_size = tf.shape(encoder_hidden)[0]
        self.cross_keys = [
            layer.encoder_attn.project(encoder_hidden) for layer in decoder.layers
        ]
        self.cross_attention_mask = document_mask[:, None, None, :]
        self.head_masks = _per_layer(head_mask, decoder.num_layers)
        self.cross_head_masks = _per_layer(cross_head_mask, decoder.num_layers)
        self.keep_attentions = keep_attentions
        self.keep_hidden = keep_hidden

    def make_cache(self, width, length):
        """An empty self-attention cache for K = width hypotheses of T = length tokens.

        Returns:
            List with a `KeyValue` of float[B, N, T, K, H] per layer.
        """
        attention = self.decoder.layers[0].self_attn
        num_heads, head_dim = attention.num_heads, attention.head_dim
        shape = [self.batch_size, num_heads, length, width, head_dim]
        zeros = tf.zeros(shape, self.decoder.compute_dtype)
        zeros = tf.ensure_shape(zeros, [None, *shape[1:]])
        return [KeyValue(zeros, zeros) for _ in self.decoder.layers]

    def __call__(self, token_ids, index, ancestors, token_mask, cache):
        """Reads the tokens at `index`; see `StepOutput`."""
        hidden = self.decoder.embed_token(token_ids, index)
        visible = _visible_ancestors(index, ancestors, token_mask)
        new_cache, outputs = [], []

        def attend(layer, hidden, number):
            keys = layer.write_keys(hidden, cache[number], index)
            new_cache.append(keys)
            return KeyValue(*map(_join_slots, keys)), visible

        states = self._run(hidden, attend, outputs)
        _, width, length = ancestors.shape
        outputs = [_sum_slots(output, (length, width), axis=4) for output in outputs]
        extras = self._extras(states, outputs)
        return StepOutput(self.score_tokens(states[-1]), new_cache, extras)

    def _run(self, hidden, attend, outputs):
        states = [hidden]
        for number, layer in enumerate(self.decoder.layers):
            keys, visible = attend(layer, hidden, number)
            output = layer(
                hidden,
                keys,
                visible,
                cross_keys=self.cross_keys[number],
                cross_attention_mask=self.cross_attention_mask,
                head_mask=self.head_masks[number],
                cross_head_mask=self.cross_head_masks[number],
            )
            hidden = output.hidden
            outputs.append(output)
            states.append(hidden)
        return states

    def _extras(self, states, outputs):
        extras = {}
        if self.keep_attentions:
            extras["decoder_attentions"] = tuple(
                _beams_first(output.self_probs) for output in outputs
            )
            extras["cross_attentions"] = tuple(
                _beams_first(output.cross_probs) for output in outputs
            )
        if self.keep_hidden:
            extras["decoder_hidden_states"] = tuple(
                state[:, :, None, :] for state in states
            )
        return extras


class UncachedStep(DecodeStep):
    """The same, reading the whole sequence again at every step (`use_cache=False`)."""

    needs_tokens = True

    def make_cache(self, width, length):
        """No cache: an empty list."""
        return []

    def __call__(self, token_ids, index, ancestors, token_mask, cache, *, tokens):
        """Reads all tokens and returns the scores after the one at `index`."""
        width, length = tokens.shape[1], tokens.shape[2]
        embeds = self.decoder.embed_tokens(tf.reshape(tokens, [-1, width * length]))
        positions = self.decoder.embed_positions(tf.range(length))
        hidden = embeds + tf.tile(positions, [width, 1])
        hidden = self.decoder.layernorm_embedding(hidden)  # [B, K * T, D]
        visible = _visible_sequences(token_mask, width, length)
        outputs = []
        states = self._run(
            hidden,
            lambda layer, hidden, number: (layer.extend_keys(hidden, None), visible),
            outputs,
        )

        def at_index(tensor, axis):
            split = [*tensor.shape[:axis], width, length, *tensor.shape[axis + 1 :]]
            split[0] = -1
            return tf.gather(tf.reshape(tensor, split), index, axis=axis + 1)

        states = [at_index(state, 1) for state in states]
        outputs = [
            output._replace(
                self_probs=at_index(output.self_probs, 2),
                cross_probs=at_index(output.cross_probs, 2),
            )
            for output in outputs
        ]
        outputs = [_sum_slots(output, (width, length), axis=3) for output in outputs]
        extras = self._extras(states, outputs)
        return StepOutput(self.score_tokens(states[-1]), cache, extras)


def _per_layer(mask, num_layers):
    return [None] * num_layers if mask is None else tf.unstack(mask, num_layers)


def _join_slots(cache):
    """[B, N, T, K, H] -> [B, N, T * K, H], without moving anything."""
    _, num_heads, length, width, head_dim = cache.shape
    return tf.reshape(cache, [-1, num_heads, length * width, head_dim])


def _visible_ancestors(index, ancestors, token_mask):
    """What each hypothesis sees in a cache that is never reordered.

    Args:
        index: int32[].
        ancestors: int32[B, K, T], the slot that wrote each of its tokens.
        token_mask: bool[B, T].

    Returns:
        bool[B, 1, K, T * K].
    """
    _, width, length = ancestors.shape
    written = token_mask & (tf.range(length) <= index)
    own = ancestors[..., None] == tf.range(width)  # [B, K, T, K]
    visible = own & written[:, None, :, None]
    return tf.reshape(visible, [-1, 1, width, length * width])


def _visible_sequences(token_mask, width, length):
    """Causal visibility among K sequences side by side: bool[B, 1, K * T, K * T]."""
    same = tf.eye(width, dtype=tf.bool)[:, None, :, None]
    causal = causal_mask(length, length)[None, :, None, :]
    visible = (same & causal) & token_mask[:, None, None, None, :]
    return tf.reshape(visible, [-1, 1, width * length, width * length])


def _sum_slots(output, split, axis):
    """Sums a map over slots, [B, N, K, T * K] -> [B, N, K, T]: a token has only one."""
    _, num_heads, width, _ = output.self_probs.shape
    probs = tf.reshape(output.self_probs, [-1, num_heads, width, *split])
    return output._replace(self_probs=tf.reduce_sum(probs, axis=axis))


def _beams_first(probs):
    """[B, N, K, S] -> [B, K, N, 1, S]."""
    return tf.transpose(probs, [0, 2, 1, 3])[:, :, :, None, :]
