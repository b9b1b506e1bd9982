"""From decoded tensors of fixed shapes to what `generate` returns."""

import tensorflow as tf

from tf_led.generation.graph_mode import is_under_xla
from tf_led.generation.outputs import (
    GenerateBeamEncoderDecoderOutput,
    GenerateEncoderDecoderOutput,
)


def finalize(decoded, *, options, prompt_len, **fields):
    """Cuts decoded tensors to their true lengths and names them.

    Args:
        decoded: Decoded.
        options: GenerationOptions it was decoded with.
        prompt_len: int, P.
        **fields: further fields of the struct: `encoder_attentions`,
            `encoder_hidden_states`, `encoder_global_attentions`, `past_key_values`.

    Returns:
        GenerateBeamEncoderDecoderOutput with more than one beam, else
        GenerateEncoderDecoderOutput. Under XLA nothing is cut.
    """
    is_beam = options.num_beams > 1
    length, num_chosen = decoded.length, decoded.num_chosen
    if is_under_xla():
        length, num_chosen = options.max_length, options.max_length - prompt_len
    fields["sequences"] = decoded.sequences[:, :length]
    if is_beam:
        fields["beam_indices"] = decoded.origins[:, : length - prompt_len]
        if options.output_scores:
            fields["sequences_scores"] = decoded.scores
    fields |= _per_step(decoded.records, num_chosen, prompt_len)
    if not options.return_dict_in_generate:
        fields = {"sequences": fields["sequences"]}
    struct = (
        GenerateBeamEncoderDecoderOutput if is_beam else GenerateEncoderDecoderOutput
    )
    return struct(**fields)


def _per_step(records, num_chosen, prompt_len):
    fields = {}
    for name, entries in records.items():
        is_choice = name in ("scores", "logits")
        rows_axis = 1 if is_choice else 2
        entries = _merge_beams(entries, rows_axis)  # [..., B * K, ...]
        entries = entries[: num_chosen + (0 if is_choice else prompt_len - 1)]
        if tf.executing_eagerly():
            entries = (
                tuple(tf.unstack(entries))
                if is_choice
                else _per_layer(name, entries, prompt_len)
            )
        fields[name] = entries
    return fields


def _merge_beams(entries, axis):
    shape = tf.shape(entries)
    merged = tf.concat([shape[:axis], [-1], shape[axis + 2 :]], axis=0)
    return tf.reshape(entries, merged)


def _per_layer(name, entries, prompt_len):
    # [steps, L, rows, ..., 1, X] -> one tuple of L tensors for each token generated.
    prompt = tf.concat(tf.unstack(entries[:prompt_len]), axis=-2)  # [L, ..., P, X]
    steps = [prompt, *tf.unstack(entries[prompt_len:])]
    if name == "decoder_attentions":
        steps = [step[..., : prompt_len + extra] for extra, step in enumerate(steps)]
    return tuple(tuple(tf.unstack(step)) for step in steps)
