"""Padding that knows `global_attention_mask`, and TensorFlow tensors as input."""

from collections.abc import Mapping

from transformers.utils import PaddingStrategy

from tf_led.tokenization.batch_encoding import (
    LEDBatchEncoding,
    as_lists,
    kind_of_arrays,
    tensor_kind,
)
from tf_led.tokenization.encoding import check_at_least, check_side

GLOBAL_MASK = "global_attention_mask"
# The model reads 0 as "local attention", so padding needs a value of its own.
GLOBAL_PAD = -1


class PaddingMixin:
    """`pad` as it was in transformers 4.57, on top of the library's own."""

    def pad(
        self,
        encoded_inputs,
        padding=True,
        max_length=None,
        pad_to_multiple_of=None,
        padding_side=None,
        return_attention_mask=None,
        return_tensors=None,
        verbose=True,
    ):
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
            ValueError: if there is nothing to pad, if rows have different fields or
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
        **kwargs,
    ):
        check_at_least("max_length", max_length, 1)
        check_at_least("pad_to_multiple_of", pad_to_multiple_of, 1)
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
            mask = [int(value) for value in padded[GLOBAL_MASK]]
            side = padding_side or self.padding_side
            padded[GLOBAL_MASK] = pad_global(mask, length, len(padded[name]), side)
        return padded


def pad_global(mask, length, padded_length, side):
    """Pads one row's global mask from `length` to `padded_length` entries."""
    if len(mask) == padded_length:
        return mask
    if len(mask) != length:
        raise ValueError(
            f"`{GLOBAL_MASK}` has {len(mask)} entries for {length} `input_ids`. "
            "Give one entry, 0 or 1, for each id."
        )
    filling = [GLOBAL_PAD] * (padded_length - length)
    return filling + mask if side == "left" else mask + filling


def as_columns(encoded_inputs):
    """Reads a dict of fields or a list of dicts as a new dict of fields."""
    if isinstance(encoded_inputs, Mapping):
        return dict(encoded_inputs)
    if not isinstance(encoded_inputs, (list, tuple)):
        kind = type(encoded_inputs).__name__
        raise TypeError(
            f"`encoded_inputs` must be a dict or a list of dicts, not {kind}."
        )
    if not encoded_inputs:
        raise ValueError("`encoded_inputs` is empty: there is nothing to pad.")
    for number, row in enumerate(encoded_inputs):
        check_row(number, row, encoded_inputs[0])
    return {key: [row[key] for row in encoded_inputs] for key in encoded_inputs[0]}


def check_row(number, row, first):
    if not isinstance(row, Mapping):
        kind = type(row).__name__
        raise TypeError(f"`encoded_inputs[{number}]` must be a dict, not {kind}.")
    if row.keys() != first.keys():
        odd = sorted(row.keys() ^ first.keys())
        raise ValueError(
            f"`encoded_inputs[{number}]` differs from the first row in {odd}. "
            "Every row needs the same fields."
        )


def check_row_counts(fields, name):
    """Refuses a batch whose fields have different numbers of rows."""
    ids = fields.get(name)
    if ids is None or not len(ids) or not is_row(ids[0]):
        return
    for key, value in fields.items():
        if hasattr(value, "__len__") and len(value) != len(ids):
            raise ValueError(
                f"`{key}` has {len(value)} rows and `{name}` {len(ids)}. "
                "Give each field one row per example."
            )


def is_row(value):
    return isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0
