import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from tf_led.checkpoints.errors import CheckpointError
from tf_led.training.state import (
    load_state,
    read_record,
    read_variable,
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


def test_the_state_of_another_model_is_rejected_and_changes_nothing(tmp_path):
    save_state(tmp_path, training_variables(make_model(width=3)), {})
    model = make_model(width=2)
    before = np.array(model.layers[-1].kernel)
    with pytest.raises(
        ValueError, match=r"state\.safetensors holds the state of anoth"
    ):
        load_state(tmp_path, training_variables(model))
    np.testing.assert_array_equal(model.layers[-1].kernel, before)


def test_a_damaged_state_is_rejected(tmp_path):
    variables = training_variables(make_model())
    save_state(tmp_path, variables, {})
    file = tmp_path / "state.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"state\.safetensors.*truncated or corrupt"):
        load_state(tmp_path, variables)


def flipped(file, rng):
    """A file's bytes with one bit turned over."""
    content = bytearray(file.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    return bytes(content)


def test_a_flipped_bit_is_named_or_harmless(tmp_path):
    model, other = make_model(), make_model(seed=1)
    step(model)
    save_state(tmp_path, training_variables(model), {"step": 1})
    file = tmp_path / "state.safetensors"
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    variables = training_variables(other)
    before, rejected = [np.array(v) for v in variables.values()], 0
    for _ in range(200):
        file.write_bytes(flipped(file, rng))
        try:
            assert load_state(tmp_path, variables) == {"step": 1}
            expected = [np.array(v) for v in training_variables(model).values()]
        except CheckpointError as error:
            assert str(file) in str(error)
            expected, rejected = before, rejected + 1
        for variable, value in zip(variables.values(), expected, strict=True):
            np.testing.assert_array_equal(variable, value)
            variable.assign(value)
        if expected is not before:
            for variable, value in zip(variables.values(), before, strict=True):
                variable.assign(value)
        file.write_bytes(whole)
    assert rejected > 150  # others hit the spaces that fill up the header


def test_a_state_of_version_0_1_loads(tmp_path):
    """It has no checksums, and its record is JSON alone."""
    model, other = make_model(), make_model(seed=1)
    arrays = {
        name: np.asarray(read_variable(variable))
        for name, variable in training_variables(model).items()
    }
    arrays["record"] = np.frombuffer(b'{"step": 5}', "uint8")
    save_file(arrays, tmp_path / "state.safetensors")
    assert load_state(tmp_path, training_variables(other)) == {"step": 5}
    np.testing.assert_array_equal(model.layers[-1].kernel, other.layers[-1].kernel)


def test_another_safetensors_file_is_no_state(tmp_path):
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
