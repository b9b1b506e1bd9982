import pytest

from examples.bundled_model.splitting import (
    FORMULA_FAMILIES,
    NAMED,
    PARTS,
    family_of,
    part_of,
    sentences_of,
    without_shared_sentences,
)

SHARED = "This sentence stands in both texts."


def row(source, document):
    return {"source": source, "document": document}


@pytest.mark.parametrize(
    "source, family",
    [
        ("gcc-12", "gcc"),
        ("llvm-toolchain-14", "llvm-toolchain"),
        ("linux-6.1", "linux"),
        ("python3.11", "python"),
        ("0ad", "0ad"),
        ("gcc-11-cross", "gcc-cross"),
    ],
)
def test_versions_are_one_family(source, family):
    assert family_of(source) == family


@pytest.mark.parametrize("source", ["gcc-7", "ncurses5", "a", "7zip"])
def test_a_family_is_in_one_part(source):
    assert part_of(source) == part_of(family_of(source)) in PARTS


def test_the_shares_of_the_parts():
    parts = [
        part_of(f"source-{letter * n}") for letter in "abcd" for n in range(1, 501)
    ]
    assert 0.04 < parts.count("test") / len(parts) < 0.08
    assert 0.015 < parts.count("validation") / len(parts) < 0.05


def test_named_families_are_in_their_part():
    for part, families in NAMED.items():
        assert {part_of(family) for family in families} == {part}


def test_sentences_are_compared_by_their_words():
    text = (
        "A first one,\nof six words! Too short.\n\nA Title without a point\n\nThe end"
    )
    found = {"a first one of six words", "a title without a point"}
    assert sentences_of(text) == found


def test_a_text_that_shares_a_sentence_is_left_out():
    measured = [row("measured", f"It begins otherwise than that one. {SHARED}")]
    rows = [
        row("b", f"{SHARED} And more."),
        row("c", "This text has its own sentence."),
    ]
    assert without_shared_sentences(rows, measured) == rows[1:]


@pytest.mark.parametrize(
    "families, kept", [(FORMULA_FAMILIES - 2, 0), (FORMULA_FAMILIES, 1)]
)
def test_a_formula_does_not_count(families, kept):
    # Versions of one family are no further families.
    rows = [row(f"{'x' * (n + 1)}-{n}", SHARED) for n in range(families)]
    rows += [row("x-99", SHARED)]
    found = without_shared_sentences(rows, [row("measured", SHARED)])
    assert len(found) == kept * len(rows)
