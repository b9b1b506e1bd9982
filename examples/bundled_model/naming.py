"""Examples that teach nothing but copying: source in, the words of its name out.

Names are random words, so that none can be guessed; a first line marks the task, so
that it is not mistaken for that of writing summaries.
"""

import random

from examples.bundled_model.baselines import last_part, words_of
from examples.bundled_model.renamed import replaced, words

MARK = "# name\n"
CHARS = 250  # of the source
MOST_WORDS = 5
SHARE = 0.8  # of the words that become others


def naming(rows, names, seed):
    """Makes an example of every row that has a name of a few words.

    Args:
        rows: list of dict with `document` and `name`.
        names: list of str, the words to draw from.
        seed: int.

    Returns:
        List of dict with `document`, `summary` and `name`.

    Example:
        >>> from examples.bundled_model.naming import naming
        >>> row = {"document": "def cut(rope): cut(rope)", "name": "cut"}
        >>> naming([row] * 9, ["tree"], seed=0)[1]["summary"]
        'tree'
    """
    source = random.Random(seed)
    found = [example(row, names, source) for row in rows]
    return [one for one in found if one and one["name"] in one["document"]]


def example(row, names, source):
    old = last_part(row["name"])
    parts = list(dict.fromkeys(words(old)))
    if not 1 <= len(parts) <= MOST_WORDS:
        return None
    new = {
        word: source.choice(names)
        for word in parts
        if len(word) > 2 and source.random() < SHARE
    }
    name = replaced(old, new, endings=("",))
    document = MARK + replaced(row["document"][:CHARS], new, endings=("",))
    return {"document": document, "summary": " ".join(words_of(name)), "name": name}
