"""What the two tokenizers share: construction and padding; other themes by mixins."""

import codecs
import numbers
import os
from typing import Any

from tokenizers import pre_tokenizers
from transformers.models.roberta.tokenization_roberta import RobertaTokenizer
from transformers.utils import PaddingStrategy

from tf_led.tokenization import tokenizer_json
from tf_led.tokenization.batch_encoding import (
    LEDBatchEncoding,
    as_lists,
    kind_of_arrays,
    tensor_kind,
)
from tf_led.tokenization.decoding import DecodingMixin
from tf_led.tokenization.encoding import (
    EncodingMixin,
    is_rust_error,
)
from tf_led.tokenization.padding import (
    GLOBAL_MASK,
    as_columns,
    check_at_least,
    check_row_counts,
    check_side,
    integral_mask,
    pad_global,
)
from tf_led.tokenization.prepare import PrepareMixin
from tf_led.tokenization.saving import FilesMixin, warn_of_unread
from tf_led.tokenization.special_tokens import SpecialTokensMixin, as_added_tokens
from tf_led.utils.annotations import PathLike


def check_errors(errors):
    """Checks that `errors` is what `bytes.decode` takes.

    Raises:
        ValueError: naming it.
    """
    try:
        codecs.lookup_error(errors)
    except (LookupError, TypeError, ValueError):
        raise ValueError(
            "`errors` must be 'replace', 'ignore', 'strict' or another name that "
            f"`bytes.decode` takes, got {errors!r:.80}."
        ) from None


def check_limit(model_max_length):
    """Checks that `model_max_length`, which a file may say, is a number or None.

    Raises:
        ValueError: naming it.
    """
    if not isinstance(model_max_length, (numbers.Real, type(None))):
        raise ValueError(
            f"`model_max_length` must be a number, got {model_max_length!r:.80}."
        )


class TokenizerBase(
    EncodingMixin,
    PrepareMixin,
    DecodingMixin,
    SpecialTokensMixin,
    FilesMixin,
    RobertaTokenizer,
):
    """The Rust tokenizer of transformers 5 with all that both classes had in 4.57.

    Methods come by theme: `encoding.py` has those from text to ids, `prepare.py` those
    from ids to model inputs, `decoding.py` those from ids to text, `special_tokens.py`
    and `saving.py` what they are named after. `_compat`, a SlowCompat or a FastCompat,
    holds the rules in which the two classes differ.

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

    def __init__(
        self,
        vocab: dict[str, int] | PathLike | None,
        merges: Any,
        tokenizer_file: PathLike | None,
        errors: str,
        **kwargs: Any,
    ) -> None:
        check_errors(errors)
        if "name_or_path" not in kwargs:  # which `from_pretrained` gives
            warn_of_unread(type(self), kwargs)
        check_limit(kwargs.get("model_max_length"))
        self.errors = errors
        source = {}  # a Rust tokenizer that is ready needs neither of the two
        if tokenizer_file is not None:
            source["tokenizer_file"] = check_file("tokenizer_file", tokenizer_file)
            tokenizer_json.check_file(tokenizer_file)
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
        self._clear_rust_state()

    def _clear_rust_state(self):
        """Forgets the padding, truncation and splitting that the last call has set.

        The Rust tokenizer keeps them; calls that go through `_library_rows` set their
        own, and what reads or saves the Rust tokenizer must not see them.
        """
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = self.split_special_tokens

    @property
    def _compat(self):
        return self._compat_class(self)

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> LEDBatchEncoding:
        """Pads one encoding or a batch of them.

        `input_ids` get `pad_token_id`, `attention_mask` 0, `special_tokens_mask` 1 and
        `global_attention_mask` -1, all on the same side. Other fields stay as they are.

        Args:
            encoded_inputs: dict of fields, or list of such dicts, each with
                `input_ids`: lists, NumPy arrays, TensorFlow or PyTorch tensors.
            padding: True or "longest", "max_length", False or "do_not_pad".
            max_length: int. The length for `padding="max_length"`.
            pad_to_multiple_of: int. Lengths are rounded up to a multiple of it.
            padding_side: "left" or "right"; the tokenizer's own if None.
            return_attention_mask: bool. Whether to make a missing `attention_mask`.
            return_tensors: "tf" (int32), "np", "pt" or None. None gives lists, and
                tensors of the kind that came in.
            verbose: bool. Whether to warn about a `max_length` of no effect.

        Returns:
            BatchEncoding: the padded fields; the input is left alone.

        Raises:
            ValueError: if a mask holds other numbers than integers (1.0 is one), if
                there is nothing to pad, if rows have different fields or
                fields different numbers of rows, or if a `global_attention_mask` has
                neither the length of its `input_ids` nor the padded length.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> rows = [
            ...     {"input_ids": [0, 4, 2], "global_attention_mask": [1, 0, 0]},
            ...     {"input_ids": [0, 2], "global_attention_mask": [1, 0]},
            ... ]
            >>> tokenizer.pad(rows)["global_attention_mask"]
            [[1, 0, 0], [1, 0, -1]]
        """
        kind = tensor_kind(return_tensors)
        check_side(padding_side)
        check_at_least("pad_to_multiple_of", pad_to_multiple_of, 1)
        fields = as_columns(encoded_inputs)
        kind = kind or kind_of_arrays(fields.get(self.model_input_names[0]))
        fields = {key: as_lists(value) for key, value in fields.items()}
        fields = {key: integral_mask(key, value) for key, value in fields.items()}
        check_row_counts(fields, self.model_input_names[0])
        padded = super().pad(
            fields,
            padding=padding,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
            return_tensors=None if kind == "tf" else kind,
            verbose=verbose,
        )
        return LEDBatchEncoding(dict(padded), tensor_type=kind)

    def _get_padding_truncation_strategies(
        self,
        padding=False,
        truncation=None,
        max_length=None,
        pad_to_multiple_of=None,
        verbose=True,
        pad_to_max_length=False,
        **kwargs,
    ):
        check_at_least("max_length", max_length, 1)
        check_at_least("pad_to_multiple_of", pad_to_multiple_of, 1)
        if pad_to_max_length and padding is False:  # what `padding` was in version 3
            padding = "longest" if max_length is None else "max_length"
        return super()._get_padding_truncation_strategies(
            padding, truncation, max_length, pad_to_multiple_of, verbose, **kwargs
        )

    def _pad(
        self,
        encoded_inputs,
        max_length=None,
        padding_strategy=PaddingStrategy.DO_NOT_PAD,
        pad_to_multiple_of=None,
        padding_side=None,
        return_attention_mask=None,
    ):
        name = self.model_input_names[0]
        length = len(encoded_inputs[name])
        padded = super()._pad(
            encoded_inputs,
            max_length=max_length,
            padding_strategy=padding_strategy,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
        )
        if padded.get(GLOBAL_MASK) is not None:
            side = padding_side or self.padding_side
            padded[GLOBAL_MASK] = pad_global(
                padded[GLOBAL_MASK], length, len(padded[name]), side
            )
        return padded


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
