"""A plugin of pytest: leaves out comparisons with a PyTorch that answers otherwise.

Ours computes what PyTorch's LED of transformers 5.23 computes, with every version that
is allowed. Tests compare with the transformers that is installed; these few meet what
was mended in it later. They run where that version is new enough.
"""

import functools
from importlib.metadata import version

import pytest
from packaging.version import Version

# {first transformers whose answer is ours: names of tests}
CHANGED = {
    "5.15": {
        "test_the_config_says_what_became_of_it",
        # transformers 5.0 itself imports torch where it is installed.
        "test_import_and_use_bring_neither_torch_nor_tensorflow",
        # It lacks arguments that later versions have.
        "test_there_is_no_row_that_nobody_can_set",
    },
    "5.23": {
        "test_sequence_bias",
        "test_bad_words",
        "test_any_words",
        "test_any_options",
        "test_exponential_decay",
        "test_allowed_tokens",
        "test_columns_that_do_not_count",
        "test_one_number_per_document_serves_its_beams",
        "test_encoder_repetition_over_the_beams_of_each_document",
        "test_random_options_give_pytorchs_tokens_and_scores",
    },
}


def pytest_collection_modifyitems(items):
    installed = Version(version("transformers"))
    for item in items:
        first = first_version(getattr(item, "originalname", item.name))
        if first is not None and installed < Version(first):
            reason = f"PyTorch's answer changed in transformers {first}"
            item.add_marker(pytest.mark.skip(reason=reason))


@functools.cache
def first_version(test):
    """The version that a test needs for its comparison, or None for any."""
    found = [first for first, tests in CHANGED.items() if test in tests]
    return found[0] if found else None
