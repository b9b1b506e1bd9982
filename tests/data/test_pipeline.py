import numpy as np
import pytest

from tf_led.data import make_dataset
from tf_led.data.batching import BatchMaker, BatchPlan
from tf_led.data.encode import encode_examples
from tf_led.data.pipeline import one_epoch
from tf_led.testing import tiny_config

OPTIONS = {"batch_size": 3, "max_source_length": 11, "max_target_length": 7}
PAIRS = [("abcdefghijklm"[:n], "a" * (n % 3 + 1)) for n in range(1, 12)]


def documents(batches):
    """The ids of every document, in the order in which they come."""
    return [
        row[row != 1].tolist()
        for batch in batches
        for row in batch["input_ids"].numpy()
    ]


def test_passes_differ_and_repeat_from_the_seed(letters):
    first, second = (make_dataset(PAIRS, letters, **OPTIONS, seed=5) for _ in range(2))
    passes = [documents(first) for _ in range(3)]
    iter(second)  # made and not used, as Keras makes some
    assert [documents(second) for _ in range(3)] == passes
    assert passes[0] != passes[1] != passes[2] and first.cardinality() == 4
    assert sorted(passes[0]) == sorted(passes[1])


def test_lengths_of_the_config(letters):
    config = tiny_config(max_encoder_position_embeddings=5)
    (batch,) = make_dataset([("abcdefgh", "a")], letters, batch_size=1, config=config)
    assert batch["input_ids"].shape == [1, 5]
    with pytest.raises(ValueError, match="`max_target_length` is None .* `config`"):
        make_dataset([("a", "a")], letters, batch_size=1, max_source_length=5)


def test_without_shuffling_and_without_labels(letters):
    batches = make_dataset(
        [{"document": text} for text, _ in PAIRS],
        letters,
        **OPTIONS,
        summary_key=None,
        shuffle=False,
    )
    expected = letters([text for text, _ in PAIRS], max_length=11, truncation=True)
    assert documents(batches) == expected["input_ids"]
    assert sorted(batches.element_spec) == [
        *("attention_mask", "global_attention_mask", "input_ids")
    ]


@pytest.mark.parametrize(
    ("options", "record", "marked"),
    [
        ({}, {"document": "ab"}, "<s>"),
        (
            {"global_tokens": "question", "question_key": "q"},
            {"document": "ab", "q": "xy"},
            "<s>xy",
        ),
        (
            {"global_tokens": "separators", "separator": "<doc>"},
            {"document": ["ab", "c", "d"]},
            "<s><doc><doc>",
        ),
        ({"global_tokens": lambda ids: ids == 7}, {"document": "abcb"}, "bb"),
    ],
)
def test_global_tokens_by_rule(letters, options, record, marked):
    record["summary"] = "a"
    batch = next(iter(make_dataset([record], letters, **OPTIONS, **options)))
    ids = batch["input_ids"].numpy()[batch["global_attention_mask"].numpy() == 1]
    assert "".join(letters.convert_ids_to_tokens(ids)) == marked


def test_a_rule_for_questions_needs_one(letters):
    with pytest.raises(ValueError, match="is 'question', but `question_key` is None"):
        make_dataset(PAIRS, letters, **OPTIONS, global_tokens="question")


def test_going_on_within_an_epoch(letters):
    limits = {
        name: OPTIONS[name] for name in ("max_source_length", "max_target_length")
    }
    encoded = encode_examples(PAIRS, letters, **limits)
    plan = BatchPlan(encoded.sources.lengths, batch_size=3)
    maker = BatchMaker(encoded, 1)
    whole = documents(one_epoch(plan, maker, epoch=2))
    parts = [(0, 1), (1, 3), (3, None)]
    again = [
        documents(one_epoch(plan, maker, epoch=2, first=first, stop=stop))
        for first, stop in parts
    ]
    assert sum(again, []) == whole and len(whole) == len(PAIRS)
    both = one_epoch(plan, maker, epoch=2, num_shards=2, shards=(0, 1))
    assert documents(both) == whole and len(both) == 2 * len(plan)


def test_shards_together_are_the_whole(letters):
    def shard(number, of):
        options = {"num_shards": of, "shard": number, "seed": 7}
        return list(make_dataset(PAIRS, letters, **OPTIONS, **options))

    pairs = zip(shard(0, 2), shard(1, 2), strict=True)
    assert documents([part for pair in pairs for part in pair]) == documents(
        shard(0, 1)
    )


@pytest.mark.parametrize(("shard", "of"), [(2, 2), (-1, 2), (0, 0)])
def test_a_shard_that_there_is_not_raises(letters, shard, of):
    with pytest.raises(ValueError, match=f"got {shard} of {of}"):
        make_dataset(PAIRS, letters, **OPTIONS, num_shards=of, shard=shard)


def test_padding_and_fit_shapes(letters):
    batches = make_dataset(
        PAIRS, letters, **OPTIONS, pad_to_multiple_of=4, pad_labels_to_multiple_of=8
    )
    lengths = {batch["input_ids"].shape[1] for batch in batches}
    assert lengths <= {4, 8, 11}
    assert {batch["labels"].shape[1] for batch in batches} == {7}
    assert all(np.any(batch["labels"].numpy() == -100) for batch in batches)
