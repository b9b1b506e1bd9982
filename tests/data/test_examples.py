import datasets
import pytest

from tf_led.data.examples import Example, Keys, name_of, read_examples
from tf_led.data.report import DataReport


def read(source, keys=None, **options):
    return list(read_examples(source, DataReport(name_of(source), **options), keys))


def test_a_file_a_dataset_dicts_and_pairs_give_the_same(tmp_path):
    rows = [{"document": "a b", "summary": "a"}, {"document": "c", "summary": "d"}]
    file = tmp_path / "two.jsonl"
    file.write_text(
        '{"document": "a b", "summary": "a"}\n{"document": "c", "summary": "d"}\n'
    )
    pairs = [("a b", "a"), ["c", "d"]]
    expected = [("a b", "a", None), ("c", "d", None)]
    for source in (file, str(file), datasets.Dataset.from_list(rows), rows, pairs):
        assert [example[:3] for example in read(source)] == expected
    assert [example.place for example in read(file)] == [f"{file}:1", f"{file}:2"]
    assert read(iter(pairs))[1].place == "examples, item 2"


def test_keys_of_the_users_own():
    record = {"text": ["a", "b"], "title": "t", "why": "q", "more": 3}
    keys = Keys("text", "title", "why", "<doc>")
    assert read([record], keys) == [Example("a<doc>b", "t", "q", "examples, item 1")]
    assert read([{"document": "a"}], Keys(summary=None))[0].summary is None


BAD = [
    ({"summary": "a"}, "the key 'document' is missing; it has 'summary'"),
    ({}, "the key 'document' is missing; it has none"),
    ({"document": "a", "summary": None}, "'summary' must be text, got None"),
    ({"document": ["a"], "summary": "a"}, "'document' must be text, got ['a']"),
    ({"document": " \n", "summary": "a"}, "'document' is empty"),
    ({"document": "a", "summary": ""}, "'summary' is empty"),
    ({"document": "a\ud800", "summary": "a"}, "'document' has a lone surrogate"),
    (
        "a text",
        "a record must be an object or a (document, summary) pair, got 'a text'",
    ),
    (("a",), "a record must be an object or a (document, summary) pair, got ('a',)"),
]


@pytest.mark.parametrize(("record", "reason"), BAD)
def test_a_bad_record_is_left_out_with_place_and_reason(record, reason):
    report = DataReport("mine")
    with pytest.warns(UserWarning) as warned:
        kept = list(read_examples([("a", "b"), record, ("c", "d")], report))
    assert [example.document for example in kept] == ["a", "c"] and report.bad == 1
    assert str(warned[0].message).startswith(f"mine, item 2: {reason}")


def test_a_strict_report_stops_at_the_first():
    with pytest.raises(ValueError, match="item 2: 'document' is empty"):
        read([("a", "b"), ("", "b"), ("", "")], strict=True)


def test_what_holds_no_examples_is_refused():
    with pytest.raises(TypeError, match="dicts or pairs, got int"):
        read(17)
    with pytest.raises(TypeError, match="splits.*got DatasetDict of 'train'"):
        read(datasets.DatasetDict(train=datasets.Dataset.from_list([{"a": "b"}])))
