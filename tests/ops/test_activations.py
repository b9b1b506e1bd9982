import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.activations import ACT2FN

from tests.ops.graph_order import all_before
from tf_led.ops.activations import ACTIVATIONS, activated_product, get_activation
from tf_led.ops.dropout import dropout


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_equals_pytorch(name):
    values = np.linspace(-7, 7, 113, dtype="float32")
    theirs = ACT2FN[name](torch.tensor(values)).numpy()
    np.testing.assert_allclose(get_activation(name)(values), theirs, atol=2e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_equal_pytorchs(name):
    values = np.linspace(-7, 7, 113, dtype="float32")
    ours = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(ours)
        result = get_activation(name)(ours)
    theirs = torch.tensor(values, requires_grad=True)
    ACT2FN[name](theirs).sum().backward()
    gradient = tape.gradient(result, ours)
    # TensorFlow's tanh is 1 from 9 on.
    np.testing.assert_allclose(gradient, theirs.grad.numpy(), atol=5e-6)


def test_gradients_of_half_precision_have_its_dtype():
    values = tf.cast(tf.linspace(-7.0, 7.0, 113), "float16")
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = get_activation("gelu")(values)
    gradient = tape.gradient(result, values)
    assert gradient.dtype == "float16"
    assert bool(tf.reduce_all(tf.math.is_finite(gradient)))


def test_the_gradient_of_a_gelu_keeps_its_input_only():
    @tf.function
    def gradient(x, upstream):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = get_activation("gelu")(x)
        return tape.gradient(result, x, output_gradients=upstream)

    spec = tf.TensorSpec([7, 11])
    graph = gradient.get_concrete_function(spec, spec).graph
    (given,) = [op for op in graph.get_operations() if op.type == "Erf"]
    before = all_before(given)
    assert [op for op in before if op.control_inputs]
    assert "Erfc" not in {op.type for op in before}


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", ["gelu", "relu"])
def test_the_product_of_an_activation_and_its_gradients(name, jit_compile):
    draw = np.random.default_rng(0).standard_normal
    shapes = (7, 13), (13, 5), (5,), (7, 5)
    rows, kernel, bias, upstream = (draw(shape).astype("float32") for shape in shapes)
    seed = tf.constant([3, 5])

    def activate(wide):
        return dropout(get_activation(name)(wide), 0.3, seed)

    def plain(rows, kernel, bias, activate):
        return activate(rows) @ kernel + bias

    def results(product):
        @tf.function(jit_compile=jit_compile)
        def run(*given):
            with tf.GradientTape() as tape:
                tape.watch(given)
                result = product(*given, activate)
            return result, *tape.gradient(result, given, output_gradients=upstream)

        return run(*map(tf.constant, (rows, kernel, bias)))

    for found, expected in zip(results(activated_product), results(plain), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_exact_gelu_is_not_the_approximate_one():
    exact, approximate = (get_activation(n)(1.3) for n in ("gelu", "gelu_new"))
    assert 1e-5 < abs(float(exact - approximate)) < 1e-2


def test_unknown_names_raise():
    with pytest.raises(ValueError, match="'mish'; known are gelu, gelu_new"):
        get_activation("mish")
