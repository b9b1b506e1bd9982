"""Everything that users of transformers or Keras can set, one row each.

The names come from the libraries: a new one fails here until it is decided. Those of
transformers 4.57.6 stand in old_names.json, see tests/old_library/names.py.
"""

import json
from pathlib import Path

import pytest

from tests.settings import (
    attributes,
    config_fields,
    environment,
    generation_fields,
    model_keywords,
    tokenizer_keywords,
)

OLD = json.loads((Path(__file__).parent / "old_names.json").read_text("utf-8"))
# For each kind of setting: every name, and a row for each.
TABLES = {
    "config": (config_fields.names(OLD), config_fields.ROWS),
    "config, later": (config_fields.later_names(), config_fields.LATER),
    "generation": (generation_fields.names(OLD), generation_fields.rows(OLD)),
    **model_keywords.tables(OLD),
    **tokenizer_keywords.tables(OLD),
    **attributes.tables(OLD),
    "environment": (set(environment.ROWS), environment.ROWS),
}
CASES = [(kind, name) for kind, (names, _) in TABLES.items() for name in sorted(names)]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Neither `max_new_tokens`"),
    pytest.mark.filterwarnings("ignore:.*drawn anew"),
]


@pytest.mark.parametrize(("kind", "name"), CASES)
@pytest.mark.filterwarnings("ignore:.* weights of another shape:UserWarning")
def test_it_is_obeyed_or_rejected_or_said_to_mean_nothing(kind, name):
    row = TABLES[kind][1].get(name)
    assert row is not None, f"decide what becomes of {name} ({kind})"
    row.check(name)


@pytest.mark.parametrize("kind", TABLES)
def test_there_is_no_row_that_nobody_can_set(kind):
    names, rows = TABLES[kind]
    assert set(rows) <= set(names)
