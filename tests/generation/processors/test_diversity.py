import numpy as np
import pytest
import tensorflow as tf

from tf_led.generation.processors import HammingDiversity

BATCH, BEAMS, GROUPS, VOCAB = 2, 6, 3, 11


def lower_row_by_row(scores, taken, group, penalty):
    """What the paper says: one penalty for each earlier beam that took the token."""
    result, group_len = scores.copy(), BEAMS // GROUPS
    for row in range(len(scores)):
        document = row // group_len
        for beam in range(group * group_len):
            result[row, taken[document, beam]] -= penalty
    return result


@pytest.mark.parametrize("group", [0, 1, 2])
def test_each_earlier_beam_counts(group):
    rng = np.random.default_rng(group)
    scores = rng.normal(size=[BATCH * BEAMS // GROUPS, VOCAB]).astype(np.float32)
    scores[1, 3] = -np.inf
    taken = rng.integers(0, 4, [BATCH, BEAMS])
    taken[:, group * 2 :] = 3  # not chosen yet; must not count
    rule = HammingDiversity(0.7, BEAMS, GROUPS)
    expected = lower_row_by_row(scores, taken, group, 0.7)
    result = rule.bind(taken, group)(scores, [[0]], 1)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    result = rule.bind(taken, tf.constant(group))(scores, [[0]], 1)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert np.array_equal(scores, expected) == (group == 0)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((0.0, 4, 2), "`diversity_penalty` .* above 0, got 0.0"),
        ((0.5, 1, 2), "`num_beams` .* at least 2, got 1"),
        ((0.5, 4, 1), "`num_beam_groups` .* at least 2, got 1"),
        ((0.5, 4, 7), r"`num_beam_groups` .* `num_beams` \(4\), got 7"),
    ],
)
def test_a_bad_value_is_named(values, named):
    with pytest.raises(ValueError, match=named):
        HammingDiversity(*values)


def test_it_does_not_run_without_its_group():
    with pytest.raises(ValueError, match=r"penalty=0.5, .* called without its group"):
        HammingDiversity(0.5, 4, 2)([[0.0]], [[0]], 1)
