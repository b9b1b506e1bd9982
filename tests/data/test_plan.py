import numpy as np
import pytest

from tf_led.data.plan import BatchPlan

LENGTHS = np.random.default_rng(0).integers(3, 4096, 1009)


def batches(plan, epoch):
    return [plan.rows(epoch, step).tolist() for step in range(len(plan))]


def test_every_example_comes_once_an_epoch():
    plan = BatchPlan(LENGTHS, batch_size=7)
    for epoch in (0, 5):
        found = sorted(row for rows in batches(plan, epoch) for row in rows)
        assert found == list(range(1009))
    assert len(plan) == 145  # the last of 144 x 7 + 1 is alone


def test_the_order_repeats_from_the_seed_and_differs_by_epoch():
    one, same = (BatchPlan(LENGTHS, batch_size=7, seed=3) for _ in range(2))
    other = BatchPlan(LENGTHS, batch_size=7, seed=4)
    # Asked for in another order, as a run that goes on does.
    assert batches(same, 2) == batches(one, 2) and batches(one, 0) == batches(same, 0)
    assert batches(one, 0) != batches(one, 1)
    assert batches(one, 0) != batches(other, 0)


def test_a_batch_holds_documents_of_similar_length():
    def padding(plan):
        kept = [LENGTHS[rows] for rows in batches(plan, 0)]
        return sum(len(part) * part.max() for part in kept) / LENGTHS.sum() - 1

    assert padding(BatchPlan(LENGTHS, batch_size=7)) < 0.05
    assert padding(BatchPlan(LENGTHS, batch_size=7, shuffle=False)) > 0.5


def test_long_and_short_batches_are_mixed():
    means = [
        LENGTHS[rows].mean() for rows in batches(BatchPlan(LENGTHS, batch_size=7), 0)
    ]
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.3


def test_without_shuffling_the_order_is_that_of_the_data():
    plan = BatchPlan([5, 7, 3], batch_size=2, shuffle=False)
    assert batches(plan, 0) == batches(plan, 1) == [[0, 1], [2]]


def test_the_remainder_can_be_left_out():
    plan = BatchPlan(LENGTHS, batch_size=7, drop_remainder=True)
    sizes = {len(rows) for rows in batches(plan, 0)}
    assert len(plan) == 144 and sizes == {7}
    left_out = set(range(1009)) - {row for rows in batches(plan, 0) for row in rows}
    others = set(range(1009)) - {row for rows in batches(plan, 1) for row in rows}
    assert left_out != others  # it is not the same one every time


@pytest.mark.parametrize("size", [0, -3, 2.5, True])
def test_a_wrong_batch_size_is_refused(size):
    with pytest.raises(ValueError, match=f"at least 1, got {size}"):
        BatchPlan(LENGTHS, batch_size=size)


@pytest.mark.parametrize("seed", [-1, None, 2.5])
def test_a_wrong_seed_is_refused_before_an_epoch_begins(seed):
    with pytest.raises(ValueError, match=f"`seed` must be .* at least 0, got {seed}"):
        BatchPlan(LENGTHS, batch_size=3, seed=seed)


def test_no_batch_is_refused():
    with pytest.raises(ValueError, match="`batch_size` is 5 and there are 3 examples"):
        BatchPlan([1, 2, 3], batch_size=5, drop_remainder=True)
