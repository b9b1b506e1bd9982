"""From a step function to sequences, in tensors of fixed shapes."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.loop import Recorder, run_loop
from tf_led.generation.outputs import (
    GenerateBeamEncoderDecoderOutput,
    GenerateEncoderDecoderOutput,
)
from tf_led.generation.search.beam_search import BeamSearch
from tf_led.generation.search.contrastive_search import ContrastiveSearch
from tf_led.generation.search.greedy_and_sampling import (
    GreedySearch,
    Sampling,
    make_seed,
)
from tf_led.generation.search.group_beam_search import GroupBeamSearch
from tf_led.generation.stopping import build_stops, python_only
from tf_led.generation.streaming import check_streamer, stream_to
from tf_led.ops.control_flow import in_xla


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
    if in_xla():
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


class Decoded(NamedTuple):
    """Everything that a decoding loop leaves behind, uncut.

    Args:
        sequences: int32[R, T], padded.
        length: int32[], of the longest sequence, prompt included.
        num_chosen: int32[], number of steps that chose a token.
        scores: float32[R], final scores of the sequences, or None.
        origins: int32[R, T - P], rows of beams the tokens came from, or None.
        records: dict of tensors, one entry per step: "scores" and "logits"
            float32[T - P, B, K, V], extras float32[T, L, B, K, ...].
        cache: the last cache, or None where it was not asked for.
        ancestors: int32[B, K, T] to read the cache by, or None.
    """

    sequences: Any
    length: Any
    num_chosen: Any
    scores: Any
    origins: Any
    records: Any
    cache: Any
    ancestors: Any


def decode(
    step,
    cache,
    *,
    options,
    prompt_ids,
    prompt_mask=None,
    processors=(),
    stopping_criteria=(),
    tokenizer=None,
    streamer=None,
    seed=None,
    keep_cache=False,
):
    """Generates sequences; shapes do not depend on what is found.

    The same code runs eagerly, in `tf.function`, with `jit_compile=True` and in a
    SavedModel. To compile it once and cut the results outside, call this in a
    `tf.function` and `finalize` eagerly; `generate` does both in one.

    Args:
        step: the step function, see `StepOutput`.
        cache: nest of tensors of fixed shapes for B documents, K = `options.width`
            hypotheses each and T = `options.max_length` positions.
        options: GenerationOptions.
        prompt_ids: int32[B, P] with static P, the decoder prompt.
        prompt_mask: bool[B, P], True for tokens that may be attended to; None for all.
        processors: logits processors, see `apply_processors`.
        stopping_criteria: callables, see `PythonStops`.
        tokenizer: needed for `stop_strings`.
        streamer: see `stream_to`.
        seed: see `make_seed`; used by sampling only.
        keep_cache: whether to return the last cache and its ancestors.

    Returns:
        Decoded.

    Raises:
        ValueError: inside a graph, on an option that needs Python at every token; on a
            streamer with beams; on `stop_strings` without a tokenizer.
    """
    check_streamer(streamer, options)
    if not tf.executing_eagerly():
        _refuse_python(options, processors, stopping_criteria, streamer)
    prompt_ids = tf.cast(prompt_ids, tf.int32)
    if prompt_mask is None:
        prompt_mask = tf.ones_like(prompt_ids, tf.bool)
    frame = {"prompt_len": prompt_ids.shape[1], "length": options.max_length}
    stops = build_stops(options, criteria=stopping_criteria, tokenizer=tokenizer)
    search = _make_search(
        options,
        prompt_mask=prompt_mask,
        processors=list(processors),
        stops=stops,
        seed=seed,
        **frame,
    )
    with stream_to(streamer, prompt_ids, search.width) as on_token:
        state = run_loop(
            step,
            cache,
            search,
            prompt_ids=prompt_ids,
            prompt_mask=prompt_mask,
            recorder=Recorder(options, search, **frame),
            on_token=on_token,
        )
    found = search.finish(state)
    return Decoded(
        sequences=found.sequences,
        length=found.length,
        num_chosen=found.num_chosen,
        scores=found.scores,
        origins=found.origins,
        records={name: array.stack() for name, array in state.records.items()},
        cache=state.cache if keep_cache else None,
        ancestors=state.ancestors if keep_cache else None,
    )


def _refuse_python(options, processors, criteria, streamer):
    names = python_only(
        options, processors=processors, criteria=criteria, streamer=streamer
    )
    if names:
        raise ValueError(
            f"{', '.join(f'`{name}`' for name in names)} needs Python at every token, "
            "which a graph cannot run. Call `generate` eagerly, or leave it out."
        )


def _make_search(options, *, prompt_mask, prompt_len, length, processors, stops, seed):
    shared = {"prompt_len": prompt_len, "length": length}
    shared |= {"processors": processors, "stops": stops}
    if options.mode == "greedy":
        return GreedySearch(options, **shared)
    if options.mode == "sample":
        return Sampling(options, seed=make_seed(seed), **shared)
    if options.mode == "beam_search":
        return BeamSearch(options, **shared)
    if options.mode == "beam_sample":
        return BeamSearch(options, seed=make_seed(seed), **shared)
    if options.mode == "group_beam_search":
        return GroupBeamSearch(options, **shared)
    return ContrastiveSearch(options, prompt_mask=prompt_mask, **shared)


def generate(step, cache, *, options, prompt_ids, fields=None, **kwargs):
    """Generates sequences and returns them as PyTorch's `generate` does.

    Eagerly and in `tf.function` the sequences are cut to the longest; under XLA, where
    no shape can depend on a result, they are padded to `options.max_length`.

    Args:
        step: the step function, see `StepOutput`.
        cache: nest of tensors of fixed shapes, see `decode`.
        options: GenerationOptions.
        prompt_ids: int32[B, P] with static P, the decoder prompt.
        fields: dict of further fields of the struct, see `finalize`.
        **kwargs: `prompt_mask`, `processors`, `stopping_criteria`, `tokenizer`,
            `streamer` and `seed`, see `decode`.

    Returns:
        GenerateEncoderDecoderOutput, or with beams GenerateBeamEncoderDecoderOutput;
        `sequences` alone without `return_dict_in_generate`.

    Raises:
        ValueError: see `decode`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.generation.decode import generate
        >>> from tf_led.generation.options.generation_options import GenerationOptions
        >>> from tf_led.generation.loop import StepOutput
        >>> def count_up(token_ids, index, ancestors, token_mask, cache):
        ...     return StepOutput(tf.one_hot(token_ids + 1, 7), cache, {})
        >>> options = GenerationOptions(max_length=5, eos_token_id=6, pad_token_id=0)
        >>> out = generate(count_up, (), options=options, prompt_ids=[[2], [4]])
        >>> out.sequences.numpy().tolist()
        [[2, 3, 4, 5, 6], [4, 5, 6, 0, 0]]
    """
    prompt_ids = tf.cast(prompt_ids, tf.int32)
    decoded = decode(step, cache, options=options, prompt_ids=prompt_ids, **kwargs)
    return finalize(
        decoded, options=options, prompt_len=prompt_ids.shape[1], **(fields or {})
    )
