import warnings

import pytest

from tf_led.data.report import SHOWN, DataError, DataReport


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
