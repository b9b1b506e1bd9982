"""The one error that a bad weight file raises, whatever is wrong with it."""


class CheckpointError(ValueError):
    """A weight file cannot be used as it is: one line that names the file and why."""


def one_line(thing, limit=200):
    """Writes a thing, a library's error or a name out of a file, on one short line.

    Args:
        thing: anything with a `str`.
        limit: Python int, the most characters.

    Returns:
        str without line breaks.
    """
    text = " ".join(str(thing).split())
    return text if len(text) <= limit else f"{text[:limit]}..."


def some(names, limit=3):
    """Lists the first few of many names, and says how many there are.

    Args:
        names: list of str.
        limit: Python int, how many are written out.

    Returns:
        str, such as "`a`, `b`, `c` and 4 more".
    """
    shown = ", ".join(f"`{one_line(name)}`" for name in names[:limit])
    more = len(names) - limit
    return f"{shown} and {more} more" if more > 0 else shown
