import numpy as np
import pytest

from tf_led.data.batches import BatchMaker, padded_length
from tf_led.data.encode import Encoded
from tf_led.data.token_rows import TokenRows

SOURCES = [[0, 5, 7, 11, 2], [0, 3, 2], [0, 13, 17, 2]]
TARGETS = [[0, 5, 2], [0, 2], [0, 13, 11, 2]]


def token_rows(rows):
    return TokenRows(np.concatenate(rows).astype("int32"), np.cumsum([*map(len, rows)]))


@pytest.fixture
def encoded():
    return Encoded(token_rows(SOURCES), token_rows(TARGETS), None)


def test_a_batch_as_drawn(encoded):
    make = BatchMaker(encoded, 1, pad_to_multiple_of=4, pad_labels_to_multiple_of=3)
    batch = make([1, 0])
    assert {name: array.tolist() for name, array in batch.items()} == {
        "input_ids": [[0, 3, 2, 1, 1, 1, 1, 1], [0, 5, 7, 11, 2, 1, 1, 1]],
        "attention_mask": [[1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0]],
        "global_attention_mask": [[1, 0, 0, 0, 0, 0, 0, 0]] * 2,
        "labels": [[0, 2, -100], [0, 5, 2]],
    }
    assert {array.dtype for array in batch.values()} == {np.dtype("int32")}


def test_padding_stops_at_the_models_limit():
    rows = [[0] * 5, [0] * 3]
    assert padded_length(rows, 4, None) == 8
    assert padded_length(rows, 4, 7) == 7
    assert padded_length(rows, 1, 7) == 5


def test_the_parts_of_a_batch_are_the_batch(encoded):
    make = BatchMaker(encoded, 1)
    parts = [make([2, 0, 1], shard, 2) for shard in range(2)]
    rows = [row[row != 1].tolist() for part in parts for row in part["input_ids"]]
    assert rows == [SOURCES[2], SOURCES[0], SOURCES[1]]
    assert [part["input_ids"].shape for part in parts] == [(2, 5), (1, 3)]


def test_a_worker_without_an_example_has_one_that_does_not_count(encoded):
    idle = BatchMaker(encoded, 1)([2], 1, 2)
    assert idle["input_ids"].tolist() == [SOURCES[2]]
    assert idle["labels"].tolist() == [[-100] * 4]


def test_a_rule_that_does_not_fit_is_refused(encoded):
    with pytest.raises(ValueError, match=r"shape \[2\] for 3 ids"):
        BatchMaker(encoded, 1, lambda ids: np.ones(2))([1])


@pytest.mark.parametrize("multiple", [0, -3, 2.5, None])
@pytest.mark.parametrize("name", ["pad_to_multiple_of", "pad_labels_to_multiple_of"])
def test_a_multiple_that_is_none_is_refused(encoded, name, multiple):
    message = f"`{name}` must be an int of at least 1, got {multiple}"
    with pytest.raises(ValueError, match=message):
        BatchMaker(encoded, 1, **{name: multiple})
