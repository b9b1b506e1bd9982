"""A step function that calls the model itself, for subclasses with their own `call`."""

import inspect

import tensorflow as tf

from tf_led.generation.loop import StepOutput
from tf_led.models.outputs import TFLEDEncoderBaseModelOutput


def has_own_call(cls):
    """Tells whether a user's subclass overrides the `call` of our model class."""
    return not cls.call.__module__.startswith("tf_led.")


def own_keywords(cls):
    """Lists the arguments that a subclass's `call` takes beyond those of ours.

    Args:
        cls: the model class.

    Returns:
        set of str; empty where `call` is ours.
    """
    ours = next(
        vars(base)["call"]
        for base in cls.__mro__
        if "call" in vars(base) and base.__module__.startswith("tf_led.")
    )
    names, known = (
        set(inspect.signature(call).parameters) for call in (cls.call, ours)
    )
    return names - known - {"args", "kwargs"}


class ModelCallStep:
    """Reads the whole sequence by a call of the model; see `StepOutput`.

    What a subclass changes in `call` then counts for every token. It takes time that
    grows with the square of the length: there is no cache.

    Args:
        model: the model.
        encoder_hidden: float[B, S, D].
        inputs: GenerationInputs with `attention_mask` int32[B, S] and head masks.
        options: GenerationOptions.
        keywords: dict of arguments of the subclass's own; tensors of rank 1 or more
            have one row for each document, which its hypotheses share.
    """

    needs_tokens = True

    def __init__(self, model, encoder_hidden, inputs, *, options, keywords):
        self._model, self._width = model, options.width
        self._limit = model.config.max_decoder_position_embeddings
        self._keep = {
            f"output_{name}": options.needs_from_step(name)
            for name in ("attentions", "hidden_states")
        }
        self._arguments = {
            "encoder_outputs": TFLEDEncoderBaseModelOutput(
                last_hidden_state=self._repeat(encoder_hidden)
            ),
            "attention_mask": self._repeat(inputs.attention_mask),
            "decoder_head_mask": inputs.decoder_head_mask,
            "cross_attn_head_mask": inputs.cross_attn_head_mask,
            **{name: self._repeat(value) for name, value in keywords.items()},
        }

    def make_cache(self, width, length, prompt_len=1):
        """No cache: an empty list."""
        return []

    def __call__(self, token_ids, index, beam_history, token_mask, cache, *, tokens):
        """Reads all tokens and returns the scores after the one at `index`."""
        length = tokens.shape[2]
        # The last token is never read, and may have no position.
        num_read = min(length, self._limit)
        mask = tf.cast(token_mask[:, :num_read], tf.int32)
        # Not by `__call__`: Keras takes no tensors beside bools where `call` has
        # `**kwargs`.
        output = self._model.call(
            None,  # no `input_ids`: the document is encoded already
            **self._arguments,
            decoder_input_ids=tf.reshape(tokens[:, :, :num_read], [-1, num_read]),
            decoder_attention_mask=self._repeat(mask),
            use_cache=False,
            return_dict=True,
            training=False,
            **self._keep,
        )
        logits = self._split(tf.gather(output.logits, index, axis=1))
        return StepOutput(logits, cache, self._extras(output, index, length))

    def _extras(self, output, index, length):
        extras = {}
        if self._keep["output_attentions"]:
            more = [[0, 0], [0, 0], [0, 0], [0, length - min(length, self._limit)]]
            own = [tf.pad(layer, more) for layer in output.decoder_attentions]
            extras["decoder_attentions"] = own
            extras["cross_attentions"] = output.cross_attentions
        if self._keep["output_hidden_states"]:
            extras["decoder_hidden_states"] = output.decoder_hidden_states
        return {
            name: tuple(
                self._split(tf.gather(layer, [index], axis=-2)) for layer in layers
            )
            for name, layers in extras.items()
        }

    def _repeat(self, value):
        """Gives each hypothesis the row of its document; leaves what has no rows."""
        if self._width == 1 or not getattr(value, "shape", ()):
            return value
        return tf.repeat(value, self._width, axis=0)

    def _split(self, rows):
        """[B * K, ...] -> [B, K, ...]."""
        shape = tf.concat([[-1, self._width], tf.shape(rows)[1:]], axis=0)
        split = tf.reshape(rows, shape)
        return tf.ensure_shape(split, [None, self._width, *rows.shape[1:]])
