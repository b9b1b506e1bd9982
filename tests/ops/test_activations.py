import numpy as np
import pytest
import torch
from transformers.activations import ACT2FN

from tf_led.ops.activations import ACTIVATIONS, get_activation


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_equals_pytorch(name):
    values = np.linspace(-7, 7, 113, dtype="float32")
    theirs = ACT2FN[name](torch.tensor(values)).numpy()
    np.testing.assert_allclose(get_activation(name)(values), theirs, atol=2e-6)


def test_the_exact_gelu_is_not_the_approximate_one():
    exact, approximate = (get_activation(n)(1.3) for n in ("gelu", "gelu_new"))
    assert 1e-5 < abs(float(exact - approximate)) < 1e-2


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="'mish'; known are gelu, gelu_new"):
        get_activation("mish")
