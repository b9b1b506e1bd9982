import copy
import pickle

import pytest
from tokenizers.models import BPE
from transformers import AddedToken

from tests.tokenization.conftest import BOTH, FILES
from tests.tokenization.make_golden import LONG, SHORT, TEXTS
from tf_led.tokenization.base import check_vocabulary


def test_a_block_for_targets_changes_nothing(tokenizer):
    with tokenizer.as_target_tokenizer():
        assert tokenizer(SHORT) == tokenizer(text_target=SHORT)


def test_documents_and_summaries_make_a_batch(tokenizer):
    batch = tokenizer.prepare_seq2seq_batch(
        [LONG, SHORT], [SHORT, SHORT], max_target_length=4, return_tensors="tf"
    )
    assert batch["input_ids"].shape == (2, 9)
    assert batch["labels"].shape == (2, 4)
    assert "labels" not in tokenizer.prepare_seq2seq_batch([LONG])


VOCAB, MERGES = {"<s>": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")]


def test_paths_and_values_pass():
    assert check_vocabulary(*FILES) == tuple(str(path) for path in FILES)
    assert check_vocabulary(VOCAB, MERGES) == (VOCAB, MERGES)


def test_merges_may_be_lines():
    assert check_vocabulary(VOCAB, ["a b"]) == (VOCAB, MERGES)


@pytest.mark.parametrize(
    ("vocab", "merges", "message"),
    [
        (None, MERGES, "`vocab_file` is missing in 'here'"),
        (VOCAB, None, "`merges_file` is missing in 'here'"),
        (VOCAB, FILES[1], "both as paths or both as values"),
        (FILES[0], MERGES, "both as paths or both as values"),
        (VOCAB, [("a", "b", "c")], r"`merges` must hold pairs.* got \('a', 'b', 'c'\)"),
    ],
)
def test_what_is_no_vocabulary_is_refused(vocab, merges, message):
    with pytest.raises(ValueError, match=message):
        check_vocabulary(vocab, merges, "here")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`merges_file`.*nowhere.txt"):
        check_vocabulary(FILES[0], tmp_path / "nowhere.txt")


VOCAB_base = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}


@pytest.mark.parametrize("cls", BOTH)
def test_made_of_paths_or_values_by_either_name(cls, tokenizer):
    vocab, merges = BPE.read_file(*(str(path) for path in FILES))
    expected = cls(*FILES)(TEXTS).data
    for made in (
        cls(str(FILES[0]), merges_file=str(FILES[1])),
        cls(vocab_file=FILES[0], merges_file=FILES[1]),
        cls(vocab, merges),
        cls(vocab=vocab, merges=merges),
        copy.deepcopy(tokenizer),
        pickle.loads(pickle.dumps(tokenizer)),
    ):
        assert made(TEXTS).data == expected


def test_special_tokens_beyond_the_vocabulary_are_added(tokenizer):
    small = type(tokenizer)(VOCAB_base, [], additional_special_tokens=["<sep>"])
    assert len(small) == 7
    assert small("a<mask><sep>").input_ids == [
        0,
        4,
        *small.additional_special_tokens_ids,
    ][:2] + [small.mask_token_id, *small.additional_special_tokens_ids, 2]


def test_tokens_keep_the_properties_they_are_given(tokenizer):
    token = AddedToken("<pad>", rstrip=True, special=True)
    made = type(tokenizer)(*FILES, pad_token=token)
    assert made.added_tokens_decoder[1].rstrip
    assert not made.added_tokens_decoder[0].rstrip


def test_made_of_tokenizer_json(tokenizer, tmp_path):
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(tmp_path, legacy_format=False)
    path = tmp_path / "tokenizer.json"
    made = type(tokenizer)(tokenizer_file=path)
    assert made("a <new> <mask>") == tokenizer("a <new> <mask>")
    spaced = type(tokenizer)(tokenizer_file=path, add_prefix_space=True)
    assert spaced("a").input_ids == tokenizer(" a").input_ids


def test_trained_anew_it_stays_what_it_is(tokenizer):
    trained = tokenizer.train_new_from_iterator([["aa ab aa ab"] * 5], 263)
    assert type(trained) is type(tokenizer) and len(trained) == 263
    assert trained.decode(trained("ab aa").input_ids, True) == "ab aa"


def test_what_cannot_be_built_is_refused(tokenizer, tmp_path):
    cls = type(tokenizer)
    with pytest.raises(ValueError, match="No tokenizer can.*Token `b` out of vocabul"):
        cls(VOCAB_base, [("a", "b")])
    with pytest.raises(
        ValueError, match="can be made of .*merges.txt and .*merges.txt"
    ):
        cls(FILES[1], FILES[1])
    with pytest.raises(
        ValueError, match="can be made of .*vocab.json and .*vocab.json"
    ):
        cls(FILES[0], FILES[0])
    with pytest.raises(ValueError, match="can be made of .*vocab.json"):
        cls(tokenizer_file=FILES[0])
    with pytest.raises(FileNotFoundError, match="`tokenizer_file`.*nowhere.json"):
        cls(tokenizer_file=tmp_path / "nowhere.json")
    with pytest.raises(ValueError, match="`vocab_file` is missing. An LED"):
        cls()
    with pytest.raises(TypeError, match="pad_token has to be either str or AddedToken"):
        cls(*FILES, pad_token=5)
