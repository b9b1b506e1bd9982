"""The decoder as the step function of the decoding loop."""

import functools

import tensorflow as tf

from tf_led.generation.loop import StepOutput
from tf_led.layers import sublayers
from tf_led.layers.decoder_attention import KeyValue
from tf_led.models.generation.layer_steps import LayerStep, make_layer_step
from tf_led.ops.control_flow import in_xla, on_host
from tf_led.ops.layer_norm import few_kernels_norm
from tf_led.ops.masks import causal_mask
from tf_led.ops.tensor_utils import write_rows

# Positions that a cache starts with; it doubles when they are full, so that a step
# reads at most twice what has been written.
FIRST_POSITIONS = 64


class DecodeStep:
    """Reads tokens of every hypothesis: see `tf_led.generation.loop.StepOutput`.

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
        dtype: string, of the decoder's weights and of all that it computes; None for
            its compute dtype.
        few_kernels: bool, whether to spare kernel launches, as a GPU needs it.
    """

    reads_several = True

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
        dtype=None,
        few_kernels=False,
    ):
        self.decoder = decoder
        self.score_tokens = score_tokens
        self.dtype = dtype or decoder.compute_dtype
        self.batch_size = tf.shape(encoder_hidden)[0]
        document = (tf.cast(encoder_hidden, decoder.compute_dtype), document_mask)
        if head_mask is None and cross_head_mask is None:
            self.layers = [
                make_layer_step(
                    layer, *document, dtype=self.dtype, few_kernels=few_kernels
                )
                for layer in decoder.layers
            ]
        else:
            masks = (
                _per_layer(mask, decoder.num_layers)
                for mask in (head_mask, cross_head_mask)
            )
            self.layers = [
                LayerStep(layer, *document, *layer_masks)
                for layer, *layer_masks in zip(decoder.layers, *masks, strict=True)
            ]
        self.keep_attentions = keep_attentions
        self.keep_hidden = keep_hidden
        self.few_kernels = few_kernels and not in_xla()
        self.units = None

    def make_cache(self, width, length, prompt_len=1):
        """An empty self-attention cache.

        Args:
            width: int, K hypotheses of a document.
            length: int, T, the most positions that may be needed.
            prompt_len: int, the positions that the decoder prompt takes.

        Returns:
            List with a `KeyValue` of [B, N, T', K, H] per layer; T' is T under XLA,
            whose shapes are fixed, elsewhere no more than it takes to begin with.
        """
        num_rows = self.batch_size * width
        self.units = tf.ones([num_rows]), tf.zeros([num_rows])
        for layer in self.layers:
            layer.prepare_rows(num_rows, width)
        attention = self.decoder.layers[0].self_attn
        first = length if in_xla() else FIRST_POSITIONS + prompt_len
        shape = [attention.num_heads, min(first, length), width, attention.head_dim]
        zeros = tf.zeros([self.batch_size, *shape], self.dtype)
        zeros = tf.ensure_shape(zeros, [None, *shape])
        if first < length:
            zeros = tf.raw_ops.PlaceholderWithDefault(
                input=zeros, shape=_any_length(zeros.shape)
            )
        return [KeyValue(zeros, zeros) for _ in self.decoder.layers]

    def cache_length(self, cache):
        """The positions T' of a cache: int, or int32[] where it is dynamic."""
        return cache[0].key.shape[2] or tf.shape(cache[0].key)[2]

    def grow(self, cache, length):
        """Pads a cache to `length` positions, int32[]."""
        more = length - self.cache_length(cache)
        pads = [[0, 0], [0, 0], [0, more], [0, 0], [0, 0]]

        def pad(part):
            return tf.ensure_shape(tf.pad(part, pads), _any_length(part.shape))

        return [KeyValue(*map(pad, layer)) for layer in cache]

    def __call__(self, token_ids, index, beam_history, token_mask, cache):
        """Reads the tokens from `index` on; see `StepOutput`."""
        width = token_ids.shape[1]
        num_read = 1 if token_ids.shape.rank == 2 else token_ids.shape[2]
        position = index + tf.range(num_read)  # [M]
        hidden = self._embed(tf.reshape(token_ids, [-1, width * num_read]), position)
        cache_length = self.cache_length(cache)
        with on_host():
            attention_mask = _history_mask(
                position,
                beam_history[:, :, :cache_length],
                token_mask[:, :cache_length],
            )
        new_cache = []

        def extend(number, new):
            added = (
                _positions_first(tf.cast(part, self.dtype), width, num_read)
                for part in new
            )
            keys = KeyValue(
                *(
                    write_rows(part, rows, index, axis=2)
                    for part, rows in zip(cache[number], added, strict=True)
                )
            )
            new_cache.append(keys)
            return KeyValue(*map(_join_beams, keys))

        states, outputs = self._run(hidden, extend, attention_mask)
        if self.keep_attentions:
            outputs = [
                _sum_beams(output, (cache_length, width), axis=4) for output in outputs
            ]
        logits = self.score_tokens(states[-1])
        if token_ids.shape.rank == 3:
            logits = tf.reshape(logits, [-1, width, num_read, logits.shape[-1]])
        extras = self._extras(states, outputs, width, beam_history.shape[2])
        return StepOutput(logits, new_cache, extras)

    def _embed(self, token_ids, position):
        """Embeds int32[B, K * M] at int32[M]: float[B, K * M, D]."""
        last = self.decoder.config.max_decoder_position_embeddings - 1
        num_read = position.shape[0]
        width = token_ids.shape[1] // num_read
        # Drafts may reach beyond the last position; what is read there is never used.
        with on_host():
            position = tf.tile(tf.minimum(position, last), [width])
        decoder = self.decoder
        if not self.few_kernels:
            return decoder.embed_token(token_ids, position)
        embeds = _look_up(decoder.embed_tokens, token_ids)
        embeds += _look_up(decoder.embed_positions, position)
        norm = decoder.layernorm_embedding
        rows = few_kernels_norm(
            tf.reshape(embeds, [-1, embeds.shape[2]]),
            norm.gamma,
            norm.beta,
            sublayers.LAYER_NORM_EPSILON,
            self.units if num_read == 1 else None,
        )
        return tf.reshape(rows, [-1, *embeds.shape[1:]])

    def _run(self, hidden, extend, attention_mask):
        """States float[B, X, D] before and after each layer, and their outputs.

        `extend` takes a layer's number and the `KeyValue` of what is read, and returns
        that of all that may be attended to.
        """
        states, outputs = [tf.cast(hidden, self.dtype)], []
        for number, layer in enumerate(self.layers):
            own = functools.partial(extend, number)
            outputs.append(layer(states[-1], own, attention_mask))
            states.append(outputs[-1].hidden)
        return states, outputs

    def _extras(self, states, outputs, width, length):
        extras = {}
        if self.keep_attentions:
            own = [_beams_first(output.self_probs, width) for output in outputs]
            extras["decoder_attentions"] = tuple(
                _pad_last(part, length) for part in own
            )
            extras["cross_attentions"] = tuple(
                _beams_first(output.cross_probs, width) for output in outputs
            )
        if self.keep_hidden:
            split = [-1, width, states[0].shape[1] // width, states[0].shape[2]]
            extras["decoder_hidden_states"] = tuple(
                tf.reshape(state, split) for state in states
            )
        return extras


class UncachedStep(DecodeStep):
    """The same, reading the whole sequence again at every step (`use_cache=False`)."""

    needs_tokens = True
    reads_several = False
    grow = None

    def make_cache(self, width, length, prompt_len=1):
        """No cache: an empty list."""
        return []

    def __call__(self, token_ids, index, beam_history, token_mask, cache, *, tokens):
        """Reads all tokens and returns the scores after the one at `index`."""
        width, length = tokens.shape[1], tokens.shape[2]
        embeds = self.decoder.embed_tokens(tf.reshape(tokens, [-1, width * length]))
        positions = self.decoder.embed_positions(tf.range(length))
        hidden = embeds + tf.tile(positions, [width, 1])
        hidden = self.decoder.layernorm_embedding(hidden)  # [B, K * T, D]
        attention_mask = _sequences_mask(token_mask, width, length)
        states, outputs = self._run(hidden, lambda number, new: new, attention_mask)

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
        outputs = [_sum_beams(output, (width, length), axis=3) for output in outputs]
        extras = self._extras(states, outputs, width, length)
        return StepOutput(self.score_tokens(states[-1]), cache, extras)


def _per_layer(mask, num_layers):
    return [None] * num_layers if mask is None else tf.unstack(mask, num_layers)


def _look_up(embedding, ids):
    """Rows of a table, without what Keras does for ids below 0."""
    if embedding.quantization_mode is not None:
        return embedding(ids)
    rows = tf.gather(tf.convert_to_tensor(embedding.embeddings), ids)
    return tf.cast(rows, embedding.compute_dtype)


def _any_length(shape):
    """The shape of a cache whose length is open: loops let it grow."""
    return [None, shape[1], None, *shape[3:]]


def _positions_first(new, width, num_read):
    """[B, N, K * M, H] -> [B, N, M, K, H]."""
    _, num_heads, _, head_dim = new.shape
    if width == 1:
        return tf.reshape(new, [-1, num_heads, num_read, 1, head_dim])
    if num_read == 1:
        return tf.expand_dims(new, 2)
    new = tf.reshape(new, [-1, num_heads, width, num_read, head_dim])
    return tf.transpose(new, [0, 1, 3, 2, 4])


def _join_beams(cache):
    """[B, N, T', K, H] -> [B, N, T' * K, H], without moving anything."""
    _, num_heads, length, width, head_dim = cache.shape
    joined = -1 if length is None else length * width
    batch_size = tf.shape(cache)[0] if length is None else -1
    return tf.reshape(cache, [batch_size, num_heads, joined, head_dim])


def _history_mask(position, beam_history, token_mask):
    """What each hypothesis may attend to in a cache that is never reordered.

    Args:
        position: int32[M], of the tokens that are read.
        beam_history: int32[B, K, T'], the beam that wrote each of its tokens.
        token_mask: bool[B, T'].

    Returns:
        bool[B, 1, K * M, T' * K].
    """
    width, num_read = beam_history.shape[1], position.shape[0]
    length = tf.shape(beam_history)[2]
    written = tf.range(length) <= position[:, None]  # [M, T']
    written &= token_mask[:, None]  # [B, M, T']
    # What is read now, its beam writes itself.
    own = beam_history[..., None] == tf.range(width)  # [B, K, T', K]
    attention_mask = own[:, :, None] & written[:, None, :, :, None]  # [B, K, M, T', K]
    shape = [-1, 1, width * num_read, length * width]
    return tf.reshape(attention_mask, shape)


def _sequences_mask(token_mask, width, length):
    """The causal mask of K sequences side by side: bool[B, 1, K * T, K * T]."""
    same = tf.eye(width, dtype=tf.bool)[:, None, :, None]
    causal = causal_mask(length, length)[None, :, None, :]
    attention_mask = (same & causal) & token_mask[:, None, None, None, :]
    return tf.reshape(attention_mask, [-1, 1, width * length, width * length])


def _sum_beams(output, split, axis):
    """Sums probabilities over beams, of which each token has one: [B, N, K * M, T]."""
    _, num_heads, num_rows, _ = output.self_probs.shape
    probs = tf.reshape(output.self_probs, [-1, num_heads, num_rows, *split])
    return output._replace(self_probs=tf.reduce_sum(probs, axis=axis))


def _beams_first(probs, width):
    """[B, N, K * M, S] -> [B, K, N, M, S]."""
    num_heads, num_read = probs.shape[1], probs.shape[2] // width
    split = [tf.shape(probs)[0], num_heads, width, num_read, tf.shape(probs)[3]]
    return tf.transpose(tf.reshape(probs, split), [0, 2, 1, 3, 4])


def _pad_last(probs, length):
    """Pads the last axis to `length` with zeros: nobody attends there."""
    more = length - tf.shape(probs)[-1]
    padded = tf.pad(probs, [[0, 0]] * 4 + [[0, more]])
    return tf.ensure_shape(padded, [*probs.shape[:-1], length])
