"""Stops that need Python at every token."""

import time

import numpy as np
import pytest
import tensorflow as tf
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import MaxLengthCriteria, PreTrainedTokenizerFast, StopStringCriteria

from tests.generation.torch_oracle import generate_ours, generate_theirs, make_torch_led
from tests.generation.toy_step import ToyStep, generate
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.stopping import (
    PythonStops,
    StopStrings,
    TokenBytes,
    build_stops,
    byte_alphabet,
)

WORDS = ["st", "op", "stop", "opera", "sto", "pper", "Ġstop", "las", "topper", "pped"]


@pytest.fixture(scope="module")
def tokenizer():
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: number for number, token in enumerate(letters + WORDS)}
    backend = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>")


@pytest.mark.parametrize(
    ("tokens", "stops"),
    [
        ("st op", True),
        ("stop", True),
        ("st opera", True),
        ("sto pper", True),
        ("las topper", True),
        ("s t o pped", True),
        ("Ġstop", True),
        ("stop a", False),
        ("st o", False),
        ("o p", False),
    ],
)
def test_the_newest_token_must_complete_the_string(tokenizer, tokens, stops):
    row = tokenizer.convert_tokens_to_ids(tokens.split())
    assert StopStrings("stop", tokenizer)(np.array([row])).tolist() == [stops]


def test_random_rows_stop_where_pytorch_stops(tokenizer):
    rng = np.random.default_rng(0)
    strings = ["stop", " stop", "op", "ästo", "rast"]
    pool = tokenizer.convert_tokens_to_ids([*"stopär Ġ", "Ã", "¤", *WORDS])
    rows = rng.choice([one for one in pool if one is not None], [3000, 5])
    ours = StopStrings(strings, tokenizer)(rows)
    theirs = StopStringCriteria(tokenizer, strings)(torch.tensor(rows), None)
    np.testing.assert_array_equal(ours, theirs)
    assert 300 < ours.sum() < 2700


def test_a_character_may_be_split_over_tokens(tokenizer):
    row = tokenizer.convert_tokens_to_ids(["Ã", "¤"])  # the two bytes of "ä"
    stops = StopStrings("ä", tokenizer)
    assert stops(np.array([row, row[::-1]])).tolist() == [True, False]


def test_ids_beyond_the_tokenizer_are_no_text(tokenizer):
    assert TokenBytes(tokenizer)[len(tokenizer) + 7] == b""
    row = [*tokenizer.convert_tokens_to_ids(["st"]), len(tokenizer) + 7]
    assert not StopStrings("st", tokenizer)(np.array([row])).any()


def test_byte_letters_are_those_of_the_tokenizers_library():
    alphabet = byte_alphabet()
    assert set(alphabet) == set(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(alphabet.values()) == list(range(256))
    text = "häß \n€"
    letters = pre_tokenizers.ByteLevel(False, use_regex=False).pre_tokenize_str(text)
    assert bytes(alphabet[letter] for letter in letters[0][0]) == text.encode()


@pytest.mark.parametrize("wrong", ["", [], ["a", ""], [7]])
def test_stop_strings_must_be_strings(tokenizer, wrong):
    with pytest.raises(ValueError, match="`stop_strings` must be") as caught:
        StopStrings(wrong, tokenizer)
    assert repr(wrong) in str(caught.value)


TOKENS = tf.constant([[2, 7, 5, 0], [2, 5, 7, 0], [2, 3, 5, 0]])
INPUTS = {
    "input_ids": np.arange(3, 18).reshape(3, 5),
    "attention_mask": np.ones([3, 5], int),
}


def last_is_5(input_ids, scores):
    return input_ids[:, -1] == 5


def is_three_long(input_ids, scores):
    return input_ids.shape[1] >= 3


def test_criteria_see_what_has_been_generated_and_any_of_them_stops():
    seen = []

    def remember(input_ids, scores):
        seen.append((input_ids.numpy().tolist(), scores))
        return False

    stops = PythonStops([remember, last_is_5])
    assert stops(TOKENS, tf.constant(3)).numpy().tolist() == [True, False, True]
    assert seen == [([[2, 7, 5], [2, 5, 7], [2, 3, 5]], None)]
    assert PythonStops([is_three_long])(TOKENS, 3).numpy().all()
    assert not PythonStops([is_three_long])(TOKENS, 2).numpy().any()


def test_scores_are_kept_for_criteria_when_they_are_asked_for():
    lengths = []
    stops = PythonStops(
        [lambda ids, scores: lengths.append(np.shape(scores)) or False],
        keeps_scores=True,
    )
    for number in range(2):
        stops.note(tf.zeros([3, 1, 11]))
        stops(TOKENS, number + 2)
    assert lengths == [(1, 3, 11), (2, 3, 11)]


@pytest.mark.parametrize("answer", [1, [True], np.zeros(3), None, [[True]] * 3])
def test_a_criterion_must_answer_with_bools(answer):
    with pytest.raises(ValueError, match=r"must return a bool or bool\[3\], got"):
        PythonStops([lambda ids, scores: answer])(TOKENS, 2)


def test_time_runs_out():
    stops = PythonStops(max_time=0.05)
    assert not stops(TOKENS, 2).numpy().any()
    time.sleep(0.06)
    assert stops(TOKENS, 2).numpy().all()


def test_nothing_to_ask_is_none():
    assert build_stops(GenerationOptions()) is None


def test_stop_strings_need_a_tokenizer():
    with pytest.raises(ValueError, match="`stop_strings` is 'end'.*`tokenizer`"):
        build_stops(GenerationOptions(stop_strings="end"))


@pytest.mark.parametrize(
    ("criteria", "named"),
    [
        (last_is_5, "must be a list, got <function last_is_5"),
        ([3], "holds 3, which is no function"),
        ([MaxLengthCriteria], "holds <class .*, which is no function"),
        ([MaxLengthCriteria(3)], "holds MaxLengthCriteria of transformers"),
    ],
)
def test_criteria_must_be_functions_of_ours(criteria, named):
    with pytest.raises(TypeError, match=f"`stopping_criteria` {named}"):
        build_stops(GenerationOptions(), criteria=criteria)


@pytest.mark.usefixtures("quiet_torch")
@pytest.mark.parametrize("eos_token_id", [2, None])
@pytest.mark.parametrize("beams", [1, 3])
def test_custom_criteria_stop_where_pytorch_stops(beams, eos_token_id):
    model = make_torch_led(3)
    options = {"max_new_tokens": 9, "num_beams": beams, "eos_token_id": eos_token_id}
    options |= {"return_dict_in_generate": True, "output_scores": True}

    def run(generate, convert):
        sizes = []

        def criterion(input_ids, scores, **kwargs):
            sizes.append((tuple(input_ids.shape), len(scores)))
            return convert(np.asarray(input_ids)[:, -1] % 5 == 1)

        found = generate(model, **INPUTS, **options, stopping_criteria=[criterion])
        return sizes, np.asarray(found.sequences).tolist()

    assert run(generate_ours, tf.constant) == run(generate_theirs, torch.tensor)


@pytest.mark.parametrize(
    "options",
    [
        {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
        {"penalty_alpha": 0.6, "top_k": 3},
        {"do_sample": True},
    ],
)
def test_the_other_searches_stop_too(options):
    options = GenerationOptions(max_length=11, pad_token_id=1, **options)
    step = ToyStep(11, extras=["decoder_hidden_states"])
    found = generate(
        step,
        step.new_cache([3, 5], options.width),
        options=options,
        prompt_ids=[[4], [4]],
        stopping_criteria=[lambda ids, scores: ids.shape[1] >= 5],
    )
    assert found.sequences.shape == (2, 5)
