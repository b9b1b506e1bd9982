import pytest

from examples.bundled_model import baselines

DOCUMENT = (
    "SYNOPSIS\ncut rope\n\nDESCRIPTION\nIt cuts, e.g. ropes. It\nties knots.\n\nEND"
)


@pytest.mark.parametrize(
    "document, sentence",
    [
        (DOCUMENT, "It cuts, e.g. ropes."),
        ("Cuts ropes\nin two.\n\nOr more.", "Cuts ropes in two."),
        ("No end", "No end"),
        ("", ""),
    ],
)
def test_first_sentence(document, sentence):
    assert baselines.first_sentence({"document": document}) == sentence


def test_sentences_end_at_points_and_paragraphs():
    text = "It cuts, e.g. ropes. It\nties knots!\n\nEND"
    cut = ["It cuts, e.g. ropes.", "It ties knots!", "END"]
    assert baselines.sentences_of(text) == cut


def test_words_of_name():
    assert baselines.words_of_name({"name": "XtCut_ropes.so2"}) == "xt cut ropes so 2"


def test_sumy_gets_sentences_and_words_from_here():
    cut = baselines.Sentences()
    assert cut.to_sentences("It cuts. It ties.") == ["It cuts.", "It ties."]
    assert cut.to_words("Cut 2 ropes_now!") == ["Cut", "ropes_now"]


def test_every_baseline_says_something_of_every_text():
    pytest.importorskip("sklearn", reason="only `make bundled-model` needs it")
    pytest.importorskip("sumy", reason="only `make bundled-model` needs it")
    rows = [{"name": "cut", "document": DOCUMENT}, {"name": "tie", "document": "Tie."}]
    learnt = [
        {"document": "ropes", "summary": "rope"},
        {"document": "tie", "summary": "t"},
    ]
    found = baselines.baselines(rows, learnt)
    assert found["nearest text's summary (TF-IDF)"] == ["rope", "t"]
    assert found["words of the name"] == ["cut", "tie"]
    assert all(text for texts in found.values() for text in texts)
    assert {"LexRank", "TextRank", "first sentence"} < {*found}
