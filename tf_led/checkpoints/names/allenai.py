"""The names of AllenAI's own LongformerEncoderDecoder: PyTorch's behind `model.`."""

import re

from tf_led.checkpoints.names.table import Row, Transform

_PREFIX = "model."
_RESERVED = 2  # rows at the start of a position table that no token uses

# array[S + 2, D] -> array[S, D]
without_reserved = Transform(
    "without_reserved",
    lambda array: array[_RESERVED:],
    lambda shape: (shape[0] + _RESERVED, *shape[1:]),
)


def recognise(table, keys):
    """Finds out what AllenAI's names mean.

    Args:
        table: `NameTable`.
        keys: list of str.

    Returns:
        dict of `Row` by key.
    """
    return {key: _row(table, key) for key in keys}


def _row(table, key):
    is_inside = key.startswith(_PREFIX)
    name = f"{table.prefix}.{key[len(_PREFIX) :]}" if is_inside else key
    row = table.row_of(name)
    is_positions = (row.path or "").endswith("/embed_positions/embeddings")
    return Row(row.path, without_reserved) if is_positions else row


# No other model has both this prefix and these parts.
_TELLTALE = r"^model\.encoder\.layers\.\d+\.self_attn\.longformer_self_attn\."
DIALECT = (re.compile(_TELLTALE), recognise)
