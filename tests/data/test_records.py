import warnings

import datasets
import pytest

from tf_led.data.records import (
    SHOWN,
    BadRecord,
    DataError,
    DataReport,
    Example,
    Keys,
    name_of,
    parse,
    read_examples,
    read_lines,
)


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


def test_what_holds_no_examples_raises():
    with pytest.raises(TypeError, match="dicts or pairs, got int"):
        read(17)
    with pytest.raises(TypeError, match="splits.*got DatasetDict of 'train'"):
        read(datasets.DatasetDict(train=datasets.Dataset.from_list([{"a": "b"}])))


def test_lines_have_the_numbers_that_an_editor_shows(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n   \n"b\\n"\n[3]')
    found = [(number, read()) for number, read in read_lines(file)]
    assert found == [(1, {"a": 1}), (4, "b\n"), (5, [3])]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "not JSON: Expecting ',' delimiter at column 8"),
        (b'{"a": "\xe9"}', "not in UTF-8: byte 0xe9 at offset 7"),
        ('{"a": 1}'.encode("utf-16"), "not in UTF-8: byte 0xff at offset 0"),
        ('{"a": 1}\n'.encode("utf-16-le"), "not in UTF-8: zero bytes in it"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5000, "not JSON that can be read: Exceeds the limit"),
    ],
)
def test_a_line_without_a_record_says_why(line, reason):
    with pytest.raises(BadRecord) as error:
        parse(line)
    assert str(error.value).startswith(reason)


def test_the_first_are_shown_and_the_others_counted():
    report = DataReport("a.jsonl")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        for number in range(SHOWN + 7):
            report.leave_out(f"a.jsonl:{number}", "empty")
    assert report.bad == SHOWN + 7 and len(shown) == SHOWN + 1
    assert str(shown[0].message) == "a.jsonl:0: empty; left out"
    assert "a.jsonl: more bad records" in str(shown[-1].message)


def test_nothing_left_is_an_error():
    with pytest.raises(DataError, match=r"a\.jsonl: no example .*: it is empty"):
        DataReport("a.jsonl").check()
    with pytest.raises(DataError, match="no example that can be used, 1,003 bad"):
        DataReport("a.jsonl", bad=1003).check()
    report = DataReport("a.jsonl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in (3, 4):
            report.leave_out(f"a.jsonl:{number}", "empty")
    with pytest.raises(DataError, match=r"2 bad records, the first a\.jsonl:3: empty"):
        report.check()
    DataReport("a.jsonl", examples=1).check()


def test_the_summary_names_what_happened_and_nothing_else():
    assert str(DataReport("a", examples=1234)) == "a: 1,234 examples"
    report = DataReport("a", False, 5, 2, 3, 1, 7000)
    assert str(report) == (
        "a: 5 examples; 2 bad records left out; 3 documents cut, 7,000 tokens of them "
        "left out; 1 summaries cut"
    )
    assert report.as_dict() == {
        "examples": 5,
        "bad": 2,
        "cut_documents": 3,
        "cut_summaries": 1,
        "cut_tokens": 7000,
    }
