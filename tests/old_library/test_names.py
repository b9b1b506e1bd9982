"""The list of names that tests/settings goes by is that of the old classes."""

import json

import pytest

from tests.old_library.conftest import IS_OLD
from tests.old_library.names import FILE, old_names


@pytest.mark.skipif(not IS_OLD, reason="asks the old classes: make test-old")
def test_the_list_is_that_of_the_old_classes():
    assert json.loads(FILE.read_text(encoding="utf-8")) == old_names()
