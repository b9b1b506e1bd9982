"""What is kept of every step besides the tokens: scores, logits, attentions."""

import tensorflow as tf

# The extras of a step that each `output_...` option keeps.
_EXTRAS = {
    "attentions": ("decoder_attentions", "cross_attentions"),
    "hidden_states": ("decoder_hidden_states",),
}


class Recorder:
    """Decides what to keep, and keeps it in arrays with one entry per step.

    Args:
        options: GenerationOptions; what `return_dict_in_generate` and `output_...` ask
            for is kept.
        prompt_len: int, P.
        length: int, T.
    """

    def __init__(self, options, *, prompt_len, length):
        self._chosen = [name for name in ("scores", "logits") if options.asks_for(name)]
        self._extras = [
            extra
            for option, extras in _EXTRAS.items()
            if options.asks_for(option)
            for extra in extras
        ]
        self._prompt_len = prompt_len
        self._length = length

    def start(self):
        """Makes the empty arrays.

        Returns:
            Dict of TensorArrays: T - P entries of "scores" and "logits", which begin
            with the step that reads the last token of the prompt, and T entries of each
            extra, one per position.
        """
        sizes = dict.fromkeys(self._chosen, self._length - self._prompt_len)
        sizes |= dict.fromkeys(self._extras, self._length)
        return {
            name: tf.TensorArray(tf.float32, size, clear_after_read=False)
            for name, size in sizes.items()
        }

    def write_choice(self, records, index, *, logits, scores):
        """Keeps what one token was chosen from.

        Args:
            records: dict of TensorArrays.
            index: int32[], the position that the step read.
            logits: float32[B, K, V], as the step returned them.
            scores: float32[B, K, V], after the processors.

        Returns:
            Dict of TensorArrays.
        """
        given = {"logits": logits, "scores": scores}
        entry = index - (self._prompt_len - 1)
        written = {
            name: records[name].write(entry, given[name]) for name in self._chosen
        }
        return {**records, **written}

    def write_extras(self, records, index, extras):
        """Keeps what a step returned besides the logits.

        Args:
            records: dict of TensorArrays.
            index: int32[], the position that the step read.
            extras: dict, see `StepOutput`.

        Returns:
            Dict of TensorArrays, whose entries are [L, B, K, ...].

        Raises:
            ValueError: if the step returned none of what is to be kept.
        """
        written = {}
        for name in self._extras:
            if name not in extras:
                raise ValueError(
                    f"`{name}` is asked for, but the step function returned only "
                    f"{sorted(extras)}. Make it return `{name}`."
                )
            layers = tf.cast(tf.stack(extras[name]), tf.float32)
            written[name] = records[name].write(index, layers)
        return {**records, **written}
