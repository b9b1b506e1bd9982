"""What a load reports and warns about: missing, unexpected and mismatched weights."""

import warnings

import numpy as np
import pytest

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.load import load_weights


def renamed(state, rename):
    """Changes that give every key another name."""
    gone = dict.fromkeys(state)
    return {**gone, **{rename(key): array for key, array in state.items()}}


def test_missing_keys_are_warned_about_and_left(write, variables):
    gone = ["led.decoder.layers.1.fc2.bias", "led.encoder.embed_positions.weight"]
    variables["led/decoder/layers/1/fc2/bias"].assign(np.full(12, 5.0))
    with pytest.warns(UserWarning, match="lacks 2 of the model's weights") as caught:
        report = load_weights(variables, write(dict.fromkeys(gone)))
    assert report.missing_keys == gone
    assert all(key in str(caught[0].message) for key in gone)
    assert caught[0].filename == __file__
    assert (variables["led/decoder/layers/1/fc2/bias"].numpy() == 5).all()


def test_what_became_of_them_is_told(write, variables):
    """Left as they were, or drawn: as it was with this call."""
    key, path = "led.encoder.layers.1.fc1.weight", "led/encoder/layers/1/fc1/kernel"
    lacking = write({key: None})
    with pytest.warns(UserWarning, match="lacks 1 .* left as they were: "):
        load_weights(variables, lacking)
    drawn = []
    with pytest.warns(UserWarning, match="lacks 1 .* newly drawn: "):
        load_weights(variables, lacking, draw=drawn.extend)
    other = write({key: np.ones((19, 12), "float32")})
    with pytest.warns(UserWarning, match="1 .* not loaded but newly drawn: "):
        load_weights(variables, other, ignore_mismatched_sizes=True, draw=drawn.extend)
    assert drawn == [variables[path]] * 2


def test_unexpected_keys_are_warned_about(write, variables, same):
    extra = {
        "led.encoder.layers.2.fc1.bias": np.ones(17),
        "qa_outputs.weight": np.ones((2, 12)),
        **{f"led.decoder.position_ids.{i}": np.arange(3) for i in range(4)},
    }
    with pytest.warns(UserWarning, match="6 weights .* and 3 more"):
        report = load_weights(variables, write(extra))
    assert report.unexpected_keys == sorted(extra)
    same(variables)


def test_old_names_of_norms(write, state, variables, same):
    def old(key):
        is_norm = "layer_norm" in key or "layernorm_emb" in key
        if not is_norm:
            return key
        return key.replace(".weight", ".gamma").replace(".bias", ".beta")

    changes = renamed(state, old)
    assert sum(key.endswith("gamma") for key in changes) == 12
    assert load_weights(variables, write(changes)).as_dict()["missing_keys"] == []
    same(variables)


def test_a_shape_that_does_not_fit(write, variables, untouched):
    changes = {
        "led.encoder.layers.1.fc1.weight": np.zeros((19, 12), "float32"),
        "led.encoder.layers.1.fc1.bias": np.zeros(19, "float32"),
    }
    path = write(changes)
    with pytest.raises(CheckpointError, match="ignore_mismatched_sizes") as caught:
        load_weights(variables, path)
    message = str(caught.value)
    assert "led.encoder.layers.1.fc1." in message and "and 1 more" in message
    assert "(19" in message and "(17" in message and str(path) in message
    untouched(variables)


def test_a_shape_that_does_not_fit_can_be_ignored(write, variables):
    key, path = "led.encoder.layers.1.fc1.weight", "led/encoder/layers/1/fc1/kernel"
    file = write({key: np.ones((19, 12), "float32")})
    with pytest.warns(UserWarning, match=f"1 weights of another shape.*{key}"):
        report = load_weights(variables, file, ignore_mismatched_sizes=True)
    assert report.mismatched_keys == [(key, (19, 12), (17, 12))]
    assert report.missing_keys == []
    assert not variables.pop(path).numpy().any()
    assert all(variable.numpy().any() for variable in variables.values())


def test_a_file_that_fits_is_no_reason_to_warn(torch_dir, variables):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_weights(variables, torch_dir)
    assert not [w for w in caught if "weights" in str(w.message)]
