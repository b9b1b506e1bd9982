"""The names in files of AllenAI's own LongformerEncoderDecoder.

That model is a BART of 2020 with another self-attention in its encoder. Its names are
those of PyTorch's LED with `model.` for `led.`, and BART's position tables begin with
two rows that no token uses.
"""

import re

from tf_led.checkpoints import names

_PREFIX = "model."
_TELLTALE = re.compile(
    r"model\.encoder\.layers\.\d+\.self_attn\.longformer_self_attn\."
)
_RESERVED = 2


def is_allenai(keys):
    """Whether a file's keys are those of AllenAI's model.

    Args:
        keys: iterable of str.

    Returns:
        bool.
    """
    return any(_TELLTALE.match(key) for key in keys)


def without_reserved(array):
    """Drops the two rows of a position table [S + 2, D] that no token uses."""
    return array[_RESERVED:]


def to_led(key):
    """Returns the name that PyTorch's LED has for one of AllenAI's."""
    return f"led.{key[len(_PREFIX) :]}" if key.startswith(_PREFIX) else key


def to_ours(key):
    """Finds our path for one of AllenAI's names.

    Args:
        key: str.

    Returns:
        (path, transform) as `names.to_ours`; None if LED has no such weight.

    Example:
        >>> from tf_led.checkpoints.allenai_names import to_ours
        >>> path, transform = to_ours("model.encoder.embed_positions.weight")
        >>> path, transform.__name__
        ('encoder/embed_positions/embeddings', 'without_reserved')
    """
    row = names.to_ours(to_led(key))
    if row is not None and row[0].endswith("/embed_positions/embeddings"):
        return row[0], without_reserved
    return row
