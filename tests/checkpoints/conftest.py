"""Checkpoints written by PyTorch itself, and variables of ours to read them into."""

import keras
import numpy as np
import pytest
import torch
import transformers
from safetensors.numpy import save_file

from tf_led.checkpoints.names.led import LED_NAMES

CONFIG = {
    "vocab_size": 29,
    "d_model": 12,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 17,
    "decoder_ffn_dim": 19,
    "attention_window": [4, 6],
    "max_encoder_position_embeddings": 64,
    "max_decoder_position_embeddings": 32,
}


@pytest.fixture(scope="session")
def torch_model():
    """PyTorch's LED with random weights everywhere, final_logits_bias included."""
    torch.manual_seed(0)
    config = transformers.LEDConfig(**CONFIG)
    model = transformers.LEDForConditionalGeneration(config)
    for tensor in model.state_dict().values():
        torch.nn.init.normal_(tensor)
    return model


@pytest.fixture(scope="session")
def state(torch_model):
    """What the model holds, as NumPy arrays, tied names left out."""
    tied = [f"led.{name}" for name in LED_NAMES.untied] + list(LED_NAMES.untied)
    return {
        key: tensor.numpy().copy()
        for key, tensor in torch_model.state_dict().items()
        if key not in tied
    }


@pytest.fixture(scope="session")
def torch_dir(torch_model, tmp_path_factory):
    """A folder that PyTorch's save_pretrained wrote. Not to be written to."""
    folder = tmp_path_factory.mktemp("written_by_torch")
    torch_model.save_pretrained(folder)
    return folder


@pytest.fixture
def make_variables(state):
    """Makes the model's variables: zeros, in our layout, under our paths."""

    def make(head=True, dtype="float32"):
        made = {}
        for key, array in state.items():
            path, transform = LED_NAMES.to_ours(key)
            is_body = key.startswith("led.")
            if head or is_body:
                path = f"led/{path}" if head and is_body else path
                zeros = np.zeros(transform(array).shape)
                made[path] = keras.Variable(zeros, dtype=dtype)
        return made

    return make


@pytest.fixture
def variables(make_variables):
    """The variables of a model with a head."""
    return make_variables()


@pytest.fixture
def same(state):
    """Asserts that variables hold PyTorch's weights, bit by bit."""

    def check(variables):
        assert variables
        for path, variable in variables.items():
            key, transform = LED_NAMES.to_pytorch(path)
            wanted = state.get(key, state.get(f"led.{key}"))
            np.testing.assert_array_equal(transform(variable.numpy()), wanted, key)

    return check


@pytest.fixture
def untouched():
    """Asserts that variables are still the zeros that they were made as."""

    def check(variables):
        assert all(not np.any(variable.numpy()) for variable in variables.values())

    return check


@pytest.fixture
def write(state, tmp_path):
    """Writes PyTorch's weights with some changed, added or (None) left out."""

    def write(changes=(), name="model.safetensors"):
        table = {**state, **dict(changes)}
        table = {key: array for key, array in table.items() if array is not None}
        save_file(table, tmp_path / name)
        return tmp_path / name

    return write
