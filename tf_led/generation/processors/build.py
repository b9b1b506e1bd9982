"""From the options of `generate` to its processors, in PyTorch's order."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation import processors as p
from tf_led.generation.options.generation_options import DEFAULTS, GenerationOptions
from tf_led.generation.processors.custom import merge_processors
from tf_led.generation.processors.sampling_filters import LogitNormalization
from tf_led.generation.processors.validation import as_ids


@dataclass
class Asked:
    """The options, and the processors that each kind of them asks for."""

    options: Any
    prompt_len: Any
    encoder_ids: Any
    vocab_size: Any
    num_beams: Any

    def __call__(self, name, off=None):
        """Gives the value of an option, None where it asks for nothing."""
        value = getattr(self.options, name, None)
        if value is None and not isinstance(self.options, GenerationOptions):
            value = DEFAULTS[name]
        is_off = not tf.is_tensor(value) and off is not None and value == off
        return None if is_off else value

    def make(self, kind, name, *more, off=None):
        """Makes the processor `kind` of an option and `more`, if it is asked for."""
        value = self(name, off)
        return [] if value is None else [kind(value, *more)]

    @property
    def eos_ids(self):
        return as_ids("eos_token_id", self("eos_token_id"))

    @property
    def max_length(self):
        new_tokens = self("max_new_tokens")
        if new_tokens is not None:
            return self.prompt_len + new_tokens
        is_unset = getattr(self.options, "max_length", None) is None
        return self("max_length") + (self.prompt_len if is_unset else 0)

    def biases(self):
        rules = self.make(p.SequenceBias, "sequence_bias")
        groups = self("num_beam_groups")
        return rules + self.make(
            p.HammingDiversity, "diversity_penalty", self.num_beams, groups, off=0
        )

    def encoder_repetition(self):
        name = "encoder_repetition_penalty"
        if self(name, off=1) is None:
            return []
        ids = self.documents(name)
        return self.make(p.EncoderRepetitionPenalty, name, ids, self.vocab_size)

    def repetition(self, padding_mask):
        ignored = None
        if padding_mask is not None:
            ignored = tf.argmax(tf.cast(padding_mask, tf.int32), 1, tf.int32)
        return self.make(p.RepetitionPenalty, "repetition_penalty", ignored, off=1)

    def ngrams(self):
        rules = self.make(p.NoRepeatNGram, "no_repeat_ngram_size", off=0)
        name = "encoder_no_repeat_ngram_size"
        if self(name, off=0) is None:
            return rules
        return rules + self.make(p.EncoderNoRepeatNGram, name, self.documents(name))

    def documents(self, name):
        """Gives the encoder's ids, or tells that `name` cannot do without them."""
        ids = self.encoder_ids
        is_dummy = tf.executing_eagerly() and ids is not None and tf.reduce_min(ids) < 0
        if ids is None or is_dummy:
            raise ValueError(
                f"`{name}` is {self(name)!r}, which needs the document's `input_ids`; "
                "got none. Pass `input_ids`, or leave the option out."
            )
        return ids

    def bad_words(self):
        return self.make(p.NoBadWords, "bad_words_ids", self.eos_ids)

    def minimum(self):
        ends = self.eos_ids
        if self("min_new_tokens") is not None:  # goes before `min_length`
            more = self("min_new_tokens")
            return [p.MinNewTokens(self.prompt_len, more, ends)] if ends else []
        return self.make(p.MinLength, "min_length", ends, off=0) if ends else []

    def prefix(self, fn):
        rows = self.num_beams // self("num_beam_groups")
        return [] if fn is None else [p.PrefixAllowedTokens(fn, rows)]

    def forced(self):
        rules = self.make(p.ForcedBOS, "forced_bos_token_id")
        ends = self("forced_eos_token_id")
        rules += [] if ends is None else [p.ForcedEOS(self.max_length, ends)]
        return rules + ([p.InfNanRemove()] if self("remove_invalid_values") else [])

    def decay(self):
        return self.make(
            p.ExponentialDecayLength,
            "exponential_decay_length_penalty",
            self.eos_ids,
            self.prompt_len,
        )

    def suppressed(self):
        rules = self.make(p.SuppressTokens, "suppress_tokens")
        begin = self.prompt_len
        if self("forced_bos_token_id") is not None:
            # The first free place is the forced token's; the next one is meant.
            begin += (
                tf.cast(begin <= 1, tf.int32)
                if tf.is_tensor(begin)
                else int(begin <= 1)
            )
        return rules + self.make(
            p.SuppressTokensAtBegin, "begin_suppress_tokens", begin
        )

    def sampling(self):
        # Beam search needs one token to go on with beside those that end a sequence.
        least = max(len(self.eos_ids), 1) + 1 if self.num_beams > 1 else 1
        return [
            *self.make(p.Temperature, "temperature", off=1),
            *self.make(p.TopH, "top_h"),
            *self.make(p.TopK, "top_k", least, off=0),
            *self.make(p.TopP, "top_p", least, off=1),
            *self.make(p.MinP, "min_p", least),
            *self.make(p.Typical, "typical_p", least, off=1),
            *self.make(p.Epsilon, "epsilon_cutoff", least, off=0),
            *self.make(p.Eta, "eta_cutoff", least, off=0),
        ]


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
        >>> from tf_led.generation.options.generation_options import GenerationOptions
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
