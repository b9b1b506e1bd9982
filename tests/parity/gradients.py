"""The loss and its gradients, from PyTorch and from ours, by PyTorch's names."""

import numpy as np
import tensorflow as tf
import torch

from tests.parity.compare import GRADIENT, GRADIENT_FLOOR
from tf_led.checkpoints.names.led import LED_NAMES


def with_labels(inputs, seed):
    """Adds labels for the decoder inputs: some are -100, none is padding."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, 29, inputs["decoder_input_ids"].shape)
    labels[rng.random(labels.shape) < 0.2] = -100
    labels[0, 0] = 5
    if "decoder_attention_mask" in inputs:
        labels[inputs["decoder_attention_mask"] == 0] = -100
    return {**inputs, "labels": labels}


def torch_gradients(theirs, inputs):
    """The loss, and a gradient for each weight; one that is not used has zeros."""
    theirs.zero_grad()
    tensors = {name: torch.tensor(array) for name, array in inputs.items()}
    loss = theirs(**tensors).loss
    loss.backward()
    return float(loss.detach()), {
        name: np.zeros(weight.shape) if weight.grad is None else weight.grad.numpy()
        for name, weight in theirs.named_parameters()
    }


def gradient_tensors(model, inputs, **options):
    """Our outputs, and gradients by our paths, as tensors: it runs in a graph too."""
    table = {path: v for path, v in model.weight_table().items() if v.trainable}
    variables = [variable.value for variable in table.values()]
    with tf.GradientTape() as tape:
        outputs = model(inputs, **options)
    gradients = tape.gradient(
        outputs.loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    return outputs, dict(zip(table, dense, strict=True))


def our_gradients(model, inputs, **options):
    """The loss and gradients by PyTorch's names, as arrays laid out like PyTorch's."""
    outputs, gradients = gradient_tensors(model, inputs, **options)
    return float(outputs.loss), to_theirs(gradients)


def to_theirs(gradients):
    """Renames and lays out gradients by our paths as PyTorch has them."""
    named = {}
    for path, gradient in gradients.items():
        name, transform = LED_NAMES.to_pytorch(path)
        named[name] = transform(np.asarray(gradient))
    return named


def assert_gradients_match(mine, theirs):
    """Each within 1e-3 of its weight's largest gradient, or 1e-6 of the model's."""
    assert set(mine) == set(theirs)
    largest = max(np.abs(gradient).max() for gradient in theirs.values())
    assert largest > 0
    errors = {}
    for name, gradient in theirs.items():
        error = np.abs(mine[name] - gradient).max()
        allowed = max(GRADIENT * np.abs(gradient).max(), GRADIENT_FLOOR * largest)
        if not error <= allowed:
            errors[name] = (error, allowed)
    assert not errors, errors
