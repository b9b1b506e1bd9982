"""The tokenizer of 562 tokens that every test of this part asks."""

import pytest

from tests.tokenization.make_golden import DATA
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast

FILES = (DATA / "vocab.json", DATA / "merges.txt")
BOTH = (LEDTokenizer, LEDTokenizerFast)


@pytest.fixture
def slow():
    return LEDTokenizer(*FILES)


@pytest.fixture
def fast():
    return LEDTokenizerFast(*FILES)


@pytest.fixture(params=BOTH, ids=lambda cls: cls.__name__)
def tokenizer(request):
    return request.param(*FILES)
