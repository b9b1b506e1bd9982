"""From a step function to sequences, in tensors of fixed shapes."""

import tensorflow as tf

from tf_led.generation.loop import DecodingLoop
from tf_led.generation.outputs import (
    GenerateBeamEncoderDecoderOutput,
    GenerateEncoderDecoderOutput,
    OutputCollector,
)
from tf_led.generation.python_hooks import check_streamer, stream_to
from tf_led.generation.search.beam_search import BeamSearch
from tf_led.generation.search.contrastive_search import ContrastiveSearch
from tf_led.generation.search.greedy_and_sampling import GreedySearch, Sampling
from tf_led.generation.search.group_beam_search import GroupBeamSearch
from tf_led.generation.stopping import build_stops
from tf_led.ops.control_flow import in_xla


def decode(
    step,
    cache,
    *,
    options,
    prompt_ids,
    prompt_mask=None,
    processors=(),
    drafts=None,
    stopping_criteria=(),
    tokenizer=None,
    streamer=None,
    seed=None,
):
    """Generates sequences, in tensors whose shapes do not depend on the results.

    The same code runs eagerly, in `tf.function`, with `jit_compile=True` and in a
    SavedModel. `finalize` cuts the results to their true lengths.

    Args:
        step: the step function, see `StepOutput`.
        cache: nest of tensors of fixed shapes for B documents, K = `options.width`
            hypotheses each and T = `options.buffer_length` positions, or fewer where
            the step function can make it grow.
        options: GenerationOptions.
        prompt_ids: int32[B, P] with static P, the decoder prompt.
        prompt_mask: bool[B, P], True for tokens that may be attended to; None for all.
        processors: list of logits processors, see `apply_processors`.
        drafts: None, or a PromptLookup or AssistantDrafts, for greedy search and
            sampling.
        stopping_criteria: callables, see `PythonStops`; eagerly only.
        tokenizer: needed for `stop_strings`; eagerly only.
        streamer: see `stream_to`; eagerly only.
        seed: int32[2] of `make_seed`; needed for sampling only.

    Returns:
        SearchResult with its `step_outputs`.

    Raises:
        TypeError: on a streamer or criteria that cannot be called.
        ValueError: on a streamer with beams; on `stop_strings` without a tokenizer.
    """
    check_streamer(streamer, options)
    prompt_ids = tf.cast(prompt_ids, tf.int32)
    if prompt_mask is None:
        prompt_mask = tf.ones_like(prompt_ids, tf.bool)
    frame = {"prompt_len": prompt_ids.shape[1], "length": options.buffer_length}
    search = _make_search(
        options,
        prompt_mask=prompt_mask,
        processors=processors,
        stops=build_stops(options, criteria=stopping_criteria, tokenizer=tokenizer),
        seed=seed,
        **frame,
    )
    with stream_to(streamer, prompt_ids, search.width) as on_token:
        loop = DecodingLoop(
            step,
            search,
            prompt_mask=prompt_mask,
            collector=OutputCollector(options, search, **frame),
            drafts=drafts,
            on_token=on_token,
        )
        state = loop.run(cache, prompt_ids)
    step_outputs = {name: array.stack() for name, array in state.step_outputs.items()}
    return search.finish(state)._replace(step_outputs=step_outputs)


def _make_search(options, *, prompt_mask, prompt_len, length, processors, stops, seed):
    shared = {"prompt_len": prompt_len, "length": length}
    shared |= {"processors": processors, "stops": stops}
    if options.mode == "greedy":
        return GreedySearch(options, **shared)
    if options.mode == "sample":
        return Sampling(options, seed=seed, **shared)
    if options.mode == "beam_search":
        return BeamSearch(options, **shared)
    if options.mode == "beam_sample":
        return BeamSearch(options, seed=seed, **shared)
    if options.mode == "group_beam_search":
        return GroupBeamSearch(options, **shared)
    return ContrastiveSearch(options, prompt_mask=prompt_mask, **shared)


def finalize(decoded, *, options, prompt_len, **fields):
    """Cuts decoded tensors to their true lengths and names them.

    Args:
        decoded: SearchResult of `decode`.
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
    if in_xla():
        length, num_chosen = options.max_length, options.max_length - prompt_len
    fields["sequences"] = decoded.sequences[:, :length]
    if is_beam:
        fields["beam_indices"] = decoded.beam_indices[:, : length - prompt_len]
        if options.output_scores:
            fields["sequences_scores"] = decoded.scores
    fields |= _per_step(decoded.step_outputs, num_chosen, prompt_len)
    if not options.return_dict_in_generate:
        fields = {"sequences": fields["sequences"]}
    struct = (
        GenerateBeamEncoderDecoderOutput if is_beam else GenerateEncoderDecoderOutput
    )
    return struct(**fields)


def _per_step(step_outputs, num_chosen, prompt_len):
    fields = {}
    for name, entries in step_outputs.items():
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
