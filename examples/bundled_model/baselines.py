"""Summaries without a model: what the bundled one has to beat.

`python -m examples.bundled_model.baselines CORPUS FOLDER [PART]` writes what each of
them says of the test part into `KIND.jsonl`. It needs scikit-learn and sumy, which
nothing else does: the Makefile gives it an environment of its own.
"""

import re
import sys
from pathlib import Path

from examples.bundled_model.rows import read_rows, write_rows
from examples.bundled_model.texts import KINDS

NAME_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
HEADING = re.compile(r"^(?:DESCRIPTION|Description)\n", re.MULTILINE)
# Not behind "e.g." and its like.
SENTENCE = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=\S)|\n\s*\n")
TEXT_WORD = re.compile(r"[^\W\d_]\w*")
# LexRank and TextRank compare all sentences with all others.
MOST_SENTENCES = 100
NEIGHBOUR_CHARS = 20_000
NEIGHBOUR_WORDS = 200_000  # different ones that are told apart
BATCH = 200


def words_of_name(row):
    """The words of a name.

    Args:
        row: dict with `name`.

    Returns:
        str in lower case.

    Example:
        >>> from examples.bundled_model.baselines import words_of_name
        >>> words_of_name({"name": "XtGetKeyboard_focus2"})
        'xt get keyboard focus 2'
    """
    return " ".join(word.lower() for word in NAME_WORD.findall(row["name"]))


def sentences_of(text):
    """Cuts a text into sentences.

    Args:
        text: str.

    Returns:
        List of str without breaks of lines; paragraphs end sentences.
    """
    parts = (" ".join(part.split()) for part in SENTENCE.split(text))
    return [part for part in parts if part]


def first_sentence(row):
    r"""The first sentence, on a manual page that below the heading DESCRIPTION.

    Args:
        row: dict with `document`.

    Returns:
        str.

    Example:
        >>> from examples.bundled_model.baselines import first_sentence
        >>> first_sentence({"document": "SYNOPSIS\nls\n\nDESCRIPTION\nIt lists. So."})
        'It lists.'
    """
    heading = HEADING.search(row["document"])
    text = row["document"][heading.end() if heading else 0 :]
    return (sentences_of(text[:5000]) or [""])[0]


class Sentences:
    """What sumy calls a tokenizer, without the data that its own would download."""

    def to_sentences(self, text):
        return sentences_of(text)[:MOST_SENTENCES]

    def to_words(self, sentence):
        return TEXT_WORD.findall(sentence)


def best_sentence(summarizer, row):
    """The sentence that a summarizer of sumy takes out of a document."""
    from sumy.parsers.plaintext import PlaintextParser

    # sumy reads a line in capitals as a heading, and leaves it out.
    text = "\n\n".join(Sentences().to_sentences(row["document"]))
    document = PlaintextParser.from_string(text, Sentences()).document
    return " ".join(map(str, summarizer(document, 1))) or first_sentence(row)


def extracted(rows):
    """What LexRank and TextRank take out of the documents.

    Args:
        rows: list of n dict.

    Returns:
        Dict from the name of the way to list of n str.
    """
    from sumy.nlp.stemmers import Stemmer
    from sumy.summarizers.lex_rank import LexRankSummarizer
    from sumy.summarizers.text_rank import TextRankSummarizer
    from tqdm import tqdm

    found = {}
    for name, kind in (
        ("LexRank", LexRankSummarizer),
        ("TextRank", TextRankSummarizer),
    ):
        summarizer = kind(Stemmer("english"))
        found[name] = [best_sentence(summarizer, row) for row in tqdm(rows, desc=name)]
    return found


def nearest_summaries(rows, learnt):
    """Takes the summary of the most similar text to learn from.

    Args:
        rows: list of n dict.
        learnt: list of dict.

    Returns:
        List of n str, by the cosine of TF-IDF.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, max_features=NEIGHBOUR_WORDS)
    texts = [
        [row["document"][:NEIGHBOUR_CHARS] for row in part] for part in (learnt, rows)
    ]
    known = vectorizer.fit_transform(texts[0]).T.tocsr()
    vectors, found = vectorizer.transform(texts[1]), []
    for start in range(0, len(rows), BATCH):
        similar = (vectors[start : start + BATCH] @ known).toarray()
        found += [learnt[best]["summary"] for best in similar.argmax(axis=1)]
    return found


def baselines(rows, learnt):
    """What every baseline says.

    Args:
        rows: list of n dict.
        learnt: list of dict, texts of the same kind to learn from.

    Returns:
        Dict from the baseline's name to list of n str.
    """
    return {
        "first sentence": [first_sentence(row) for row in rows],
        "words of the name": [words_of_name(row) for row in rows],
        "nearest text's summary (TF-IDF)": nearest_summaries(rows, learnt),
        **extracted(rows),
    }


def write_baselines(corpus, folder, part="test"):
    """Writes `KIND.jsonl`: on each line a dict from the baseline's name to its text."""
    for kind in KINDS:
        rows = read_rows(Path(corpus) / f"{part}.{kind}.jsonl")
        said = baselines(rows, read_rows(Path(corpus) / f"train.{kind}.jsonl"))
        lines = [
            dict(zip(said, texts, strict=True))
            for texts in zip(*said.values(), strict=True)
        ]
        write_rows(Path(folder) / f"{kind}.jsonl", lines)


if __name__ == "__main__":
    write_baselines(*sys.argv[1:])
