"""The model card of the bundled model, with the figures of its report."""

CARD = """\
---
library_name: transformers
pipeline_tag: summarization
license: apache-2.0
language: en
tags: [led, tf_led, tensorflow, keras, pytorch, code]
---

# The bundled model

A Longformer Encoder-Decoder of 2.1 million parameters that reads up to 4,096 tokens. It
was trained by `tf-led train` on two processor cores, on the Python source that lay on
one machine: source without its docstring is the document, the docstring's first
sentence the summary. `make bundled-model` in the repository makes it anew.

**Good for** a first sentence about a Python function or class, for trying `tf-led` out,
for tests, and as a start for fine-tuning on source. **Not for** prose, other
languages, or anything that has to be right: it mostly puts the words of names into the
phrases that documentation uses, and it invents. Whole modules are beyond it more often
than not.

## Measured

ROUGE-L (F1 with stemming, 0 to 100) with 95 % intervals by bootstrap, over the whole
test part: packages of which nothing was learnt, and without documents whose source, or
name and summary, also occur in what was. All summaries are scored by the same code.

{tables}
A frequent phrase in front of the name's words ("Return the ...") already says much of
what a first sentence says. How far the model is above it, and not above the words
alone, is what it knows of the source beyond phrases. A module's name is not in its
source: its baselines know more than the model does.
"""
TABLE = """\
### {kind}: {examples:,} from {packages} packages

| | ROUGE-L | 95 % interval |
|---|---|---|
{rows}
"""


def card(report):
    """Writes the model card.

    Args:
        report: dict as `report.measure` returns it.

    Returns:
        str, Markdown behind a header of YAML.

    Example:
        >>> from examples.bundled_model.card import card
        >>> score = {"mean": 30.0, "low": 29.0, "high": 31.0}
        >>> part = {"examples": 5, "packages": 1, "rougeL": {"first line": score}}
        >>> "| first line | 30.0 | 29.0 to 31.0 |" in card({"function": part})
        True
    """
    return CARD.format(tables="\n".join(table(k, one) for k, one in report.items()))


def table(kind, part):
    """Writes the table of one kind of documents, the best first.

    Args:
        kind: str.
        part: dict of `examples`, `packages` and `rougeL`.

    Returns:
        str, Markdown.
    """
    ranked = sorted(part["rougeL"].items(), key=lambda item: -item[1]["mean"])
    lines = [
        f"| {name} | {one['mean']:.1f} | {one['low']:.1f} to {one['high']:.1f} |"
        for name, one in ranked
    ]
    titles = {"class": "Classes", "all": "All together"}
    title = titles.get(kind, f"{kind.capitalize()}s")
    return TABLE.format(
        kind=title,
        examples=part["examples"],
        packages=part["packages"],
        rows="\n".join(lines),
    )
