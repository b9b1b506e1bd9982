"""What the two tokenizers share: the parts, put together and built."""

import os
from contextlib import contextmanager

from tokenizers import AddedToken, pre_tokenizers
from transformers.models.roberta.tokenization_roberta import RobertaTokenizer

from tf_led.tokenization.decoding import DecodingMixin
from tf_led.tokenization.encoding import EncodingMixin, is_rust_error
from tf_led.tokenization.padding import PaddingMixin
from tf_led.tokenization.prepare import PrepareMixin
from tf_led.tokenization.saving import LoadingMixin, SavingMixin
from tf_led.tokenization.special_tokens import SpecialTokensMixin


class Seq2SeqMixin:
    """`as_target_tokenizer` and `prepare_seq2seq_batch`."""

    @contextmanager
    def as_target_tokenizer(self):
        """Encodes targets within a `with` block: for LED, just as it encodes inputs.

        Yields:
            None.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> with tokenizer.as_target_tokenizer():
            ...     tokenizer("a")["input_ids"]
            [0, 4, 2]
        """
        yield

    def prepare_seq2seq_batch(
        self,
        src_texts,
        tgt_texts=None,
        max_length=None,
        max_target_length=None,
        padding="longest",
        return_tensors=None,
        truncation=True,
        **kwargs,
    ):
        """Encodes documents and, as `labels`, their summaries.

        Args:
            src_texts: list of str. The documents.
            tgt_texts: list of str. The summaries, if there are any.
            max_length: int. The length to cut documents to; the model's if None.
            max_target_length: int. The same for the summaries; `max_length` if None.
            padding: as in a call of the tokenizer.
            return_tensors: "tf" (int32), "np", "pt" or None for lists.
            truncation: as in a call of the tokenizer.
            **kwargs: other options of a call.

        Returns:
            BatchEncoding: `input_ids`, `attention_mask` and, with summaries, `labels`.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> batch = tokenizer.prepare_seq2seq_batch(["aaa"], ["a"])
            >>> batch["labels"]
            [[0, 4, 2]]
        """
        options = {"padding": padding, "truncation": truncation, **kwargs}
        options["return_tensors"] = return_tensors
        inputs = self(src_texts, max_length=max_length, **options)
        if tgt_texts is not None:
            length = max_target_length or max_length
            targets = self(text_target=tgt_texts, max_length=length, **options)
            inputs["labels"] = targets["input_ids"]
        return inputs


def check_vocabulary(vocab, merges, place=None):
    """Checks what a tokenizer is to be made of.

    Args:
        vocab: dict of int by token, or the path of vocab.json.
        merges: list of pairs of str (or of str with a space between), or the path of
            merges.txt.
        place: str. Where a message says that they were looked for.

    Returns:
        (vocab, merges): two str, or a dict of int by str and a list of (str, str). The
        Rust tokenizer takes either, and reads files itself much faster.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if one of the two is missing or is something else.
    """
    if vocab is None or merges is None:
        missing = "vocab_file" if vocab is None else "merges_file"
        where = f" in {place!r}" if place else ""
        raise ValueError(
            f"`{missing}` is missing{where}. An LED tokenizer needs vocabulary and "
            "merges: vocab.json and merges.txt, or tokenizer.json."
        )
    if isinstance(vocab, dict) and isinstance(merges, (list, tuple)):
        return vocab, [as_merge(merge) for merge in merges]
    if isinstance(vocab, dict) or isinstance(merges, (list, tuple)):
        raise ValueError("Give vocabulary and merges both as paths or both as values.")
    return check_file("vocab_file", vocab), check_file("merges_file", merges)


def as_merge(merge):
    parts = tuple(merge.split(" ") if isinstance(merge, str) else merge)
    if len(parts) != 2:
        raise ValueError(f"`merges` must hold pairs of tokens, got {merge!r}.")
    return parts


def check_file(name, path):
    if not os.path.isfile(path):
        raise FileNotFoundError(f"`{name}`: there is no file {str(path)!r}.")
    return os.fspath(path)


class TokenizerBase(
    PrepareMixin,
    EncodingMixin,
    DecodingMixin,
    PaddingMixin,
    SpecialTokensMixin,
    LoadingMixin,
    SavingMixin,
    Seq2SeqMixin,
    RobertaTokenizer,
):
    """The Rust tokenizer of transformers 5 with all that both classes had in 4.57.

    Args:
        vocab: path of vocab.json, or dict from token to id, or None.
        merges: path of merges.txt, or list of pairs of str, or None.
        tokenizer_file: path of tokenizer.json in place of the two, or None.
        errors: str, as for `bytes.decode`: what becomes of bytes that are no UTF-8.
        **kwargs: of the two classes, and of transformers' tokenizers.

    Raises:
        ValueError: if no tokenizer can be made of these.

    Example:
        >>> from tf_led import LEDTokenizer, LEDTokenizerFast
        >>> from tf_led.tokenization.base import TokenizerBase
        >>> issubclass(LEDTokenizer, TokenizerBase)
        True
        >>> issubclass(LEDTokenizerFast, TokenizerBase)
        True
    """

    def __init__(self, vocab, merges, tokenizer_file, errors, **kwargs):
        self.errors = errors
        source = {}  # a Rust tokenizer that is ready needs neither of the two
        if tokenizer_file is not None:
            source["tokenizer_file"] = check_file("tokenizer_file", tokenizer_file)
        elif "tokenizer_object" not in kwargs:
            vocab, merges = check_vocabulary(vocab, merges, kwargs.get("name_or_path"))
            source.update(vocab=vocab, merges=merges)
            if isinstance(vocab, str):  # transformers remembers the files
                kwargs.update(vocab_file=vocab, merges_file=merges)
        try:
            super().__init__(errors=errors, **source, **as_added_tokens(kwargs))
        except BaseException as error:
            if not is_rust_error(error):
                raise
            files = [name for name in source.values() if isinstance(name, str)]
            of = f" of {' and '.join(files)}" if files else ""
            raise ValueError(f"No tokenizer can be made{of}. {error}.") from None
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(self.add_prefix_space)


def as_added_tokens(kwargs):
    """Gives special tokens that are str the properties that they had in 4.57."""
    known = (kwargs.get("added_tokens_decoder") or {}).values()
    known = {str(token): token for token in known}
    tokens = {
        name: known.get(kwargs[name]) or as_added_token(name, kwargs[name])
        for name in RobertaTokenizer.SPECIAL_TOKENS_ATTRIBUTES
        if isinstance(kwargs[name], str)
    }
    return {**kwargs, **tokens}


def as_added_token(name, text):
    # The mask stands for a word, and words carry the space before them.
    is_mask = name == "mask_token"
    return AddedToken(text, lstrip=is_mask, normalized=True, special=True)
