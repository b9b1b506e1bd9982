"""From the options of `generate` to its processors, in PyTorch's order."""

from tf_led.generation.processors.asked import Asked
from tf_led.generation.processors.merge import merge_processors
from tf_led.generation.processors.scaling import LogitNormalization


def build_processors(
    options,
    *,
    prompt_len,
    encoder_ids,
    vocab_size,
    num_beams,
    decoder_padding_mask=None,
    prefix_allowed_tokens_fn=None,
    custom=None,
):
    """Makes the processors that the options ask for, in PyTorch's order.

    Args:
        options: GenerationOptions, or transformers' GenerationConfig, whose fields that
            are None stand at transformers' defaults. Numbers may be scalar tensors.
        prompt_len: int or int32[], the decoder tokens before the first new one.
        encoder_ids: int32[B, S], the documents; None where only embeddings are known.
        vocab_size: int, V.
        num_beams: int, the beams of a document, over all groups; 1 without beam search.
        decoder_padding_mask: bool[B, P] or bool[X, P], False on the padding at the left
            of decoder prompts, which `repetition_penalty` passes over. None: none.
        prefix_allowed_tokens_fn: None or the function of `PrefixAllowedTokens`.
        custom: None or list of a user's processors, see `merge_processors`. They come
            before the sampling filters.

    Returns:
        list of Processor. `HammingDiversity`, which the options of group beam search
        ask for, is bound to each group by the search.

    Raises:
        TypeError: if a user's function is no function.
        ValueError: if an option's value is none of those allowed, holds ids beyond the
            vocabulary, or needs document ids or an end token that are not there.

    Source: transformers 5.23, `GenerationMixin._get_logits_processor`; the place of
    `HammingDiversity` is that of transformers before 4.57.

    Example:
        >>> from tf_led.generation.options import GenerationOptions
        >>> from tf_led.generation.processors.build import build_processors
        >>> options = GenerationOptions(no_repeat_ngram_size=3, forced_eos_token_id=2)
        >>> [type(one).__name__ for one in build_processors(
        ...     options, prompt_len=1, encoder_ids=None, vocab_size=99, num_beams=1)]
        ['NoRepeatNGram', 'ForcedEOS']
    """
    asked = Asked(options, prompt_len, encoder_ids, vocab_size, num_beams)
    rules = [
        *asked.biases(),
        *asked.encoder_repetition(),
        *asked.repetition(decoder_padding_mask),
        *asked.ngrams(),
        *asked.bad_words(),
        *asked.minimum(),
        *asked.prefix(prefix_allowed_tokens_fn),
        *asked.forced(),
        *asked.decay(),
        *asked.suppressed(),
    ]
    rules = merge_processors(rules, custom)
    rules += asked.sampling() if asked("do_sample") else []
    rules += [LogitNormalization()] if asked("renormalize_logits") is True else []
    for rule in rules:
        rule.check_vocabulary(vocab_size)
    return rules
