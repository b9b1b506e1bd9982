import numpy as np
import pytest

from tests.ops.dense import assert_close, dense_window, make_window
from tf_led.ops.attention import ATTENTION_IMPLEMENTATIONS, get_attention


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


def test_a_name_that_is_not_known_raises():
    with pytest.raises(ValueError, match="`attention_implementation` is 'flash'"):
        get_attention("flash")
