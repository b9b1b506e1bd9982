"""From the options of `generate` to its processors, in PyTorch's order."""

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
