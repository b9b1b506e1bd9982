"""From the options of `generate` to lengths and processors, in PyTorch's order."""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.options.option_table import DEFAULTS, LAST, RULES, SAMPLING
from tf_led.generation.processors.custom import merge_processors
from tf_led.utils.validation import as_ids


@dataclass(frozen=True)
class ProcessorCall:
    """The call of `generate` that processors are made for; see `build_processors`."""

    options: Any
    prompt_len: Any
    encoder_ids: Any
    vocab_size: Any
    num_beams: Any
    decoder_padding_mask: Any = None
    prefix_allowed_tokens_fn: Any = None

    def value(self, name):
        """Gives the value of an option or argument.

        A field that is None in a GenerationConfig stands at the default.
        """
        if name not in DEFAULTS:
            return getattr(self, name)
        value = getattr(self.options, name, None)
        if value is None and not isinstance(self.options, GenerationOptions):
            return DEFAULTS[name]
        return value

    def make(self, rows):
        """Makes the processors that rows of the option table request."""
        made = [
            row.make(self.value(row.name), self)
            for row in rows
            if not row.is_off(self.value(row.name))
        ]
        return [processor for processor in made if processor is not None]

    @property
    def eos_ids(self):
        """The end-of-sequence ids, a tuple."""
        return as_ids("eos_token_id", self.value("eos_token_id"))

    @property
    def max_length(self):
        """The greatest length, prompt included: int or int32[]."""
        new_tokens = self.value("max_new_tokens")
        if new_tokens is not None:
            return self.prompt_len + new_tokens
        is_unset = getattr(self.options, "max_length", None) is None
        return self.value("max_length") + (self.prompt_len if is_unset else 0)

    @property
    def min_tokens_to_keep(self):
        """What sampling filters keep: with beams one token beside all end tokens."""
        return 1 if self.num_beams == 1 else max(2, 1 + len(self.eos_ids))

    def documents(self, name):
        """Gives the encoder's ids int32[B, S], or raises: option `name` needs them."""
        ids = self.encoder_ids
        is_dummy = tf.executing_eagerly() and ids is not None and tf.reduce_min(ids) < 0
        if ids is None or is_dummy:
            raise ValueError(
                f"`{name}` is {self.value(name)!r}, which needs the document's "
                "`input_ids`; got none. Pass `input_ids`, or leave the option out."
            )
        return ids

    def left_padding(self):
        """Counts the padding at the left of decoder prompts: int32[rows] or None."""
        if self.decoder_padding_mask is None:
            return None
        return tf.argmax(tf.cast(self.decoder_padding_mask, tf.int32), 1, tf.int32)

    def first_free_place(self):
        """The length at which `begin_suppress_tokens` applies: int or int32[]."""
        begin = self.prompt_len
        if self.value("forced_bos_token_id") is None:
            return begin
        # The first free place is the forced token's; the next one is meant.
        is_forced = begin <= 1
        is_tensor = tf.is_tensor(is_forced)
        return begin + (tf.cast(is_forced, tf.int32) if is_tensor else int(is_forced))


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
    """Makes the processors that the options request, in the order of the option table.

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
        list of Processor. `HammingDiversity`, which group beam search requests, is
        bound to each group by the search.

    Raises:
        TypeError: if a user's function is not callable.
        ValueError: if the value of an option is not allowed, holds ids beyond the
            vocabulary, or needs document ids or an end token that were not given.

    Source: transformers 5.23, `GenerationMixin._get_logits_processor`.

    Example:
        >>> from tf_led.generation.options.build import build_processors
        >>> from tf_led.generation.options.generation_options import GenerationOptions
        >>> options = GenerationOptions(no_repeat_ngram_size=3, forced_eos_token_id=2)
        >>> [type(one).__name__ for one in build_processors(
        ...     options, prompt_len=1, encoder_ids=None, vocab_size=99, num_beams=1)]
        ['NoRepeatNGram', 'ForcedEOS']
    """
    call = ProcessorCall(
        options,
        prompt_len,
        encoder_ids,
        vocab_size,
        num_beams,
        decoder_padding_mask,
        prefix_allowed_tokens_fn,
    )
    processors = merge_processors(call.make(RULES), custom)
    processors += call.make(SAMPLING) if call.value("do_sample") else []
    processors += call.make(LAST)
    for processor in processors:
        processor.check_vocabulary(vocab_size)
    return processors


_logger = logging.getLogger(__name__)


def resolve_lengths(values, *, lengths_set, prompt_len, position_limit):
    """Turns the four options of length into `max_length` and `min_length`, in place.

    Args:
        values: dict of option values by name.
        lengths_set: set of those of "max_length" and "min_length" that somebody set.
        prompt_len: int, length of the decoder prompt.
        position_limit: int or None, number of positions of the decoder.

    Raises:
        ValueError: if `max_length` is not longer than the prompt, or longer than the
            decoder has positions.

    Source: transformers 5.23, `_prepare_generated_length` and
    `_validate_generated_length`: 20 new tokens where nothing is said, `max_new_tokens`
    before `max_length`, `min_new_tokens` before `min_length`.
    """
    for bound in ("max", "min"):
        _prefer_new_tokens(values, bound, f"{bound}_length" in lengths_set, prompt_len)
    if "max_length" not in lengths_set and values["max_new_tokens"] is None:
        values["max_length"] += prompt_len
        warnings.warn(
            "Neither `max_new_tokens` nor `max_length` is set: generating at most "
            f"{values['max_length'] - prompt_len} new tokens. Set `max_new_tokens`.",
            UserWarning,
            stacklevel=5,
        )
    _check_max_length(values["max_length"], prompt_len)
    if position_limit is not None:
        _check_positions(values, position_limit)
    _warn_if_min_beyond_max(values)


def _prefer_new_tokens(values, bound, is_length_set, prompt_len):
    new_tokens, length = values[f"{bound}_new_tokens"], values[f"{bound}_length"]
    if new_tokens is None:
        return
    if is_length_set:
        _logger.warning(
            "`%s_new_tokens` (%s) and `%s_length` (%s) are both set; the first counts.",
            *(bound, new_tokens, bound, length),
        )
    values[f"{bound}_length"] = new_tokens + prompt_len


def _check_max_length(max_length, prompt_len):
    if prompt_len >= max_length:
        raise ValueError(
            f"`max_length` is {max_length}, but the decoder prompt alone is "
            f"{prompt_len} tokens long. Raise `max_length` or set `max_new_tokens`."
        )


def _check_positions(values, limit):
    # The last token is never read, but by contrastive search.
    reads_last = GenerationOptions(**values).mode == "contrastive_search"
    most = limit if reads_last else limit + 1
    if values["max_length"] > most:
        raise ValueError(
            f"`max_length` (prompt and `max_new_tokens`) is {values['max_length']}, "
            f"but the decoder has {limit} positions, which allow at most {most}. Lower "
            "`max_length` or `max_new_tokens`."
        )


def _warn_if_min_beyond_max(values):
    if values["min_length"] > values["max_length"]:
        name = "min_length" if values["min_new_tokens"] is None else "min_new_tokens"
        warnings.warn(
            f"`{name}` ({values[name]}) is out of reach: generation stops at a length "
            f"of {values['max_length']}. Lower it, or raise `max_length`.",
            UserWarning,
            stacklevel=6,
        )
