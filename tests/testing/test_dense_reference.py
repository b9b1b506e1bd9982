import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.led.modeling_led import LEDEncoderSelfAttention

from tf_led.testing import dense_led_attention, tiny_config

NAMES = ["query", "key", "value", "query_global", "key_global", "value_global"]


@st.composite
def cases(draw):
    """Sizes, a seed, and masks: padding anywhere, global tokens anywhere."""
    radius = draw(st.integers(2, 5))  # PyTorch's own fails at 1
    length = 2 * radius * draw(st.integers(1, 4))
    rows = draw(st.integers(1, 3))
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    padding = draw(st.sampled_from(["none", "right", "left", "scattered"]))
    fraction = draw(st.sampled_from([0.0, 0.1, 0.6, 1.0]))
    cut = rng.integers(0, length, [rows, 1])
    padding_mask = {
        "none": np.ones([rows, length], bool),
        "right": np.arange(length) <= cut,
        "left": np.arange(length) >= cut,
        "scattered": rng.random([rows, length]) < 0.7,
    }[padding]
    # Unequal numbers of global tokens, some of them on padding.
    global_mask = rng.random([rows, length]) < fraction * rng.random([rows, 1])
    heads, size = draw(st.sampled_from([(1, 5), (3, 2), (5, 3), (2, 7)]))
    return radius, heads, size, padding_mask, global_mask, seed


def make_attention(radius, heads, size, seed):
    config = tiny_config(
        attention_window=[2 * radius] * 2,
        d_model=heads * size,
        encoder_attention_heads=heads,
    )
    attention = LEDEncoderSelfAttention(config, layer_id=0).double().eval()
    generator = torch.Generator().manual_seed(seed)
    for weight in attention.parameters():
        noise = torch.randn(weight.shape, generator=generator).double()
        weight.data = 1.7 * noise / weight.shape[-1] ** 0.5
    return attention


def run_torch(attention, hidden, padding_mask, global_mask):
    """PyTorch's context and probabilities in our layout, unused global indices 0."""
    is_global = global_mask & padding_mask
    merged = np.where(is_global, 1.0, np.where(padding_mask, 0.0, -1.0))
    with torch.no_grad():
        context, local_probs, *rest = attention(
            torch.tensor(hidden),
            attention_mask=torch.tensor(merged) * torch.finfo(torch.float64).max,
            is_index_masked=torch.tensor(~padding_mask),
            is_index_global_attn=torch.tensor(is_global),
            is_global_attn=bool(is_global.any()),
            output_attentions=True,
        )
    batch, length = padding_mask.shape
    global_probs = np.zeros([batch, attention.num_heads, length, 0])
    if rest:
        is_used = np.arange(rest[0].shape[2]) < is_global.sum(axis=1)[:, None]
        global_probs = np.where(
            is_used[:, None, None], rest[0].numpy().swapaxes(2, 3), 0
        )
    context = context.numpy().reshape(batch, length, attention.num_heads, -1)
    return context, local_probs.numpy().swapaxes(1, 2), global_probs


def project(attention, hidden):
    for name in NAMES:
        with torch.no_grad():
            heads = getattr(attention, name)(torch.tensor(hidden)).numpy()
        heads = heads.reshape(*hidden.shape[:2], attention.num_heads, -1)
        yield heads / np.sqrt(heads.shape[-1]) if "query" in name else heads


@given(cases())
def test_equals_pytorch(case):
    radius, heads, size, padding_mask, global_mask, seed = case
    attention = make_attention(radius, heads, size, seed)
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal([*padding_mask.shape, heads * size])
    ours = dense_led_attention(
        *project(attention, hidden),
        padding_mask=padding_mask,
        global_mask=global_mask,
        radius=radius,
    )
    theirs = run_torch(attention, hidden, padding_mask, global_mask)
    for mine, torchs in zip(ours, theirs, strict=True):
        assert mine.shape == torchs.shape
        # PyTorch's softmax is float32 even here.
        np.testing.assert_allclose(mine, torchs, atol=5e-6, rtol=1e-5)


def test_shows_who_sees_whom():
    """Window 2 and equal scores: token 1 is global, token 5 padding."""
    ones = np.ones([1, 6, 1, 1])
    value = np.arange(6.0).reshape(1, 6, 1, 1)
    context, local_probs, global_probs = dense_led_attention(
        ones, ones, value, ones, ones, 10 * value,
        padding_mask=np.array([[True] * 5 + [False]]),
        global_mask=np.array([[False, True, False, False, False, True]]),
        radius=1,
    )  # fmt: skip
    third = 1 / 3
    drawing = [
        # global, left, self, right
        [1 / 2, 0, 1 / 2, 0],
        [0, 0, 0, 0],
        [third, 0, third, third],
        [1 / 4, 1 / 4, 1 / 4, 1 / 4],
        [third, third, third, 0],
        [0, 0, 0, 0],
    ]
    np.testing.assert_allclose(local_probs[0, 0], drawing)
    np.testing.assert_allclose(global_probs[0, 0, :, 0], [0.2] * 5 + [0])
    np.testing.assert_allclose(
        context[0, :, 0, 0], [1 / 2, 20.0, 2.0, 10 / 4, 8 / 3, 0.0]
    )


def test_head_mask_scales_the_probs_and_the_context():
    rng = np.random.default_rng(3)
    tensors = rng.standard_normal([6, 2, 7, 3, 5])
    masks = {
        "padding_mask": rng.random([2, 7]) < 0.8,
        "global_mask": rng.random([2, 7]) < 0.3,
    }
    scale = np.array([0.0, 0.5, 2.0])
    plain = dense_led_attention(*tensors, **masks, radius=2)
    scaled = dense_led_attention(*tensors, **masks, radius=2, head_mask=scale)
    np.testing.assert_allclose(scaled[0], plain[0] * scale[:, None])
    for mine, whole in zip(scaled[1:], plain[1:], strict=True):
        np.testing.assert_allclose(mine, whole * scale[:, None, None])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"radius": 0}, "`radius` must be at least 1, got 0"),
        ({"padding_mask": np.ones([2, 7])}, r"`padding_mask`.*got float64\[2, 7\]"),
        ({"global_mask": np.ones([2, 5], bool)}, r"`global_mask`.*got bool\[2, 5\]"),
    ],
)
def test_rejects_bad_arguments(wrong, message):
    good = {
        "padding_mask": np.ones([2, 7], bool),
        "global_mask": np.zeros([2, 7], bool),
        "radius": 2,
    }
    with pytest.raises(ValueError, match=message):
        dense_led_attention(*np.ones([6, 2, 7, 3, 5]), **{**good, **wrong})
