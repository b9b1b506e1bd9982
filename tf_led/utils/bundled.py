"""The small model that the package carries along."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "assets" / "bundled"
GOOD_FOR = "one-line summaries of English technical text"
NOT_FOR = "news, stories, other languages, or anything that has to be right"


def announcement():
    """What to tell those who named no model.

    Returns:
        str, one line.

    Example:
        >>> from tf_led.utils.bundled import announcement
        >>> announcement()[:23]
        'using the bundled model'
    """
    return f"using the bundled model: good for {GOOD_FOR}, not for {NOT_FOR}"
