"""The tolerances of parity, stated once."""

import numpy as np

from tests.parity.oracle import source_mask, target_mask

FORWARD = 1e-4
GRADIENT = 1e-3
# A gradient that is 0 but for rounding, as a key bias's, is measured against the model.
GRADIENT_FLOOR = 1e-6


def relative_error(mine, theirs):
    """Largest difference over the largest value of what is to be met."""
    mine, theirs = np.asarray(mine, "float64"), np.asarray(theirs, "float64")
    assert mine.shape == theirs.shape, (mine.shape, theirs.shape)
    assert np.isfinite(mine).all() and np.isfinite(theirs).all()
    if mine.size == 0:
        return 0.0
    return np.abs(mine - theirs).max() / max(np.abs(theirs).max(), 1e-30)


def assert_outputs_match(mine, theirs, inputs, tolerance=FORWARD):
    """Every field of both, rows of padding tokens apart."""
    assert set(mine) - {"encoder_global_attentions"} == set(theirs) - {
        "encoder_global_attentions"
    }
    assert "logits" in mine or "loss" in mine
    errors = {
        f"{name}[{i}]": relative_error(*pair)
        for name in theirs
        for i, pair in enumerate(_rows_that_count(name, mine, theirs, inputs))
    }
    wrong = {name: error for name, error in errors.items() if not error <= tolerance}
    assert not wrong, wrong


def _rows_that_count(name, mine, theirs, inputs):
    """Pairs of arrays for one field, cut down to the rows that are to be equal."""
    ours_of, theirs_of = _as_tuple(mine[name]), _as_tuple(theirs[name])
    assert len(ours_of) == len(theirs_of), name
    for ours, other in zip(ours_of, theirs_of, strict=True):
        assert ours.shape == other.shape, (name, ours.shape, other.shape)
        if name in ("loss", "encoder_global_attentions"):
            yield ours, other
        else:
            is_probs = name.endswith("attentions")
            queries = [np.moveaxis(a, 1, 2) if is_probs else a for a in (ours, other)]
            length = queries[0].shape[1]
            is_source = name.startswith("encoder")
            rows = source_mask(inputs) if is_source else target_mask(inputs, length)
            yield queries[0][rows], queries[1][rows]


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)
