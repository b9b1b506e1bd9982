"""Inputs: documents with every kind of padding and of global tokens."""

import numpy as np

BATCH = 3


def _tokens(rng, length, target):
    # 0, 1 and 2 are the special tokens.
    return {
        "input_ids": rng.integers(3, 29, [BATCH, length]),
        "decoder_input_ids": rng.integers(3, 29, [BATCH, target]),
    }


def _lengths(rng, length):
    """One full row, and others of any length from 1 on."""
    return np.array([length, *rng.integers(1, length + 1, BATCH - 1)])[:, None]


def _right_padded(rng, length, target):
    inputs = _tokens(rng, length, target)
    is_real = np.arange(length) < _lengths(rng, length)
    inputs["attention_mask"] = is_real.astype(int)
    inputs["input_ids"][~is_real] = 1
    return inputs


def _left_padded(rng, length, target):
    inputs = _tokens(rng, length, target)
    is_real = np.arange(length) >= length - _lengths(rng, length)
    inputs["attention_mask"] = is_real.astype(int)
    inputs["input_ids"][~is_real] = 1
    return inputs


def _globals_at(inputs, mask):
    inputs["global_attention_mask"] = mask.astype(int)
    return inputs


def _fraction(rng, inputs, fraction):
    return rng.random(inputs["input_ids"].shape) < fraction


def plain(rng, length, target):
    """No mask at all."""
    return _tokens(rng, length, target)


def no_globals(rng, length, target):
    """Right padding, and a global mask of zeros."""
    inputs = _right_padded(rng, length, target)
    return _globals_at(inputs, np.zeros_like(inputs["input_ids"]))


def first_global(rng, length, target):
    """Right padding, the first token of every row global."""
    inputs = _right_padded(rng, length, target)
    return _globals_at(inputs, np.arange(length) == 0 * inputs["input_ids"])


def left_padding(rng, length, target):
    """Left padding, the first real token and the last one global."""
    inputs = _left_padded(rng, length, target)
    is_real = inputs["attention_mask"] > 0
    first = is_real & (is_real.cumsum(axis=1) == 1)
    return _globals_at(inputs, first | (np.arange(length) == length - 1))


def unequal_globals(rng, length, target):
    """None in the first row, some in the second, many in the third."""
    inputs = _tokens(rng, length, target)
    return _globals_at(inputs, _fraction(rng, inputs, np.array([[0.0], [0.2], [0.8]])))


def all_global(rng, length, target):
    """Every token global, under right padding."""
    inputs = _right_padded(rng, length, target)
    return _globals_at(inputs, np.ones_like(inputs["input_ids"]))


def global_padding(rng, length, target):
    """Many global tokens, most of them on padding, which wins."""
    inputs = _right_padded(rng, length, target)
    padding = inputs["attention_mask"] == 0
    return _globals_at(inputs, padding | _fraction(rng, inputs, 0.1))


def tokenizer_padding(rng, length, target):
    """The global mask as the tokenizer pads it, with -1."""
    inputs = first_global(rng, length, target)
    padding = inputs["attention_mask"] == 0
    inputs["global_attention_mask"] = np.where(
        padding, -1, inputs["global_attention_mask"]
    )
    return inputs


def minus_one_inside(rng, length, target):
    """-1 on tokens that the attention mask keeps: cross-attention still sees them."""
    inputs = first_global(rng, length, target)
    hidden = _fraction(rng, inputs, 0.3)
    hidden[:, 0] = False
    inputs["global_attention_mask"] = np.where(
        hidden, -1, inputs["global_attention_mask"]
    )
    return inputs


def scattered_padding(rng, length, target):
    """Holes in the document, global tokens anywhere."""
    inputs = _tokens(rng, length, target)
    keep = ~_fraction(rng, inputs, 0.3)
    keep[:, length // 2] = True
    inputs["attention_mask"] = keep.astype(int)
    return _globals_at(inputs, _fraction(rng, inputs, 0.2))


def padded_targets(rng, length, target):
    """Decoder inputs padded on the right, on the left and in the middle."""
    inputs = first_global(rng, length, target)
    mask = np.ones([BATCH, target], int)
    mask[0, target - target // 3 :] = 0
    mask[1, : target // 3] = 0
    mask[2, target // 2] = target < 2
    inputs["decoder_attention_mask"] = mask
    inputs["decoder_input_ids"][mask == 0] = 1
    return inputs


PATTERNS = {
    function.__name__: function
    for function in (
        plain,
        no_globals,
        first_global,
        left_padding,
        unequal_globals,
        all_global,
        global_padding,
        tokenizer_padding,
        minus_one_inside,
        scattered_padding,
        padded_targets,
    )
}


def make_inputs(pattern, seed, length, target=7):
    """int64 arrays by argument name; the same arguments give the same inputs."""
    return PATTERNS[pattern](np.random.default_rng(seed), length, target)
