"""Stop strings against PyTorch's, on the tokens of a byte-level tokenizer."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, StopStringCriteria

from tf_led.generation.stop_strings import StopStrings, TokenBytes, byte_alphabet

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
