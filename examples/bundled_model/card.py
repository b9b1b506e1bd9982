"""The model card of the bundled model, with the figures of its report."""

CARD = """\
---
library_name: transformers
pipeline_tag: summarization
license: apache-2.0
language: en
tags: [led, tf_led, tensorflow, keras, pytorch]
---

# The bundled model

A Longformer Encoder-Decoder of {millions} million parameters that reads up to 16,384
tokens of English technical text and says in one line what it is about. It was trained
by `tf-led train` in five runs on two shared processor cores, from weights that can
copy (`examples/bundled_model/start.py`). The fourth run begins with weights between
those of the two before it, and the model's own lie between those of the last two
(`examples/bundled_model/average.py`). `make bundled-model` in the repository makes it
anew.

**Good for** a first line about a program or a library, for trying `tf-led` out, for
tests, and as a start for fine-tuning. **Not for** anything that has to be right, long
manuals, news, stories, or other languages. It mostly copies words of the text into
phrases like those that Debian uses, and sometimes the wrong ones; it invents.

## Data

- **Package descriptions** of Debian: the long description is the document, the one-line
  synopsis the summary. The package's name is not put before the text; where the text
  itself says it, it stays.
- **Manual pages** in English, those installed on one Debian machine and those of
  {fetched} Debian packages, most of them small: the page without its NAME section,
  header and footer is the document, what the NAME line says behind the dash the
  summary. Names in the rest of the page stay.
- **Docstrings** of the Python files on that machine, learnt from only: the first
  sentence is the summary of the rest.

A source package is in one part whole, all of its versions and both kinds of text
together. Texts to learn from that share a sentence with a measured one are left out,
but for formulas that twelve families of packages or more have in common. Copies of a
text count once, and a synopsis is kept four times at most.

## Measured

F1 with stemming, 0 to 100, with 95 % intervals by bootstrap over the test part, of
which nothing was learnt or chosen; all summaries are scored by the same code. "First
sentence" is that below the heading DESCRIPTION where a page has one. LexRank and
TextRank read the first 100 sentences. The measured texts lie in the repository; this
gives the model's figures for one kind of them again, in some minutes:

    tf-led evaluate --data examples/bundled_model/measured/package.jsonl --batch-size 16

{tables}
## Held-out examples, drawn by a seed

{examples}
"""
TABLE = """\
### {title}: {examples:,} texts of {sources} source packages

| | ROUGE-L | 95 % interval | ROUGE-1 | 95 % interval | ROUGE-2 | 95 % interval |
|---|---|---|---|---|---|---|
{rows}

{verdict}
"""
EXAMPLE = """\
**{name}**: {document}

- reference: {summary}
- bundled model: {prediction}
"""
TITLES = {"package": "Package descriptions", "page": "Manual pages"}
COLUMNS = ("rougeL", "rouge1", "rouge2")
MODEL = "bundled model"


def card(report, num_fetched, num_parameters):
    """Writes the model card.

    Args:
        report: dict as `report.measure` returns it.
        num_fetched: int, packages of manual pages that were fetched.
        num_parameters: int, of the model.

    Returns:
        str, Markdown behind a header of YAML.
    """
    return CARD.format(
        fetched=num_fetched,
        millions=f"{num_parameters / 1e6:.1f}",
        tables="\n".join(table(kind, part) for kind, part in report.items()),
        examples="\n".join(
            example(one) for part in report.values() for one in part["shown"]
        ),
    )


def lead(scores):
    """How far the model is above the best baseline.

    Args:
        scores: dict as of `measure`.

    Returns:
        (str, float, bool): the baseline with the highest ROUGE-L, the points between,
        and whether the intervals of the two are apart.

    Example:
        >>> from examples.bundled_model.card import MODEL, lead
        >>> model = {"rougeL": {"mean": 30.0, "low": 29.0, "high": 31.0}}
        >>> first = {"rougeL": {"mean": 26.0, "low": 25.0, "high": 27.0}}
        >>> lead({MODEL: model, "first sentence": first})
        ('first sentence', 4.0, True)
    """
    ranks = {name: one["rougeL"] for name, one in scores.items()}
    model = ranks.pop(MODEL)
    best = max(ranks, key=lambda name: ranks[name]["mean"])
    points = model["mean"] - ranks[best]["mean"]
    return best, points, model["low"] > ranks[best]["high"]


def verdict(scores):
    """Says how the model stands beside the best baseline: str, a sentence."""
    best, points, is_apart = lead(scores)
    where = "above" if points > 0 else "below"
    high, low = scores[MODEL]["rougeL"]["high"], scores[best]["rougeL"]["low"]
    intervals = "are apart" if is_apart or high < low else "overlap"
    return (
        f"The model is {abs(points):.1f} ROUGE-L {where} the best of the others, "
        f"{best!r}; their intervals {intervals}."
    )


def table(kind, part):
    """Writes the table of one kind of texts, the best first.

    Args:
        kind: str.
        part: dict of `examples`, `sources` and `scores`.

    Returns:
        str, Markdown.

    Example:
        >>> from examples.bundled_model.card import table
        >>> score = {"mean": 30.0, "low": 29.0, "high": 31.0}
        >>> ours = {"rouge1": score, "rouge2": score, "rougeL": score}
        >>> scores = {"bundled model": ours, "A": ours}
        >>> part = {"examples": 5, "sources": 1, "scores": scores}
        >>> "| A | 30.0 | 29.0 to 31.0 |" in table("page", part)
        True
    """
    ranked = sorted(part["scores"].items(), key=lambda item: -item[1]["rougeL"]["mean"])
    rows = []
    for name, scores in ranked:
        cells = [name]
        for one in (scores[column] for column in COLUMNS):
            cells += [f"{one['mean']:.1f}", f"{one['low']:.1f} to {one['high']:.1f}"]
        rows.append(f"| {' | '.join(cells)} |")
    given = {"examples": part["examples"], "sources": part["sources"]}
    given["verdict"] = verdict(part["scores"])
    return TABLE.format(title=TITLES[kind], rows="\n".join(rows), **given)


def example(one):
    """Writes one example, with what Markdown would read as its own marks escaped."""
    return EXAMPLE.format(**{name: escaped(text) for name, text in one.items()})


def escaped(text):
    for mark in "\\`*_<[|":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())
