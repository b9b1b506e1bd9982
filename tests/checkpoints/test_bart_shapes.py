from pathlib import Path

import pytest

from tests.checkpoints.conftest import CONFIG
from tf_led import LEDConfig
from tf_led.checkpoints import names
from tf_led.checkpoints.bart_shapes import check_shapes, expected_shape
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.files import open_weights


def test_the_shapes_are_those_that_pytorch_makes(state):
    config = LEDConfig(**CONFIG)
    body = [key for key in state if key.startswith("led.") and "positions" not in key]
    for key in body:
        assert expected_shape(names.bare(key), config) == state[key].shape, key
    assert expected_shape("lm_head.weight", config) == (29, 12)


def test_positions_may_be_of_any_number_but_not_of_any_width(torch_dir):
    config = LEDConfig(**CONFIG)
    tensors = open_weights(torch_dir / "model.safetensors")
    table = {"encoder.embed_positions.weight": tensors["led.shared.weight"]}
    check_shapes(table, config, Path("file"))
    config.d_model = 13
    with pytest.raises(CheckpointError, match=r"`file`.* \(29, 12\).* \(29, 13\)"):
        check_shapes(table, config, Path("file"))
