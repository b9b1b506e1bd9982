import pytest
import torch  # noqa: F401  transformers' processors need it
from transformers.generation.logits_process import MinLengthLogitsProcessor

from tf_led.generation.processors import (
    CustomProcessor,
    MinLength,
    NoRepeatNGram,
    Temperature,
    as_processor,
    merge_processors,
)


def negate(input_ids, scores):
    return -scores


def test_others_follow_at_the_end():
    defaults = [MinLength(3, 1), NoRepeatNGram(2)]
    mine = Temperature(2.0)
    merged = merge_processors(defaults, [mine, negate])
    assert merged[:3] == [*defaults, mine]
    assert isinstance(merged[3], CustomProcessor) and merged[3].fn is negate
    assert merge_processors(defaults, None) == defaults


def test_one_of_the_same_type_takes_the_place_with_a_warning():
    defaults, mine = [MinLength(3, 1), NoRepeatNGram(2)], MinLength(5, 1)
    with pytest.warns(UserWarning, match="holds a MinLength, which the options"):
        merged = merge_processors(defaults, [mine])
    assert merged == [mine, defaults[1]]


def test_one_given_twice_counts_once():
    assert len(merge_processors([], [negate, negate])) == 1


@pytest.mark.parametrize(
    ("custom", "named"),
    [
        (5, "must be callable, got 5"),
        (MinLength, "holds the class MinLength, not a processor"),
        (MinLengthLogitsProcessor(3, 1), "MinLengthLogitsProcessor of transformers"),
    ],
)
def test_what_is_no_processor_is_named(custom, named):
    with pytest.raises(TypeError, match=named):
        as_processor(custom)


def test_what_is_no_list_is_named():
    with pytest.raises(TypeError, match="`logits_processor` must be a list, got <func"):
        merge_processors([], negate)
