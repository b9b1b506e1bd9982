import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_led.training.accumulation import accumulation_steps, build_optimizer
from tf_led.training.steps import train_on

# Labels: what a batch's mean is taken over. The second has none.
TARGETS = [[3.0, 5.0, -1.0, 2.0, 7.0], [], [11.0], [13.0, 17.0]]


class Guess(keras.Model):
    """Guesses one number; its loss is the squared error of the targets."""

    def __init__(self):
        super().__init__()
        self.guess = self.add_weight(shape=(), initializer="ones", name="guess")
        self.built = True

    def call(self, targets, training=False):
        return tf.fill(tf.shape(targets), tf.convert_to_tensor(self.guess))

    def train_step(self, data):
        def sum_loss(outputs):
            error = tf.reduce_sum(tf.math.squared_difference(data, outputs))
            return error, tf.cast(tf.size(data), tf.float32)

        return train_on(self, data, sum_loss)


def trained(optimizer, batches):
    model = Guess()
    model.compile(optimizer, run_eagerly=True)
    for targets in batches:
        model.train_step(tf.constant(targets))
    return model


def flat(batches):
    return [number for batch in batches for number in batch]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [1, 3, 2, 0], [2, 0, 3, 1]])
def test_batches_weigh_what_they_have_of_labels(order):
    """Two updates, each of them one large batch's."""
    batches = [TARGETS[i] for i in order]
    model = trained(keras.optimizers.SGD(0.1, gradient_accumulation_steps=2), batches)
    halves = [flat(batches[:2]), flat(batches[2:])]
    expected = trained(keras.optimizers.SGD(0.1), halves)
    np.testing.assert_allclose(model.guess, expected.guess, rtol=1e-6)
    losses = [m.get_metrics_result()["loss"] for m in (model, expected)]
    np.testing.assert_allclose(*[float(loss) for loss in losses], atol=20)


def test_nothing_happens_before_the_last():
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=3)
    model = trained(optimizer, TARGETS[:2])
    assert float(model.guess) == 1 and float(optimizer.label_total) == 5
    model.train_step(tf.constant(TARGETS[2]))
    assert float(model.guess) != 1 and float(optimizer.label_total) == 0


def test_a_step_that_overflows_leaves_no_trace():
    def optimizer():
        inner = keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)
        return keras.optimizers.LossScaleOptimizer(inner)

    batches = [TARGETS[0], [np.inf], TARGETS[3]]
    model = trained(optimizer(), batches)
    expected = trained(optimizer(), [TARGETS[0], TARGETS[3]])
    assert float(expected.guess) != 1
    np.testing.assert_allclose(model.guess, expected.guess, rtol=1e-6)


def test_the_count_is_saved_with_the_optimizer():
    """A run that is stopped between two batches of an update goes on rightly."""
    first = trained(
        keras.optimizers.SGD(0.1, gradient_accumulation_steps=2), TARGETS[:1]
    )
    state = [np.array(v) for v in first.optimizer.variables]
    again = Guess()
    again.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=2))
    build_optimizer(again.optimizer, again.trainable_variables)
    for variable, value in zip(again.optimizer.variables, state, strict=True):
        variable.assign(value)
    for model in (first, again):
        model.train_step(tf.constant(TARGETS[3]))
    assert float(first.guess) == float(again.guess) != 1


def test_a_built_optimizer_is_left_alone():
    optimizer = keras.optimizers.Adam()
    model = Guess()
    for _ in range(2):
        build_optimizer(optimizer, model.trainable_variables)
    assert accumulation_steps(optimizer) == 1
    assert not any("label_total" in v.path for v in optimizer.variables)
