"""Compiled decoding loops, of which a model keeps the few it used last."""

import gc
from collections import OrderedDict

# A loop holds its graph, some tens of megabytes for a large model.
MOST_LOOPS = 8


class CompiledLoops:
    """Keeps what `make` compiled for a key, and frees what was not used for longest.

    Args:
        most: int, how many are kept.

    Example:
        >>> from tf_led.models.generation.compiled_loops import CompiledLoops
        >>> loops = CompiledLoops(most=2)
        >>> [loops.get(key, lambda: key.upper()) for key in "abab"], len(loops)
        (['A', 'B', 'A', 'B'], 2)
    """

    def __init__(self, most=MOST_LOOPS):
        self._most = most
        self._loops = OrderedDict()

    def get(self, key, make):
        """Gives the loop of a key, newly made where none is kept.

        Args:
            key: hashable, what shapes the graph.
            make: callable without arguments.

        Returns:
            What `make` returned for this key.
        """
        if key not in self._loops:
            self._loops[key] = make()
            self._drop_oldest()
        self._loops.move_to_end(key)
        return self._loops[key]

    def _drop_oldest(self):
        if len(self._loops) > self._most:
            self._loops.popitem(last=False)
            # A graph and its function refer to each other.
            gc.collect()

    def clear(self):
        """Frees all of them."""
        self._loops.clear()

    def __len__(self):
        return len(self._loops)


def buffer_length(max_length, limit):
    """Rounds a length up, so that loops of nearly equal lengths share one.

    Args:
        max_length: int, what is needed.
        limit: int, the most that there may be; at least `max_length`.

    Returns:
        int, one of 16, 24, 32, 48, 64, 96 and so on, or `limit` where that is less.

    Example:
        >>> from tf_led.models.generation.compiled_loops import buffer_length
        >>> [buffer_length(n, limit=1025) for n in (3, 17, 33, 1000)]
        [16, 24, 48, 1024]
    """
    power = 16
    while power < max_length:
        power *= 2
    middle = power // 2 + power // 4
    return min(middle if power > 16 and middle >= max_length else power, limit)
