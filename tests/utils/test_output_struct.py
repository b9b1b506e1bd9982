import pickle

import keras
import pytest
import tensorflow as tf

from tf_led.utils.output_struct import OutputStruct


class Pair(OutputStruct):
    first: tf.Tensor
    second: tuple
    third: tf.Tensor


def make():
    return Pair(first=tf.constant(3.0), third=tf.constant([5.0, 7.0]))


def test_reads_by_attribute_key_and_position():
    pair = make()
    assert float(pair.first) == float(pair["first"]) == float(pair[0]) == 3.0
    assert pair.second is None and len(pair) == 2
    assert [float(v) for v in pair[1]] == [5.0, 7.0]
    assert len(pair[:1]) == 1 and list(pair) == ["first", "third"]


def test_a_field_that_is_set_changes_for_attribute_key_and_position():
    pair = make()
    pair.first = 11.0
    assert pair.first == pair["first"] == pair[0] == 11.0
    pair["third"] = 13.0
    assert pair.third == pair["third"] == pair[1] == 13.0
    pair.second = 17.0  # it was absent; positions follow the order of the fields
    assert list(pair) == ["first", "second", "third"] and pair[1] == 17.0
    pair.first = None
    assert pair.first is None and list(pair) == ["second", "third"]
    with pytest.raises(TypeError, match="no field 'fourth'"):
        pair["fourth"] = 1


def test_unknown_names_raise():
    with pytest.raises(TypeError, match="no field 'fourth'"):
        Pair(fourth=1)
    with pytest.raises(AttributeError, match="'fourth'"):
        _ = make().fourth


@pytest.mark.parametrize("jit_compile", [False, True])
def test_passes_through_tf_function(jit_compile):
    @tf.function(jit_compile=jit_compile)
    def double(pair):
        return tf.nest.map_structure(lambda t: 2 * t, pair)

    result = double(make())
    assert isinstance(result, Pair)
    assert float(result.first) == 6.0 and result.second is None


def test_keras_tree_walks_it():
    result = keras.tree.map_structure(lambda t: t + 1, make())
    assert isinstance(result, Pair) and float(result.first) == 4.0


def test_pickles():
    pair = pickle.loads(pickle.dumps(Pair(second=(1, 2))))
    assert isinstance(pair, Pair) and pair.second == (1, 2)
