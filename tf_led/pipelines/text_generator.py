"""Texts in, texts out: what every pipeline that writes stands on."""

from itertools import islice
from typing import NamedTuple

import numpy as np

from tf_led.data.global_attention_rules import (
    OccurrencesOf,
    choose_rule,
    first_token,
    text_tokens,
)
from tf_led.pipelines.base import make_inputs
from tf_led.utils.validation import check_int


class Encoded(NamedTuple):
    """One document as the encoder reads it.

    Args:
        ids: int32[S].
        global_mask: bool[S], True for global tokens.
        num_tokens: int, how many tokens the document has; more than S if it was cut.

    Example:
        >>> from tf_led.pipelines.text_generator import Encoded
        >>> Encoded([0, 5, 2], [True, False, False], num_tokens=3).num_tokens
        3
    """

    ids: np.ndarray
    global_mask: np.ndarray
    num_tokens: int


class TextGenerator:
    """Encodes documents, places global attention, generates in batches and decodes.

    Args:
        model: TFLEDForConditionalGeneration.
        tokenizer: LEDTokenizerFast, or another fast tokenizer of transformers.
        global_tokens: "first", "none", a callable from int[S] to bool[S], or
            `tf_led.data.global_attention_rules.OccurrencesOf`: a text whose tokens are
            global; where it does not occur, the first token is.
        prefix: str, put before every document.
        batch_size: int, documents that are generated for at the same time.
        clean_up: bool, `clean_up_tokenization_spaces` of decoding.
        part_tokens: int, the most tokens that are read at once; None for the encoder's
            positions.
        **options: of `generate`.

    Attributes:
        limit: int, the most tokens that are read at once.

    Raises:
        ValueError: on an unknown rule, a batch size below 1, or `part_tokens` beyond
            the encoder's positions.

    Example:
        >>> from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
        >>> from tf_led.pipelines.text_generator import TextGenerator
        >>> from tf_led.testing import tiny_config
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> generator = TextGenerator(model, LEDTokenizerFast(vocab, []))
        >>> generator.encode("aaa").ids.tolist()
        [0, 4, 4, 4, 2]
    """

    def __init__(
        self,
        model,
        tokenizer,
        *,
        global_tokens="first",
        prefix="",
        batch_size=4,
        clean_up=False,
        part_tokens=None,
        **options,
    ):
        check_int("batch_size", batch_size, at_least=1)
        self.model = model
        self.tokenizer = tokenizer
        self.rule = global_tokens
        if not isinstance(global_tokens, OccurrencesOf):
            self.rule = choose_rule(global_tokens, tokenizer)
        self.prefix = prefix
        self.batch_size = batch_size
        self.clean_up = clean_up
        self.options = options
        self.limit = model.config.max_encoder_position_embeddings
        if part_tokens is not None:
            check_part_tokens(part_tokens, self.limit)
            self.limit = int(part_tokens)

    def encode(self, text, max_length=None):
        """Encodes one document.

        Args:
            text: str.
            max_length: int, tokens to cut it to; None cuts nothing.

        Returns:
            Encoded.
        """
        whole = self.prefix + text
        options = {"return_offsets_mapping": True, "verbose": False}
        encoding = self.tokenizer(whole, **options)
        num_tokens = len(encoding["input_ids"])
        if max_length is not None and num_tokens > max_length:
            options.update(truncation=True, max_length=max_length)
            encoding = self.tokenizer(whole, **options)
        ids = np.array(encoding["input_ids"], np.int32)
        return Encoded(ids, self.mark_global(ids, encoding, whole), num_tokens)

    def mark_global(self, ids, encoding, text):
        """Places global attention.

        Args:
            ids: int[S].
            encoding: BatchEncoding of `text`, with offsets.
            text: str.

        Returns:
            bool[S].
        """
        if isinstance(self.rule, OccurrencesOf):
            mask = text_tokens(encoding, text, self.rule.text)
            return mask if mask.any() else first_token(ids)
        return np.asarray(self.rule(ids), bool)

    def generate(self, rows, **options):
        """Generates for encoded documents.

        Args:
            rows: list of B Encoded.
            **options: of `generate`, before the generator's own.

        Returns:
            int32[B, R, T], R = `num_return_sequences`.
        """
        options = {**self.options, **options}
        if options.get("max_new_tokens") is not None:
            options.pop("max_length", None)
        inputs = make_inputs(
            [row.ids for row in rows],
            [row.global_mask for row in rows],
            self.tokenizer,
            self.model,
        )
        ids = self.model.generate(**inputs, **options)
        return per_document(ids, len(rows))

    def write(self, rows, **options):
        """Writes one text for each encoded document, in batches.

        Args:
            rows: iterable of Encoded; a batch of it is read at a time.
            **options: of `generate`.

        Yields:
            str, in order.
        """
        rows = iter(rows)
        while batch := list(islice(rows, self.batch_size)):
            for sequences in self.generate(batch, **options):
                yield self.decode(sequences[0])

    def decode(self, ids):
        """Turns int[T] into a str without special tokens."""
        return self.tokenizer.decode(
            [int(token_id) for token_id in ids],
            skip_special_tokens=True,
            clean_up_tokenization_spaces=self.clean_up,
        )

    def count(self, text):
        """Counts the tokens of a text, int, special tokens left out."""
        options = {"add_special_tokens": False, "verbose": False}
        return len(self.tokenizer(text, **options)["input_ids"])

    @property
    def max_new_tokens(self):
        """The most tokens that `generate` writes with the generator's options: int."""
        config = self.options.get("generation_config") or self.model.generation_config
        limit = self.model.config.max_decoder_position_embeddings
        for source in (self.options, vars(config)):
            if source.get("max_new_tokens") is not None:
                return int(source["max_new_tokens"])
            if source.get("max_length") is not None:
                return int(source["max_length"]) - 1  # the start token is counted
        return limit - 1


def check_part_tokens(part_tokens, limit):
    """Raises ValueError for more tokens than the encoder has positions, or none."""
    check_int("part_tokens", part_tokens, at_least=1)
    if part_tokens > limit:
        raise ValueError(
            f"`part_tokens` is {part_tokens}, but the encoder has {limit} positions. "
            "Give at most as many."
        )


def per_document(ids, num_documents):
    """[B * R, T] -> [B, R, T], as a NumPy array, from a tensor or a result struct."""
    ids = getattr(ids, "sequences", ids).numpy()
    return ids.reshape(num_documents, -1, ids.shape[-1])
