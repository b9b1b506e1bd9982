"""Metrics that count labels, not batches."""

import keras
import tensorflow as tf

from tf_led.ops.losses import counted_labels, label_weights
from tf_led.training.steps import sum_over_replicas


@keras.saving.register_keras_serializable(package="tf_led")
class TokenAccuracy(keras.metrics.Mean):
    """The fraction of labels with the highest logit, over all batches and replicas.

    `compile(metrics=["accuracy"])` means this one where the model predicts tokens.
    Keras' own accuracy takes -100 and padding for labels that are always missed.

    Args:
        pad_token_id: int or None; labels of this id do not count, like those of -100.
        name: str.
        dtype: dtype or policy of the metric.

    Example:
        >>> from tf_led.training.metrics import TokenAccuracy
        >>> accuracy = TokenAccuracy(pad_token_id=1)
        >>> accuracy.update_state([[2, 0, -100, 1]], [[[0.0, 1.0, 3.0]] * 4])
        >>> float(accuracy.result())
        0.5
    """

    def __init__(self, pad_token_id=None, name="accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.pad_token_id = pad_token_id

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Counts the labels of one batch.

        Args:
            y_true: int[B, T]; -100 and `pad_token_id` do not count.
            y_pred: float[B, T, V].
            sample_weight: float[B] or float[B, T], or None.

        Example:
            >>> from tf_led.training.metrics import TokenAccuracy
            >>> accuracy = TokenAccuracy()
            >>> accuracy.update_state([[1, -100]], [[[0.0, 3.0], [0.0, 0.0]]])
            >>> float(accuracy.result())
            1.0
        """
        labels = tf.convert_to_tensor(y_true)
        counted = counted_labels(labels, self.pad_token_id)
        weights = label_weights(counted, sample_weight)
        best = tf.argmax(y_pred, axis=-1, output_type=labels.dtype)
        right = tf.reduce_sum(tf.where(best == labels, weights, 0.0))
        right, count = map(sum_over_replicas, (right, tf.reduce_sum(weights)))
        # Every replica writes down the same: it does not matter whose is read.
        super().update_state(tf.math.divide_no_nan(right, count), sample_weight=count)

    def get_config(self):
        """As `keras.metrics.Metric.get_config`."""
        return {**super().get_config(), "pad_token_id": self.pad_token_id}
