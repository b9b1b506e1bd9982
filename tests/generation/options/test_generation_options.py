"""Resolved options: what follows from them, and what a graph takes as tensors."""

import copy
import pickle

import pytest
import tensorflow as tf

from tf_led.generation.options.generation_options import GenerationOptions


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


def test_unknown_names_are_rejected():
    with pytest.raises(TypeError, match="num_beamz"):
        GenerationOptions(num_beamz=3)
    with pytest.raises(AttributeError, match="'num_beamz'"):
        _ = GenerationOptions().num_beamz


def test_outputs_need_return_dict():
    assert not GenerationOptions(output_scores=True).is_requested("scores")
    options = GenerationOptions(output_scores=True, return_dict_in_generate=True)
    assert options.is_requested("scores") and not options.is_requested("logits")


def test_contrastive_search_needs_hidden_states_of_the_step():
    options = GenerationOptions(penalty_alpha=0.6, top_k=4)
    assert options.needs_from_step("hidden_states")
    assert not options.needs_from_step("attentions")
    assert not options.is_requested("hidden_states")
    assert not GenerationOptions().needs_from_step("hidden_states")


def test_inputs_stand_in_the_place_of_options():
    options = GenerationOptions(max_length=9, num_beams=3, max_new_tokens=8)
    fewer = options.with_tensors(max_new_tokens=tf.constant(5))
    assert (fewer.num_beams, fewer.max_length) == (3, 9)
    assert options.length_limit(prompt_len=2) == 9
    assert int(fewer.length_limit(prompt_len=2)) == 7
    assert "max_new_tokens=<tf.Tensor" in repr(fewer)


def test_numbers_become_tensors_and_what_shapes_the_graph_is_the_key():
    options = GenerationOptions(max_length=9, num_beams=3, length_penalty=0.5, top_k=7)
    fixed, tensors = options.split_tensors(prompt_len=2, length=16)
    assert (
        int(tensors["max_new_tokens"]) == 7 and float(tensors["length_penalty"]) == 0.5
    )
    assert (fixed.max_length, fixed.num_beams, fixed.top_k) == (16, 3, 7)
    other = GenerationOptions(max_length=11, num_beams=3, length_penalty=2.0, top_k=7)
    assert other.split_tensors(prompt_len=2, length=16)[0] == fixed
    # A penalty that is off makes no processor, so it is part of the key.
    penalty = GenerationOptions(max_length=9, num_beams=3, repetition_penalty=1.5)
    assert penalty.split_tensors(prompt_len=2, length=16)[0] != fixed
    assert "repetition_penalty" not in tensors
