import pytest

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
    for refusing in (slow, fast, fast.encode):
        with pytest.raises(ValueError, match="`text.*must be a str.* got 70"):
            refusing(IDS)
    with pytest.raises(ValueError, match="`return_offsets_mapping` needs text"):
        slow.encode_plus(IDS, return_offsets_mapping=True)
