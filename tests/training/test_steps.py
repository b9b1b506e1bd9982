import warnings

import keras
import pytest
import tensorflow as tf

from tests.ops.graph_order import all_before
from tf_led.training.steps import num_replicas, sum_over_replicas, train_on
from tf_led.training.steps import test_on as measure


def test_alone():
    tensor = tf.constant([3.0, 5.0])
    assert num_replicas() == 1
    assert sum_over_replicas(tensor) is tensor


def test_outside_of_a_step():
    """What several replicas sum is tested with them, in test_distribution.py."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        tensor = tf.constant(3)
        assert sum_over_replicas(tensor) is tensor


class Two(keras.Model):
    """Learns one number; the other, `spare`, is in no loss."""

    def __init__(self):
        super().__init__()
        self.used = keras.layers.Dense(1, use_bias=False, name="used")
        self.spare = keras.layers.Dense(1, use_bias=False, name="spare")
        for layer in (self.used, self.spare):
            layer.build((None, 1))
            layer.kernel.assign([[2.0]])
        self.built = True

    def call(self, inputs, training=False):
        return self.used(inputs)

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        return tf.reduce_mean(y_pred)


def sum_loss(outputs):
    """The same loss, as a sum and a count."""
    return tf.reduce_sum(outputs), tf.cast(tf.size(outputs), tf.float32)


@pytest.fixture
def model():
    model = Two()
    model.compile(keras.optimizers.SGD(0.5), run_eagerly=True)
    return model


def test_weights_that_may_be_unused_are_left_alone(model):
    train_on(model, tf.ones([3, 1]), sum_loss, may_be_unused=["spare"])
    assert float(model.used.kernel[0, 0]) == 1.5
    assert float(model.spare.kernel[0, 0]) == 2.0
    # The optimizer knows them all the same, for the batch that uses them.
    assert len(model.optimizer._trainable_variables) == 2


def test_others_are_warned_of(model):
    with pytest.warns(UserWarning, match="do not exist .*spare/kernel"):
        train_on(model, tf.ones([3, 1]), sum_loss)


def test_batches_count_by_their_labels_in_the_reported_loss(model):
    for total, labels in ((5.0, 5.0), (4.0, 1.0), (0.0, 0.0)):
        loss = tf.constant(total), tf.constant(labels)
        measure(model, tf.ones([1, 1]), lambda outputs, loss=loss: loss)
    expected = 9 / 6
    assert float(model.get_metrics_result()["loss"]) == pytest.approx(expected)


def test_without_a_count_batches_count_by_their_rows(model):
    for value, rows in ((1.0, 5), (4.0, 1)):
        measure(model, tf.fill([rows, 1], value))
    assert float(model.get_metrics_result()["loss"]) == pytest.approx(3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train_on(model, tf.ones([3, 1]))
    assert float(model.used.kernel[0, 0]) == 1.5


def test_nothing_to_train_is_rejected(model):
    for layer in (model.used, model.spare):
        layer.trainable = False
    with pytest.raises(ValueError, match=f"`{model.name}` has no weight that trains"):
        train_on(model, tf.ones([3, 1]), sum_loss)


class Lookup(keras.Model):
    """Sums up what it looks up; the row of 5 is looked up twice."""

    def __init__(self):
        super().__init__()
        self.table = keras.layers.Embedding(7, 1, embeddings_initializer="zeros")
        self.table.build((None, None))
        self.built = True

    def call(self, inputs, training=False):
        return self.table(inputs)


def test_a_row_looked_up_twice_has_one_gradient():
    """Two slices of 1 each would have the norm of two rows, and half the square."""
    model = Lookup()
    model.compile(keras.optimizers.SGD(1.0, global_clipnorm=1.0), run_eagerly=True)
    ids = tf.constant([[5, 3, 5]])
    train_on(model, ids, lambda outputs: (tf.reduce_sum(outputs), tf.constant(1.0)))
    expected = [0, 0, 0, -1 / 5**0.5, 0, -2 / 5**0.5, 0]
    assert model.table.embeddings.numpy()[:, 0].tolist() == pytest.approx(expected)


def test_weights_change_only_when_all_gradients_are_there(model):
    """Weight decay needs none, and would work on a copy of weights still being read."""
    model.compile(keras.optimizers.AdamW(0.5))
    step = tf.function(lambda x: train_on(model, x, sum_loss, ["spare"]))
    graph = step.get_concrete_function(tf.TensorSpec([3, 1])).graph
    (kernel,) = model.used.trainable_variables
    (handle,) = [
        inner for outer, inner in graph.captures if outer is kernel.value.handle
    ]
    decay, update = [
        op for op in handle.consumers() if op.type == "AssignSubVariableOp"
    ]
    for change in (decay, update):
        # A product, such as the gradient of a kernel.
        assert "MatMul" in {op.type for op in all_before(change)}
