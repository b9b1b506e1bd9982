"""The whole of generation for models that have a step function."""

import tensorflow as tf

from tf_led.generation.decode import decode
from tf_led.generation.finalize import finalize


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
        >>> from tf_led.generation.generate import generate
        >>> from tf_led.generation.options import GenerationOptions
        >>> from tf_led.generation.step import StepOutput
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
