"""Simple summaries of source, none of which has a model: what it has to beat."""

import collections
import re

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name):
    """Splits an identifier into its words.

    Args:
        name: str.

    Returns:
        List of str in lower case.

    Example:
        >>> from examples.bundled_model.baselines import words_of
        >>> words_of("HTTPServer.get_fileName2")
        ['http', 'server', 'get', 'file', 'name', '2']
    """
    return [word.lower() for word in WORD.findall(name)]


class NearestName:
    """The summary, among those to learn from, whose name is most like the document's.

    Likeness is the words in common over all words of both; the first of equals wins.

    Args:
        rows: list of dict with `name` and `summary`.

    Example:
        >>> from examples.bundled_model.baselines import NearestName
        >>> nearest = NearestName([{"name": "open_file", "summary": "Opens a file."}])
        >>> nearest({"name": "File.open_all"})
        'Opens a file.'
    """

    def __init__(self, rows):
        self.words = [frozenset(words_of(last_part(row["name"]))) for row in rows]
        self.summaries = [row["summary"] for row in rows]
        self.places = collections.defaultdict(list)
        for place, words in enumerate(self.words):
            for word in words:
                self.places[word].append(place)

    def __call__(self, row):
        """Finds the summary for one document.

        Args:
            row: dict with `name`.

        Returns:
            str.
        """
        words = frozenset(words_of(last_part(row["name"])))
        shared = collections.Counter(p for w in words for p in self.places.get(w, ()))
        if not shared:
            return self.summaries[0]
        return self.summaries[
            max(shared, key=lambda p: (shared[p] / len(words | self.words[p]), -p))
        ]


def last_part(name):
    return name.rsplit(".", 1)[-1]


def first_comment(row):
    found = re.search(r"^\s*#\s*(.+)$", row["document"], re.MULTILINE)
    return found[1] if found else ""


def baselines(learnt):
    """Every baseline by its name.

    Args:
        learnt: list of dict, the rows to learn from.

    Returns:
        Dict from str to a function from a row to a summary.
    """
    most = collections.Counter(row["summary"] for row in learnt).most_common(1)[0][0]
    return {
        "first line of the source": lambda row: row["document"].split("\n", 1)[0],
        "line that defines it": lambda row: row["signature"],
        "words of the name": lambda row: " ".join(words_of(last_part(row["name"]))),
        "words of the qualified name": lambda row: " ".join(words_of(row["name"])),
        "'Return the' and words of the name": lambda row: " ".join(
            ["Return the", *words_of(last_part(row["name"]))]
        ),
        "first comment": first_comment,
        "most frequent summary": lambda row: most,
        "summary of the nearest name": NearestName(learnt),
    }
