"""The table of names: what a key of a file means, and how its array becomes ours."""

import keras
import numpy as np
import pytest

from tf_led.checkpoints.load import load_weights
from tf_led.checkpoints.names.allenai import without_reserved
from tf_led.checkpoints.names.led import LED_NAMES
from tf_led.checkpoints.names.table import NameTable, Row, keep, transpose
from tf_led.checkpoints.save import save_weights

FC1 = "decoder/layers/0/fc1/kernel"
POSITIONS = "encoder/embed_positions/embeddings"
TELLTALE = "model.encoder.layers.0.self_attn.longformer_self_attn.query.bias"


@pytest.mark.parametrize(
    ("key", "path", "transform"),
    [
        ("led.decoder.layers.0.fc1.weight", FC1, transpose),
        ("decoder.layers.0.fc1.weight", FC1, transpose),
        ("led/decoder/layers.0/fc1/kernel:0", FC1, keep),
        ("tfled_model_3/led/decoder/layers.0/fc1/kernel:0", FC1, keep),
        ("led.encoder.embed_positions.weight", POSITIONS, keep),
        ("led.encoder.embed_positions.scale", None, None),
        ("led/encoder/scale:0", None, None),
    ],
)
def test_each_key_is_known_by_itself(key, path, transform):
    (row,) = LED_NAMES.recognise([key]).values()
    assert (row.path, row.transform, row.is_tied) == (path, transform, False)


def test_allenais_names_are_known_by_their_company():
    positions = "model.encoder.embed_positions.weight"
    assert LED_NAMES.recognise([positions])[positions].path is None
    row = LED_NAMES.recognise([positions, TELLTALE])[positions]
    assert row.path == POSITIONS
    assert row.transform is without_reserved


@pytest.mark.parametrize("key", [*LED_NAMES.untied, "led.encoder.embed_tokens.weight"])
def test_tied_names_have_a_place_of_their_own_in_models_that_have_it(key):
    row = LED_NAMES.recognise([key])[key]
    own, transform = LED_NAMES.untied[LED_NAMES.bare(key)]
    assert row.is_tied and row.path == LED_NAMES.shared
    assert row.of_model({LED_NAMES.shared}) is row
    assert row.of_model({LED_NAMES.shared, own}) == Row(own, transform)


def test_other_rows_are_the_same_in_every_model():
    row = Row(FC1, transpose)
    assert row.of_model({"lm_head/kernel"}) is row


@pytest.mark.parametrize(
    ("transform", "in_file"),
    [
        (keep, (5, 7)),
        (transpose, (7, 5)),
        (without_reserved, (7, 7)),
    ],
)
def test_shapes_are_those_that_the_transform_takes(transform, in_file):
    assert transform.shape_in_file((5, 7)) == in_file
    assert transform(np.zeros(in_file)).shape == (5, 7)


def test_another_architecture_brings_its_own_table(tmp_path):
    toy = NameTable(
        model="toy",
        prefix="toy",
        body={"layers.{}.fc.weight": ("layers/{}/fc/kernel", transpose)},
        heads={},
        shared="words/embeddings",
    )
    values = np.arange(15.0).reshape(3, 5)
    kernel = keras.Variable(values)
    table = {"toy/layers/7/fc/kernel": kernel}
    save_weights(table, tmp_path, names=toy)
    kernel.assign(np.zeros([3, 5]))
    report = load_weights(table, tmp_path, names=toy)
    assert not any(report.as_dict().values())
    np.testing.assert_array_equal(kernel, values)
    with pytest.raises(ValueError, match="`toy/layers/7/fc/kernel` .* PyTorch's LED"):
        load_weights(table, tmp_path)
    with pytest.raises(ValueError, match="holds no toy"):
        save_weights(
            {"led/encoder/layernorm_embedding/gamma": kernel}, tmp_path / "led"
        )
        load_weights(table, tmp_path / "led", names=toy)
