import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import BatchEncoding

from tf_led.models.inputs.named_inputs import (
    NamedInputs,
    by_name,
    is_mapping,
    plain_dict,
    static_or_dynamic,
)

IDS, MASK = np.array([[3, 5], [7, 11]]), np.array([[1, 1], [1, 0]])


class Masked(NamedInputs, keras.layers.Layer):
    """Returns ids where the mask is 1, plus an offset."""

    def call(self, input_ids=None, attention_mask=None, offset=0):
        ids = tf.cast(input_ids, tf.int32)
        if attention_mask is not None:
            ids *= tf.cast(attention_mask, tf.int32)
        return ids + offset


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {"input_ids": IDS, "attention_mask": MASK}),
        ((IDS, MASK), {}),
        ((IDS,), {"attention_mask": MASK}),
        (({"input_ids": IDS, "attention_mask": MASK},), {}),
        (({"input_ids": IDS},), {"attention_mask": MASK}),
        ((BatchEncoding({"input_ids": IDS, "attention_mask": MASK}),), {}),
        (([IDS, MASK],), {}),
        (((tf.constant(IDS), tf.constant(MASK)),), {}),
        ((IDS.tolist(), MASK.tolist()), {}),
        ((IDS.tolist(),), {"attention_mask": MASK}),
        ((), {"input_ids": IDS.tolist(), "attention_mask": MASK.tolist()}),
    ],
)
def test_ways_to_call(args, kwargs):
    np.testing.assert_array_equal(Masked()(*args, **kwargs), IDS * MASK)


def test_a_list_may_leave_one_out():
    np.testing.assert_array_equal(Masked()([IDS, None]), IDS)


def test_symbolic_inputs():
    ids, mask = (keras.Input([None], dtype="int32", name=n) for n in ("ids", "mask"))
    outputs = Masked()({"input_ids": ids, "attention_mask": mask, "offset": 3})
    model = keras.Model([ids, mask], outputs)
    np.testing.assert_array_equal(model([IDS, MASK]), IDS * MASK + 3)


def test_unknown_names_are_rejected():
    with pytest.raises(
        ValueError, match="'token_type_ids', which Masked does not take"
    ):
        Masked()({"input_ids": IDS, "token_type_ids": IDS})
    with pytest.raises(ValueError, match="input_ids, attention_mask, offset"):
        Masked()({"inputs": IDS})


def test_inputs_given_twice_are_rejected():
    with pytest.raises(ValueError, match="'input_ids' are given twice"):
        Masked()({"input_ids": IDS}, input_ids=IDS)
    with pytest.raises(ValueError, match="'attention_mask' are given twice"):
        Masked()(IDS.tolist(), MASK.tolist(), attention_mask=MASK)


def test_a_dict_stands_alone():
    with pytest.raises(ValueError, match="only positional argument; got 1 more"):
        Masked()({"input_ids": IDS}, MASK)


def test_too_many_are_rejected():
    with pytest.raises(TypeError, match="too many positional arguments"):
        Masked()([IDS] * 4)


def test_by_name():
    layer = Masked()
    for inputs in (
        {"input_ids": IDS, "attention_mask": MASK},
        BatchEncoding({"input_ids": IDS, "attention_mask": MASK}),
        [IDS, MASK],
        (IDS, MASK),
    ):
        named = by_name(layer, inputs)
        assert type(named) is dict
        assert named["input_ids"] is IDS and named["attention_mask"] is MASK
    assert by_name(layer, IDS) == {"input_ids": IDS}


def test_mappings():
    encoding = BatchEncoding({"input_ids": IDS})
    assert is_mapping(encoding) and is_mapping({}) and not is_mapping([IDS])
    assert plain_dict(encoding) == {"input_ids": IDS}
    assert type(plain_dict(encoding)) is dict
    assert plain_dict(IDS) is IDS


def test_static_or_dynamic():
    @tf.function(input_signature=[tf.TensorSpec([None, 5])])
    def sizes(tensor):
        first, second = (static_or_dynamic(tensor, axis) for axis in (0, 1))
        assert tf.is_tensor(first) and second == 5
        return first

    assert sizes(tf.ones([3, 5])) == 3
