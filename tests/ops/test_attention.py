import numpy as np
import pytest
import tensorflow as tf

from tests.ops.dense import assert_close, dense_window, make_window
from tf_led.ops.attention import ATTENTION_IMPLEMENTATIONS, get_attention, is_grouped


@pytest.mark.parametrize("name", ATTENTION_IMPLEMENTATIONS)
def test_every_implementation_equals_dense_attention(name):
    query, key, value, global_key, global_value = make_window(23, 3).tensors
    masks = make_window(23, 3).masks
    context, probs = get_attention(name)(
        query,
        key,
        value,
        global_key=global_key,
        global_value=global_value,
        **masks,
        radius=5,
        scale=1.0,
        output_attentions=True,
    )
    tensors = [query, key, value, global_key, global_value]
    assert_close(context, dense_window(*tensors, **masks, radius=5))
    assert probs.shape == [2, 3, 23, 3 + 11]
    is_query = np.repeat(masks["query_mask"][:, None], 3, axis=1)
    np.testing.assert_allclose(probs.numpy().sum(-1), is_query, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "max_bytes"),
    [("grouped", 1 << 30), ("grouped:0.5GB", 512 << 20), ("grouped:2GB", 2 << 30)],
)
def test_a_name_may_bound_the_memory_of_a_step(name, max_bytes):
    assert get_attention(name).keywords == {"max_bytes": max_bytes}
    assert is_grouped(name)


@pytest.mark.parametrize(("devices", "name"), [([], "loop"), (["GPU:0"], "grouped")])
def test_auto_goes_by_the_devices(monkeypatch, devices, name):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: devices)
    assert get_attention("auto") is ATTENTION_IMPLEMENTATIONS[name]
    assert is_grouped("auto") == (name == "grouped")


def test_a_further_row_is_not_taken_for_grouped(monkeypatch):
    """Nor does it need `max_bytes`; `generate` chooses its own kernels by this."""
    monkeypatch.setitem(ATTENTION_IMPLEMENTATIONS, "dense", dense_window)
    assert get_attention("dense") is dense_window
    assert not is_grouped("dense")


@pytest.mark.parametrize(
    "name",
    [
        "flash",
        "grouped:many",
        "grouped:0.0GB",
        "grouped:2",
        "loop:2GB",
        "auto:2GB",
        None,
    ],
)
def test_a_name_that_is_not_known_raises(name):
    with pytest.raises(ValueError, match=f"`attention_implementation` is {name!r}"):
        get_attention(name)
