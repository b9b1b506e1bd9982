"""The activations that a LED config may name."""

import functools

import tensorflow as tf

ACTIVATIONS = {
    "gelu": functools.partial(tf.nn.gelu, approximate=False),
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
