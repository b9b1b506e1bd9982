"""A progress bar on stderr."""

import sys

from tqdm import tqdm


def track(items, total, unit, shown):
    """Yields items, with a bar that counts them where `shown`.

    Args:
        items: iterable.
        total: int, or None if it is not known.
        unit: str, what an item is.
        shown: bool.

    Returns:
        Iterable of the items.

    Example:
        >>> from tf_led.pipelines.progress import track
        >>> list(track([3, 5], 2, "part", shown=False))
        [3, 5]
    """
    if not shown:
        return items
    return tqdm(items, total=total, unit=unit, file=sys.stderr, leave=False)
