"""The ids that start, end and pad."""

import numpy as np
import pytest

from tf_led.generation.options import GenerationOptions
from tf_led.generation.special_tokens import check_vocabulary, resolve_special_tokens

NAMES = ("decoder_start_token_id", "bos_token_id", "eos_token_id", "pad_token_id")


def resolve(start=None, bos=None, eos=None, pad=None):
    values = dict(zip(NAMES, (start, bos, eos, pad), strict=True))
    resolve_special_tokens(values)
    return tuple(values[name] for name in NAMES if name != "bos_token_id")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"start": 3, "bos": 0, "eos": 5, "pad": 1}, (3, 5, 1)),
        ({"bos": 0, "eos": [5, 7]}, (0, [5, 7], 5)),
        ({"bos": 0, "eos": 7}, (0, 7, 7)),
        ({"bos": 0, "eos": []}, (0, None, None)),
        ({"start": [3, 5], "eos": np.int64(7)}, ([3, 5], 7, 7)),
    ],
)
def test_missing_ids_are_filled_in(given, expected):
    assert resolve(**given) == expected


def test_something_must_start_the_decoder():
    with pytest.raises(ValueError, match="`decoder_start_token_id` nor `bos_token_id`"):
        resolve(eos=2)


@pytest.mark.parametrize("wrong", [-3, 2.5, "2", True, [2, -3]])
@pytest.mark.parametrize("name", ["start", "eos", "pad"])
def test_ids_must_be_ids(name, wrong):
    with pytest.raises(ValueError, match="must be a token id.*got ") as caught:
        resolve(**{"bos": 0, "eos": 2, name: wrong})
    assert repr(wrong[-1] if isinstance(wrong, list) else wrong) in str(caught.value)


@pytest.mark.parametrize("wrong", [29, [2, 31]])
@pytest.mark.parametrize("name", ["decoder_start_token_id", "eos_token_id"])
def test_ids_must_be_in_the_vocabulary(name, wrong):
    check_vocabulary(GenerationOptions(**{name: 28}), 29)
    beyond = wrong[-1] if isinstance(wrong, list) else wrong
    with pytest.raises(ValueError, match=f"`{name}` is {beyond}, .* ids 0 to 28"):
        check_vocabulary(GenerationOptions(**{name: wrong}), 29)


def test_padding_must_be_in_the_vocabulary():
    with pytest.raises(ValueError, match="`pad_token_id` is 30, .* ids 0 to 28"):
        check_vocabulary(GenerationOptions(pad_token_id=30), 29)
