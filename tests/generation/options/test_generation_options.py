"""Option values that are refused at once."""

import copy
import logging
import pickle

import pytest
import tensorflow as tf

from tf_led.generation.options.generation_options import (
    DEFAULTS,
    GenerationOptions,
    check_values,
)


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


@pytest.mark.parametrize(
    ("given", "mode", "width"),
    [
        ({}, "greedy", 1),
        ({"do_sample": True, "num_return_sequences": 3}, "sample", 3),
        ({"num_beams": 5, "num_return_sequences": 2}, "beam_search", 5),
        ({"num_beams": 5, "do_sample": True}, "beam_sample", 5),
        ({"num_beams": 6, "num_beam_groups": 3}, "group_beam_search", 6),
        ({"penalty_alpha": 0.6, "top_k": 4}, "contrastive_search", 4),
        ({"penalty_alpha": 0.6, "top_k": 1}, "greedy", 1),
        ({"penalty_alpha": 0.6, "top_k": None}, "greedy", 1),
        ({"penalty_alpha": 0.0, "top_k": 4}, "greedy", 1),
        ({"penalty_alpha": 0.6, "top_k": 4, "do_sample": True}, "sample", 1),
    ],
)
def test_mode_and_width_follow(given, mode, width):
    options = GenerationOptions(**given)
    assert (options.mode, options.width) == (mode, width)


@pytest.mark.parametrize(
    ("given", "ids"), [(None, ()), (7, (7,)), ([7, 5], (7, 5)), ((3,), (3,))]
)
def test_end_ids_are_a_tuple(given, ids):
    assert GenerationOptions(eos_token_id=given).eos_token_ids == ids


@pytest.mark.parametrize(
    ("given", "padding_id"),
    [
        ({"pad_token_id": 0, "eos_token_id": 5}, 0),
        ({"eos_token_id": [5, 7]}, 5),
        ({}, 0),
    ],
)
def test_something_always_pads(given, padding_id):
    assert GenerationOptions(**given).padding_id == padding_id


def test_equal_options_are_one_key_and_others_are_not():
    given = {"bad_words_ids": [[3, 5], [7]], "sequence_bias": {(2, 3): -1.5}}
    first, second = (
        GenerationOptions(**given),
        GenerationOptions(**copy.deepcopy(given)),
    )
    assert {first: 11}[second] == 11
    assert first != GenerationOptions(**{**given, "bad_words_ids": [[3, 5], [8]]})
    assert first != GenerationOptions(**{**given, "sequence_bias": {(2, 3): -1.25}})
    assert first.bad_words_ids == [[3, 5], [7]]


def test_options_survive_copying_and_pickling():
    options = GenerationOptions(num_beams=3, eos_token_id=[2, 5])
    assert copy.deepcopy(options) == options == pickle.loads(pickle.dumps(options))


def test_repr_shows_what_was_changed():
    text = repr(GenerationOptions(num_beams=3, top_k=50))
    assert text == "GenerationOptions(num_beams=3)"


def test_options_cannot_be_changed():
    with pytest.raises(AttributeError, match="num_beams=7"):
        GenerationOptions().num_beams = 7


def test_unknown_names_are_refused():
    with pytest.raises(TypeError, match="num_beamz"):
        GenerationOptions(num_beamz=3)
    with pytest.raises(AttributeError, match="'num_beamz'"):
        _ = GenerationOptions().num_beamz


def test_outputs_need_return_dict():
    assert not GenerationOptions(output_scores=True).asks_for("scores")
    options = GenerationOptions(output_scores=True, return_dict_in_generate=True)
    assert options.asks_for("scores") and not options.asks_for("logits")


def test_contrastive_search_needs_hidden_states_of_the_step():
    options = GenerationOptions(penalty_alpha=0.6, top_k=4)
    assert options.needs_from_step("hidden_states")
    assert not options.needs_from_step("attentions")
    assert not options.asks_for("hidden_states")
    assert not GenerationOptions().needs_from_step("hidden_states")


def test_inputs_stand_in_the_place_of_options():
    options = GenerationOptions(max_length=9, num_beams=3, max_new_tokens=8)
    fewer = options.with_inputs(max_new_tokens=tf.constant(5))
    assert (fewer.num_beams, fewer.max_length) == (3, 9)
    assert options.length_limit(prompt_len=2, length=9) == 9
    assert int(fewer.length_limit(prompt_len=2, length=9)) == 7
    assert "max_new_tokens=<tf.Tensor" in repr(fewer)
