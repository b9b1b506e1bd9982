"""What `output_scores` and its like collect of every step."""

import tensorflow as tf

from tf_led.generation.search.beam_cache import pick_beams

# The extras of a step that each `output_...` option keeps.
_EXTRAS = {
    "attentions": ("decoder_attentions", "cross_attentions"),
    "hidden_states": ("decoder_hidden_states",),
}


class OutputCollector:
    """Collects the step outputs that the options request, one array entry per step.

    Args:
        options: GenerationOptions; `return_dict_in_generate` and `output_...` say what
            is collected.
        search: Search.
        prompt_len: int, P.
        length: int, T.
    """

    def __init__(self, options, search, *, prompt_len, length):
        self.length = length
        self._prompt_len = prompt_len
        self._num_kept = search.num_kept
        self._num_steps = length - prompt_len + search.extra_reads
        self._choices = [
            name for name in ("scores", "logits") if options.is_requested(name)
        ]
        self._extras = [
            extra
            for option, extras in _EXTRAS.items()
            if options.is_requested(option)
            for extra in extras
        ]

    def start(self):
        """Makes the empty arrays.

        Returns:
            Dict of TensorArrays: of "scores" and "logits" one entry for each step from
            that which reads the last token of the prompt, of each extra one entry for
            each position.
        """
        sizes = dict.fromkeys(self._choices, self._num_steps)
        sizes |= dict.fromkeys(self._extras, self._num_steps + self._prompt_len - 1)
        return {
            name: tf.TensorArray(tf.float32, size, clear_after_read=False)
            for name, size in sizes.items()
        }

    def write_step(self, step_outputs, index, out, result):
        """Writes the outputs of a step that chose tokens.

        Args:
            step_outputs: dict of TensorArrays.
            index: int32[], the position that the step read.
            out: StepOutput of the step function.
            result: StepResult of the search.

        Returns:
            Dict of TensorArrays.
        """
        given = {"scores": result.scores, "logits": out.logits}
        if result.beam_index is not None:
            given["logits"] = pick_beams(out.logits, result.beam_index)
        entry = index - (self._prompt_len - 1)
        written = {
            name: step_outputs[name].write(entry, given[name]) for name in self._choices
        }
        for name in self._extras:
            layers = _layers(out.extras, name)
            if result.beam_index is not None:
                layers = [pick_beams(layer, result.beam_index) for layer in layers]
            written[name] = step_outputs[name].write(index, _stack(layers))
        return {**step_outputs, **written}

    def write_prompt(self, step_outputs, index, extras):
        """Writes the outputs of a step that only read a token of the prompt.

        Args:
            step_outputs: dict of TensorArrays.
            index: int32[], the position that the step read.
            extras: dict, see `StepOutput`.

        Returns:
            Dict of TensorArrays, whose entries are [L, B, M, ...].
        """
        written = {}
        for name in self._extras:
            # All beams still hold the same.
            layers = [layer[:, : self._num_kept] for layer in _layers(extras, name)]
            written[name] = step_outputs[name].write(index, _stack(layers))
        return {**step_outputs, **written}


def _layers(extras, name):
    if name not in extras:
        raise ValueError(
            f"`{name}` is requested, but the step function returned only "
            f"{sorted(extras)}. Make it return `{name}`."
        )
    return extras[name]


def _stack(layers):
    return tf.cast(tf.stack(layers), tf.float32)  # [L, B, M, ...]
