"""Both tokenizers against the golden answers of transformers 4.57.6, and as classes."""

import importlib.util
import itertools
import json
import subprocess
import sys

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import tf_led
from tests.tokenization.conftest import BOTH, FILES
from tests.tokenization.make_golden import DATA, ask, cases, offsets
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast

GOLDEN = json.loads((DATA / "golden.json").read_text(encoding="utf-8"))
METHODS = sorted({method for _, _, method, *_ in GOLDEN})


@pytest.mark.filterwarnings("ignore:.max_length. is ignored")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cls", BOTH)
def test_answers_are_those_of_transformers_4(cls, method):
    asked = [
        (case, answer)
        for classes, *case, answer in GOLDEN
        if cls.__name__ in classes and case[1] == method
    ]
    assert asked or method == "prepare_for_tokenization"
    wrong = [(case, answer) for case, answer in asked if ask(cls, *case) != answer]
    assert wrong == []


def test_golden_answers_are_there_for_most_cases():
    every = itertools.chain(cases(), offsets())
    asked = {json.dumps(case, sort_keys=True) for case in every}
    answered = {json.dumps(case[1:-1], sort_keys=True) for case in GOLDEN}
    assert answered <= asked
    assert len(answered) > 0.9 * len(asked) > 500


@pytest.mark.parametrize(
    "text", ["Hello <mask> you", "a  <mask>", "naïve\u3000日本 x", "a</s>b"]
)
def test_ids_are_the_librarys_but_for_the_space_before_the_mask(text):
    theirs = transformers.LEDTokenizer(*(str(path) for path in FILES))
    mask = transformers.AddedToken("<mask>", lstrip=True, special=True)
    theirs.add_special_tokens({"mask_token": mask})
    for cls in BOTH:
        assert cls(*FILES)(text).data == theirs(text).data


@pytest.mark.parametrize("cls", BOTH)
def test_each_class_is_itself_and_transformers_own(cls):
    tokenizer = cls(*FILES)
    other = LEDTokenizer if cls is LEDTokenizerFast else LEDTokenizerFast
    assert isinstance(tokenizer, cls)
    assert not isinstance(tokenizer, other)
    assert isinstance(tokenizer, transformers.LEDTokenizer)
    assert isinstance(tokenizer, transformers.PreTrainedTokenizerBase)
    assert getattr(tf_led, cls.__name__) is cls
    assert cls.__name__ in repr(tokenizer)


def test_names_of_files_and_inputs(tokenizer):
    names = tokenizer.vocab_files_names
    assert (names["vocab_file"], names["merges_file"]) == ("vocab.json", "merges.txt")
    assert tokenizer.model_input_names == ["input_ids", "attention_mask"]
    assert LEDTokenizerFast.slow_tokenizer_class is LEDTokenizer


def test_import_and_use_bring_neither_torch_nor_tensorflow():
    source = (
        "import json, sys\n"
        "from tf_led import LEDTokenizer, LEDTokenizerFast\n"
        "for cls in (LEDTokenizer, LEDTokenizerFast):\n"
        f"    tokenizer = cls({str(FILES[0])!r}, {str(FILES[1])!r})\n"
        "    ids = tokenizer(['a b', 'c'], padding=True, return_tensors='np')\n"
        "    tokenizer.batch_decode(tokenizer.pad(ids)['input_ids'])\n"
        "print(json.dumps(sorted({'torch', 'tensorflow'} & sys.modules.keys())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
    # Otherwise there would be nothing to bring.
    assert importlib.util.find_spec("torch") and importlib.util.find_spec("tensorflow")


TOKENIZERS = {cls: cls(*FILES) for cls in BOTH}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=17)


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_text_comes_back_from_its_ids(text):
    for tokenizer in TOKENIZERS.values():
        ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        assert tokenizer.decode(ids["input_ids"]) == text


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(5, 13), st.booleans())
def test_a_batch_is_its_rows(texts, max_length, has_pair):
    options = {"truncation": "longest_first", "max_length": max_length}
    pairs = texts[::-1] if has_pair else [None] * len(texts)
    for tokenizer in TOKENIZERS.values():
        batch = tokenizer(texts, pairs if has_pair else None, **options)
        for row, text, pair in zip(batch["input_ids"], texts, pairs, strict=True):
            alone = tokenizer([text], None if pair is None else [pair], **options)
            assert alone["input_ids"] == [row]
            assert len(row) <= max_length


IDS = [70, 71, 72, 73]


def test_ids_and_tokens_count_as_texts(slow):
    assert slow.encode(IDS) == [0, *IDS, 2]
    assert slow.encode(["a", "Ġb"], IDS) == [*slow("a b").input_ids, 2, *IDS, 2]
    assert slow.encode("a b", IDS) == [*slow("a b").input_ids, 2, *IDS, 2]
    encoded = slow.encode_plus(IDS, max_length=5, return_overflowing_tokens=True)
    assert encoded["overflowing_tokens"] == [73]


def test_a_batch_may_hold_ids(slow):
    batch = slow.batch_encode_plus([IDS, "a b", (IDS, "a b")], padding=True)
    assert batch["input_ids"][0] == [0, *IDS, 2, *[1] * 4]
    assert batch["input_ids"][2] == slow.encode(IDS, "a b")
    assert [sum(mask) for mask in batch["attention_mask"]] == [6, 4, 10]


def test_a_call_takes_no_ids_and_ids_have_no_offsets(slow, fast):
    for rejecting in (slow, fast, fast.encode):
        with pytest.raises(ValueError, match="`text.*must be a str.* got 70"):
            rejecting(IDS)
    with pytest.raises(ValueError, match="`return_offsets_mapping` needs text"):
        slow.encode_plus(IDS, return_offsets_mapping=True)


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
