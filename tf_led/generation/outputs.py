"""What `generate` returns, and the step outputs that it is collected from."""

from typing import Any

import tensorflow as tf

from tf_led.generation.search.hypotheses import pick_beams
from tf_led.utils.output_struct import OutputStruct


def compute_transition_scores(
    sequences, scores, beam_indices=None, normalize_logits=False
):
    """Looks up, in the scores of every step, those of the tokens that were chosen.

    Args:
        sequences: int32[R, length], generated.
        scores: tuple of float32[X, V], one per step, or float32[steps, X, V].
        beam_indices: int32[R, steps], the row of `scores` that each token was chosen
            from, below 0 after the last; None where R = X and row r was always r.
        normalize_logits: whether to take the log-softmax of the scores first.

    Returns:
        float32[R, steps'], up to the last step that any sequence needed; 0 after the
        end of a sequence that has beam indices.

    Source: transformers 5.23, `compute_transition_scores`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.generation.outputs import compute_transition_scores
        >>> scores = (tf.constant([[-1.0, -2.0]]), tf.constant([[-3.0, -4.0]]))
        >>> compute_transition_scores([[0, 1, 0]], scores).numpy().tolist()
        [[-2.0, -3.0]]
    """
    sequences = tf.cast(sequences, tf.int32)
    stacked = tf.convert_to_tensor(scores)  # [steps, X, V]
    if normalize_logits:
        stacked = tf.nn.log_softmax(stacked)
    if beam_indices is None:
        rows = tf.range(tf.shape(stacked)[1])[:, None]
        beam_indices = tf.tile(rows, [1, tf.shape(stacked)[0]])
    beam_indices = tf.cast(beam_indices, tf.int32)
    is_chosen = beam_indices >= 0
    steps = tf.reduce_max(tf.reduce_sum(tf.cast(is_chosen, tf.int32), axis=1))
    beam_indices, is_chosen = beam_indices[:, :steps], is_chosen[:, :steps]
    chosen = sequences[:, tf.shape(sequences)[1] - steps :]
    step = tf.broadcast_to(tf.range(steps), tf.shape(chosen))
    where = tf.stack([step, tf.maximum(beam_indices, 0), chosen], axis=-1)
    return tf.where(is_chosen, tf.gather_nd(stacked, where), 0.0)


class GenerateEncoderDecoderOutput(OutputStruct):
    """Result of greedy search, sampling and contrastive search.

    R = B * `num_return_sequences`. Eagerly, what is there once per step is a tuple with
    one entry for every token generated; `length` in it grows by one per step and the
    first entry covers the decoder prompt. In a graph the steps are the first axis of
    one tensor, the layers (where there are any) the second, and `length` of attentions
    is T. Under XLA, where no shape can depend on a result, nothing is cut: sequences
    are padded to T, and entries of steps that were not taken mean nothing.

    Args:
        sequences: int32[R, length], prompt included, padded with the padding id.
        scores: per step float32[R, V], after the logits processors.
        logits: per step float32[R, V], as the model returned them.
        encoder_attentions: as the encoder returned them.
        encoder_hidden_states: as the encoder returned them.
        decoder_attentions: per step and layer float32[R, N, 1, length].
        cross_attentions: per step and layer float32[R, N, 1, S].
        decoder_hidden_states: per step and layer float32[R, 1, D].
        past_key_values: what the caller makes of the last cache, if anything.
        encoder_global_attentions: as the encoder returned them; PyTorch has none.

    Source: transformers 5.23, class of this name.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> output = model.generate(
        ...     [[0, 5, 2]], max_new_tokens=3, return_dict_in_generate=True
        ... )
        >>> type(output).__name__, output.sequences.shape[0]
        ('GenerateEncoderDecoderOutput', 1)
    """

    sequences: tf.Tensor
    scores: Any
    logits: Any
    encoder_attentions: Any
    encoder_hidden_states: Any
    decoder_attentions: Any
    cross_attentions: Any
    decoder_hidden_states: Any
    past_key_values: Any
    encoder_global_attentions: Any


class GenerateBeamEncoderDecoderOutput(OutputStruct):
    """Result of beam search, beam sampling and group beam search.

    As GenerateEncoderDecoderOutput, but what is there once per step has B * K rows, one
    for each beam at that step.

    Args:
        sequences: int32[R, length], best first, padded.
        sequences_scores: float32[R], final scores.
        scores: per step float32[B * K, V], log-probabilities after the logits
            processors.
        logits: per step float32[B * K, V], as the model returned them.
        beam_indices: int32[R, length - P], the row of `scores` from which each token
            was chosen; -1 after the last.
        encoder_attentions: as the encoder returned them.
        encoder_hidden_states: as the encoder returned them.
        decoder_attentions: per step and layer float32[B * K, N, 1, length].
        cross_attentions: per step and layer float32[B * K, N, 1, S].
        decoder_hidden_states: per step and layer float32[B * K, 1, D].
        past_key_values: what the caller makes of the last cache, if anything.
        encoder_global_attentions: as the encoder returned them; PyTorch has none.

    Source: transformers 5.23, class of this name.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> output = model.generate(
        ...     [[0, 5, 2]],
        ...     num_beams=3,
        ...     max_new_tokens=3,
        ...     output_scores=True,
        ...     return_dict_in_generate=True,
        ... )
        >>> output.sequences_scores.shape, output.scores[0].shape
        (TensorShape([1]), TensorShape([3, 29]))
    """

    sequences: tf.Tensor
    sequences_scores: tf.Tensor
    scores: Any
    logits: Any
    beam_indices: tf.Tensor
    encoder_attentions: Any
    encoder_hidden_states: Any
    decoder_attentions: Any
    cross_attentions: Any
    decoder_hidden_states: Any
    past_key_values: Any
    encoder_global_attentions: Any


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
