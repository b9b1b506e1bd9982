import keras

from tests.models.conftest import make_model
from tf_led.checkpoints.names import to_pytorch
from tf_led.models.weights import weight_table


def numbers(variables):
    """Identities of what a checkpoint holds: no states of random generators."""
    return sorted(id(variable) for variable in variables if "seed" not in variable.path)


def test_every_weight_stands_there_once(model):
    table = weight_table(model)
    assert numbers(table.values()) == numbers(model.variables)


def test_paths_are_those_of_the_checkpoint_table(model, base):
    """The bare model's without the prefix, as PyTorch's bare model has it."""
    paths = set(model.weight_table())
    assert "led/encoder/layers/1/self_attn/output/kernel" in paths
    assert "led/decoder/layers/0/encoder_attn/k_proj/bias" in paths
    assert "final_logits_bias" in paths
    assert all(to_pytorch(path) for path in paths)
    bare = {f"led/{path}" for path in base.weight_table()}
    assert bare == paths - {"final_logits_bias"}


def test_a_single_layer_has_paths_of_its_own(model):
    layer = model.get_encoder().layers[0]
    table = weight_table(layer)
    assert table["fc1/kernel"] is layer.fc1.kernel
    assert len(table) == len(layer.weights)


def test_what_a_wrapper_adds_is_left_to_it():
    class Wrapper(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(3)
            self.again = self.inner
            self.inner.build((None, 5))

    assert list(weight_table(Wrapper())) == ["inner/kernel", "inner/bias"]


def test_more_layers_mean_more_paths():
    deeper = make_model(encoder_layers=3, attention_window=4)
    assert "led/encoder/layers/2/fc2/bias" in deeper.weight_table()
