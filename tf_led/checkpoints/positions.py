"""Tables of position embeddings of another length, made out of the rows that are there.

Longformer (arXiv 2004.05150), section 5: copying the learned positions over and over
keeps what attention has learned of near neighbours, everywhere but at the seams.
"""

import operator

import numpy as np


def tile_rows(table, num_rows):
    """Repeats a table's rows from the first on until there are enough, or cuts it.

    Args:
        table: array[P, D].
        num_rows: int, P'.

    Returns:
        array[P', D] in the dtype of `table`; row i is row i modulo P of `table`.

    Example:
        >>> import numpy as np
        >>> from tf_led.checkpoints.positions import tile_rows
        >>> tile_rows(np.array([[1], [2], [3]]), 5)[:, 0].tolist()
        [1, 2, 3, 1, 2]
    """
    return table[np.arange(num_rows) % len(table)]


def check_positions(value, name):
    """Refuses what is no number of positions.

    Args:
        value: what the caller gave.
        name: str, its argument.

    Returns:
        int.

    Raises:
        ValueError: naming both.

    Example:
        >>> from tf_led.checkpoints.positions import check_positions
        >>> check_positions(16384, "max_positions")
        16384
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(f"`{name}` must be an int of at least 1, got {value!r}.")
    return number
