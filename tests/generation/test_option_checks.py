"""Option values that are refused at once."""

import logging

import pytest

from tf_led.generation.option_checks import check_values
from tf_led.generation.option_names import DEFAULTS


def check(**given):
    check_values({**DEFAULTS, **given})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_beams", 0),
        ("num_beams", 2.0),
        ("num_return_sequences", "3"),
        ("max_length", 0),
        ("max_new_tokens", 1.5),
        ("min_length", -1),
        ("min_new_tokens", True),
        ("num_beam_groups", 0),
    ],
)
def test_counts_must_be_counts(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be an int.*got {value!r}"):
        check(**{name: value})


@pytest.mark.parametrize("value", ["2", True, float("nan"), float("inf")])
def test_the_length_penalty_must_be_a_number(value):
    check(length_penalty=-2)
    with pytest.raises(ValueError, match="`length_penalty` must be a number") as caught:
        check(length_penalty=value)
    assert f"got {value!r}." in str(caught.value)


@pytest.mark.parametrize("value", ["soon", -0.5])
def test_time_must_be_a_number(value):
    check(max_time=0)
    with pytest.raises(ValueError, match=f"`max_time` must .* 0 on, got {value!r}"):
        check(max_time=value)


@pytest.mark.parametrize("value", [1, "no", 0.0])
@pytest.mark.parametrize("name", ["do_sample", "use_cache", "renormalize_logits"])
def test_flags_must_be_true_or_false(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be True or False") as caught:
        check(**{name: value})
    assert f"got {value!r}." in str(caught.value)


@pytest.mark.parametrize("value", [1, "always"])
def test_early_stopping_has_three_values(value):
    for fine in (True, False, "never"):
        check(early_stopping=fine)
    with pytest.raises(ValueError, match=f"`early_stopping` must .*got {value!r}"):
        check(early_stopping=value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"diversity_penalty": 0.7}, "`diversity_penalty` is 0.7, which needs"),
        ({"num_beam_groups": 2}, "got 1 beams and 2 groups"),
        ({"num_beams": 5, "num_beam_groups": 2}, "got 5 beams and 2 groups"),
        ({"num_beams": 4, "num_beam_groups": 2}, "above 0 with 2 groups.*got 0.0"),
        (
            {"num_beams": 4, "num_beam_groups": 2, "do_sample": True},
            "`num_beam_groups` is 2, which needs `do_sample=False`",
        ),
        ({"penalty_alpha": 1.25}, "`penalty_alpha` must be from 0 to 1, got 1.25"),
        ({"penalty_alpha": -0.5}, "`penalty_alpha` must be from 0 to 1, got -0.5"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        check(**given)


def test_what_goes_together_passes():
    check(num_beams=6, num_beam_groups=3, diversity_penalty=0.5)
    check(penalty_alpha=0.6, top_k=4)
    check(penalty_alpha=0.0)


@pytest.mark.parametrize(
    "given", [{"do_sample": True}, {"num_beams": 3}, {"top_k": 1}, {"top_k": None}]
)
def test_a_penalty_without_contrastive_search_is_logged(given, caplog):
    with caplog.at_level(logging.WARNING):
        check(penalty_alpha=0.6, **given)
    assert "`penalty_alpha` (0.6) has no effect" in caplog.text
