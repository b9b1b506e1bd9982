"""The activations that a LED config may name."""

import functools
import math

import tensorflow as tf

from tf_led.ops.control_flow import control_dependency
from tf_led.ops.tensor_utils import matrix_product

SQRT_HALF = math.sqrt(0.5)


@tf.custom_gradient
def gelu(x):
    """Computes the exact GELU: x times the normal distribution's CDF of x.

    Its gradient keeps `x` only. Automatic differentiation would keep three more tensors
    of the feed-forward width.

    Args:
        x: float tensor.

    Returns:
        Tensor like `x`.

    Source: Gaussian Error Linear Units (arXiv 1606.08415), section 2.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.activations import gelu
        >>> print(gelu(tf.constant([-1.0, 1.0, 2.0])).numpy().round(3))
        [-0.159  0.841  1.954]
    """

    def gradient(upstream):
        # Other operations than in the forward pass: TensorFlow merges equal ones, and
        # would keep their results until now.
        again = control_dependency(x, upstream)
        smaller = 0.5 * (1 + tf.math.erf(again * SQRT_HALF))
        density = tf.exp(-0.5 * tf.square(again)) * (SQRT_HALF / math.sqrt(math.pi))
        return upstream * (smaller + again * density)

    return tf.nn.gelu(x, approximate=False), gradient


def activated_product(rows, kernel, bias, activate):
    """Activates rows and multiplies them: `activate(rows) @ kernel + bias`.

    For training: the gradient keeps `rows` and activates them again, which takes little
    time beside the product. Automatic differentiation would keep both.

    Args:
        rows: float[X, F].
        kernel: float[F, D].
        bias: float[D].
        activate: function of a float tensor, of which it returns one of the same shape
            and dtype; the same each time.

    Returns:
        float[X, D].

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.activations import activated_product
        >>> rows = tf.constant([[-1.0, 2.0]])
        >>> activated_product(rows, tf.ones([2, 1]), tf.ones(1), tf.nn.relu).numpy()
        array([[3.]], dtype=float32)
    """

    @tf.custom_gradient
    def run(rows, kernel, bias):
        def gradient(upstream):
            again = control_dependency(rows, upstream)
            with tf.GradientTape() as tape:
                tape.watch(again)
                active = activate(again)
            of_active = matrix_product(upstream, kernel, transpose_b=True)
            return (
                tape.gradient(active, again, of_active),
                matrix_product(active, upstream, transpose_a=True),
                tf.reduce_sum(upstream, axis=0),
            )

        product = matrix_product(activate(rows), kernel)
        return tf.nn.bias_add(product, bias), gradient

    return run(rows, kernel, bias)


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": functools.partial(tf.nn.gelu, approximate=True),
    "gelu_pytorch_tanh": functools.partial(tf.nn.gelu, approximate=True),
    "relu": tf.nn.relu,
    "sigmoid": tf.nn.sigmoid,
    "silu": tf.nn.silu,
    "swish": tf.nn.silu,
    "tanh": tf.nn.tanh,
}


def get_activation(name):
    """Looks up an activation by the name that `LEDConfig.activation_function` gives.

    Args:
        name: string, one of `ACTIVATIONS`.

    Returns:
        Function of one float tensor.

    Raises:
        ValueError: on any other name.

    Example:
        >>> from tf_led.ops.activations import get_activation
        >>> get_activation("relu")([-1.0, 2.0]).numpy().tolist()
        [0.0, 2.0]
    """
    if name not in ACTIVATIONS:
        raise ValueError(
            f"`activation_function` is {name!r}; known are {', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[name]
