"""The pictures of the pages are what their scripts draw."""

import runpy

import numpy as np

from tests.contract.pages import ROOT

SCRIPT = runpy.run_path(str(ROOT / "docs/make/attention_pattern.py"))


def test_the_attention_pattern_is_drawn_from_the_reference():
    assert SCRIPT["PICTURE"].read_text(encoding="utf-8") == SCRIPT["draw"]()


def test_the_pattern_has_a_window_and_global_rows_and_columns():
    pattern = SCRIPT["attention_pattern"]()
    assert pattern[9].all() and pattern[:, 9].all()
    assert np.flatnonzero(pattern[17]).tolist() == [0, 9, *range(14, 21)]
