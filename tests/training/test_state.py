import keras
import numpy as np
import pytest

from tf_led.training.state import (
    load_state,
    read_record,
    save_state,
    training_variables,
)


def make_model(width=3, seed=0):
    """A small model with a seed of its own, trained for a step or two."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dropout(0.5), keras.layers.Dense(width)]
    )
    model.compile(keras.optimizers.AdamW(0.1), "mse", run_eagerly=True)
    return model


def step(model):
    width = model.output_shape[-1]
    return model.train_on_batch(np.ones([7, 5]), np.zeros([7, width]))


def test_a_restored_model_takes_the_same_steps(tmp_path):
    model, other = make_model(), make_model(seed=1)
    step(model), step(model)
    save_state(tmp_path, training_variables(model), {"step": 2, "history": [0.5]})
    record = load_state(tmp_path, training_variables(other))
    assert record == read_record(tmp_path) == {"step": 2, "history": [0.5]}
    for one, same in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one, same)
    step(model), step(other)  # by the optimizer's moments and the dropout's seed
    kernels = [np.array(m.layers[-1].kernel) for m in (model, other)]
    np.testing.assert_array_equal(*kernels)


def test_every_variable_counts_once():
    model = make_model()
    named = training_variables(model, model.metrics)
    assert len({id(variable) for variable in named.values()}) == len(named)
    kinds = {name.split("/")[0] for name in named}
    assert kinds >= {"model", "optimizer"}
    # kernel and bias; their two moments, iterations, learning rate; the dropout's seed
    assert len(named) >= 2 + 6 + 1


def test_nothing_saved_is_none(tmp_path):
    model = make_model()
    assert read_record(tmp_path) is load_state(tmp_path, training_variables(model))


def test_the_state_of_another_model_is_refused_and_changes_nothing(tmp_path):
    save_state(tmp_path, training_variables(make_model(width=3)), {})
    model = make_model(width=2)
    before = np.array(model.layers[-1].kernel)
    with pytest.raises(
        ValueError, match=r"state\.safetensors holds the state of anoth"
    ):
        load_state(tmp_path, training_variables(model))
    np.testing.assert_array_equal(model.layers[-1].kernel, before)


def test_a_damaged_state_is_refused(tmp_path):
    variables = training_variables(make_model())
    save_state(tmp_path, variables, {})
    file = tmp_path / "state.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"state\.safetensors.*truncated or corrupt"):
        load_state(tmp_path, variables)


def test_another_safetensors_file_is_no_state(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.ones(3)}, tmp_path / "state.safetensors")
    with pytest.raises(ValueError, match="is no state of a training run"):
        read_record(tmp_path)


def test_a_save_that_fails_leaves_the_state_before(tmp_path, monkeypatch):
    variables = training_variables(make_model())
    save_state(tmp_path, variables, {"step": 1})

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_state(tmp_path, variables, {"step": 2})
    assert read_record(tmp_path) == {"step": 1}
