import pytest

from tests.tokenization.conftest import FILES
from tf_led.tokenization.led_tokenizer import LEDTokenizerFast


def test_a_max_length_below_the_special_tokens_raises(fast):
    with pytest.raises(ValueError, match="at least 2, the number of special .* got 1"):
        fast("a b", truncation=True, max_length=1)
    with pytest.raises(ValueError, match="at least 4, the number of special .* got 3"):
        fast("a", "b", truncation=True, max_length=3)
    assert fast("a b", truncation=True, max_length=2).input_ids == [0, 2]
    plain = {"add_special_tokens": False, "truncation": True, "max_length": 1}
    assert len(fast("a b", **plain).input_ids) == 1


def test_words_need_a_tokenizer_that_puts_spaces(fast):
    with pytest.raises(ValueError, match="needs .* `add_prefix_space=True`"):
        fast(["a", "b"], is_split_into_words=True)
    spaced = fast(["a", "b"], is_split_into_words=True, add_prefix_space=True)
    made = LEDTokenizerFast(*FILES, add_prefix_space=True)
    assert made(["a", "b"], is_split_into_words=True) == spaced


def test_tokens_show_the_space_that_the_mask_absorbs(fast, slow):
    assert fast.tokenize("a <mask>") == ["a", " <mask>"]
    assert slow.tokenize("a <mask>") == ["a", "<mask>"]
