"""From one state of a document to the scores of its classes."""

import keras
import tensorflow as tf

from tf_led.layers import sublayers


class ClassificationHead(keras.layers.Layer):
    """Scores classes: dropout, `dense`, tanh, dropout, `out_proj`.

    Call arguments: `pooled` float[B, D]; `training` bool. Returns float[B, E].

    Args:
        dim: Python int, D, of the states and in between.
        num_labels: Python int, E.
        dropout_rate: Python float.
        init_std: Python float, of the kernels.
        **kwargs: of `keras.layers.Layer`.

    Source: transformers 4.57, `LEDClassificationHead`.
    """

    def __init__(self, dim, num_labels, *, dropout_rate, init_std, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.num_labels = num_labels
        self.init_std = init_std
        policy = self.dtype_policy
        self.dropout = keras.layers.Dropout(dropout_rate, dtype=policy)
        self.dense = sublayers.dense(dim, init_std, "dense", policy)
        self.out_proj = sublayers.dense(num_labels, init_std, "out_proj", policy)

    def build(self, input_shape=None):
        self.dense.build((None, self.dim))
        self.out_proj.build((None, self.dim))
        self.built = True

    def call(self, pooled, training=False):
        inner = self.dense(self.dropout(pooled, training=training))
        return self.out_proj(self.dropout(tf.tanh(inner), training=training))

    def get_config(self):
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_labels": self.num_labels,
            "dropout_rate": self.dropout.rate,
            "init_std": self.init_std,
        }
