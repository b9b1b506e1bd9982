import json

from tests.tokenization.conftest import FILES
from tf_led.tokenization.led_tokenizer import LEDTokenizer


def test_vocabulary_and_merges_as_dicts(slow):
    vocab = json.loads(FILES[0].read_text(encoding="utf-8"))
    merges = FILES[1].read_text(encoding="utf-8").splitlines()[1:]
    slow.add_tokens(["<new>"])
    assert slow.encoder == vocab and len(slow) == len(vocab) + 1
    assert slow.decoder == {token_id: token for token, token_id in vocab.items()}
    assert list(slow.bpe_ranks) == [tuple(line.split(" ")) for line in merges]
    assert list(slow.bpe_ranks.values()) == list(range(301))


def test_every_byte_has_its_character(slow):
    assert sorted(slow.byte_encoder) == list(range(256))
    assert slow.byte_encoder[ord(" ")] == "Ġ" and slow.byte_decoder["Ġ"] == ord(" ")
    assert len(slow.byte_decoder) == 256


def test_a_space_goes_before_words(slow):
    assert slow.prepare_for_tokenization("a", True, b=5) == (" a", {"b": 5})
    assert slow.prepare_for_tokenization("a") == ("a", {})
    assert slow.prepare_for_tokenization("\na", add_prefix_space=True) == ("\na", {})
    assert slow.prepare_for_tokenization("", True) == ("", {})


def test_special_tokens_that_are_added_get_a_name():
    slow = LEDTokenizer(*FILES)
    assert slow.add_tokens("<one>", special_tokens=True) == 1
    assert slow.add_tokens(["<two>"]) == 1
    assert slow.add_tokens(["<one>"], special_tokens=True) == 0
    assert slow.additional_special_tokens == ["<one>"]
    assert slow.decode(slow("a<one>").input_ids, skip_special_tokens=True) == "a"
