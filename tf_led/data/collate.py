"""Examples of different lengths, made into one rectangular batch."""

import numpy as np

from tf_led.ops.losses import IGNORED_LABEL

PAD_VALUES = {
    "attention_mask": 0,
    "decoder_attention_mask": 0,
    # The model reads 0 as "local attention", so padding needs a value of its own.
    "global_attention_mask": -1,
    "labels": IGNORED_LABEL,
}
# Columns of one group run along the same tokens.
SOURCE = ("input_ids", "inputs_embeds", "attention_mask", "global_attention_mask")
TARGET = (
    "decoder_input_ids",
    "decoder_inputs_embeds",
    "decoder_attention_mask",
    "labels",
)


class PaddingCollator:
    """Pads every column of a list of examples to its longest and stacks them.

    Ids get the padding token, labels -100, masks 0 and the global mask -1. Documents
    are padded on `padding_side`; labels and decoder inputs on the right, because that
    is where generation writes. An `attention_mask` that is not there is made. An
    example without a global mask (None) has no global token.

    Args:
        pad_token_id: int, for `input_ids` and `decoder_input_ids`.
        padding_side: "right" or "left".

    Raises:
        ValueError: in a call, on a value that is missing or no array of numbers, and on
            columns of different lengths within an example.

    Example:
        >>> from tf_led.data.collate import PaddingCollator
        >>> collate = PaddingCollator(pad_token_id=1)
        >>> batch = collate([{"input_ids": [0, 5, 2]}, {"input_ids": [0, 2]}])
        >>> batch["input_ids"].tolist(), batch["attention_mask"].tolist()
        ([[0, 5, 2], [0, 2, 1]], [[1, 1, 1], [1, 1, 0]])
    """

    def __init__(self, pad_token_id, padding_side="right"):
        self.pad_token_id = pad_token_id
        self.padding_side = padding_side

    def __call__(self, examples):
        """Makes a batch of a list of dicts: a dict of arrays [B, ...]."""
        columns = {
            name: [_as_array(name, example[name]) for example in examples]
            for name in examples[0]
        }
        _add_masks(columns)
        for group in (SOURCE, TARGET):
            _check_lengths(columns, group)
        return {name: self._stack(name, rows) for name, rows in columns.items()}

    def _stack(self, name, rows):
        """[..., ...] of different lengths -> [B, longest, ...]."""
        _check_ranks(name, rows)
        if rows[0].ndim == 0:
            return np.stack(rows)
        filled = [row for row in rows if row.size] or rows
        shape = (len(rows), max(map(len, rows)), *filled[0].shape[1:])
        batch = np.full(shape, self._pad_value(name), np.result_type(*filled))
        is_left = self.padding_side == "left" and name in SOURCE
        for target, row in zip(batch, rows, strict=True):
            start = len(target) - len(row) if is_left else 0
            target[start : start + len(row)] = row
        return batch

    def _pad_value(self, name):
        if not name.endswith("input_ids"):
            return PAD_VALUES.get(name, 0)
        if self.pad_token_id is None:
            raise ValueError(
                f"`{name}` cannot be padded: `pad_token_id` is None. Set the config's, "
                "or give a tokenizer that has a padding token."
            )
        return self.pad_token_id


def _as_array(name, value):
    if value is None and name == "global_attention_mask":
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biuf" or (array.ndim == 0 and array != array):
        raise ValueError(
            f"`{name}` of an example is {str(value)[:60]!r}; it must be a number or an "
            "array of numbers. Tokenize texts first, and fill in missing values."
        )
    return array


def _add_masks(columns):
    main = columns.get("input_ids", columns.get("inputs_embeds"))
    if main is None:
        return
    if "attention_mask" not in columns:
        columns["attention_mask"] = [np.ones(len(row), "int64") for row in main]
    if "global_attention_mask" in columns:
        columns["global_attention_mask"] = [
            np.zeros(len(row), "int64") if mask is None else mask
            for mask, row in zip(columns["global_attention_mask"], main, strict=True)
        ]


def _check_ranks(name, rows):
    shapes = {row.shape[1:] for row in rows if row.size}
    if len({row.ndim for row in rows if row.size}) > 1 or len(shapes) > 1:
        raise ValueError(
            f"`{name}` has examples of shapes "
            f"{', '.join(sorted({str(row.shape) for row in rows}))}: only the first "
            "axis may differ between examples."
        )


def _check_lengths(columns, group):
    present = [name for name in group if name in columns and columns[name][0].ndim]
    for name in present[1:]:
        for first, other in zip(columns[present[0]], columns[name], strict=True):
            if len(first) != len(other):
                raise ValueError(
                    f"An example has {len(first)} entries in `{present[0]}` but "
                    f"{len(other)} in `{name}`: give one for every token."
                )
