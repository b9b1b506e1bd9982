"""What is kept of every step besides the tokens: scores, logits, attentions."""

import tensorflow as tf

from tf_led.generation.ancestry import pick_slots

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
        search: Search.
        prompt_len: int, P.
        length: int, T.
    """

    def __init__(self, options, search, *, prompt_len, length):
        self.length = length
        self._prompt_len = prompt_len
        self._num_recorded = search.num_recorded
        self._num_moves = length - prompt_len + search.extra_reads
        self._choices = [
            name for name in ("scores", "logits") if options.asks_for(name)
        ]
        self._extras = [
            extra
            for option, extras in _EXTRAS.items()
            if options.asks_for(option)
            for extra in extras
        ]

    def start(self):
        """Makes the empty arrays.

        Returns:
            Dict of TensorArrays: of "scores" and "logits" one entry for each step from
            that which reads the last token of the prompt, of each extra one entry for
            each position.
        """
        sizes = dict.fromkeys(self._choices, self._num_moves)
        sizes |= dict.fromkeys(self._extras, self._num_moves + self._prompt_len - 1)
        return {
            name: tf.TensorArray(tf.float32, size, clear_after_read=False)
            for name, size in sizes.items()
        }

    def write_move(self, records, index, out, move):
        """Keeps a step that chose tokens.

        Args:
            records: dict of TensorArrays.
            index: int32[], the position that the step read.
            out: StepOutput.
            move: Move.

        Returns:
            Dict of TensorArrays.
        """
        given = {"scores": move.scores, "logits": out.logits}
        if move.slots is not None:
            given["logits"] = pick_slots(out.logits, move.slots)
        entry = index - (self._prompt_len - 1)
        written = {
            name: records[name].write(entry, given[name]) for name in self._choices
        }
        for name in self._extras:
            layers = _layers(out.extras, name)
            if move.slots is not None:
                layers = [pick_slots(layer, move.slots) for layer in layers]
            written[name] = records[name].write(index, _stack(layers))
        return {**records, **written}

    def write_prompt(self, records, index, extras):
        """Keeps a step that only read a token of the prompt.

        Args:
            records: dict of TensorArrays.
            index: int32[], the position that the step read.
            extras: dict, see `StepOutput`.

        Returns:
            Dict of TensorArrays, whose entries are [L, B, M, ...].
        """
        written = {}
        for name in self._extras:
            # All slots still hold the same.
            layers = [layer[:, : self._num_recorded] for layer in _layers(extras, name)]
            written[name] = records[name].write(index, _stack(layers))
        return {**records, **written}


def _layers(extras, name):
    if name not in extras:
        raise ValueError(
            f"`{name}` is asked for, but the step function returned only "
            f"{sorted(extras)}. Make it return `{name}`."
        )
    return extras[name]


def _stack(layers):
    return tf.cast(tf.stack(layers), tf.float32)  # [L, B, M, ...]
