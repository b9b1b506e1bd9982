"""Whose names a file's keys are, and what each key then means."""

import numpy as np
import pytest

from tf_led.checkpoints import allenai_names, names
from tf_led.checkpoints.recognise import Row, recognise, shape_in_file

FC1 = "decoder/layers/0/fc1/kernel"
POSITIONS = "encoder/embed_positions/embeddings"
TELLTALE = "model.encoder.layers.0.self_attn.longformer_self_attn.query.bias"


@pytest.mark.parametrize(
    ("key", "path", "transform"),
    [
        ("led.decoder.layers.0.fc1.weight", FC1, names.transpose),
        ("decoder.layers.0.fc1.weight", FC1, names.transpose),
        ("led/decoder/layers.0/fc1/kernel:0", FC1, names.keep),
        ("tfled_model_3/led/decoder/layers.0/fc1/kernel:0", FC1, names.keep),
        ("led.encoder.embed_positions.weight", POSITIONS, names.keep),
        ("led.encoder.embed_positions.scale", None, None),
        ("led/encoder/scale:0", None, None),
    ],
)
def test_each_key_is_known_by_itself(key, path, transform):
    (row,) = recognise([key]).values()
    assert (row.path, row.transform, row.is_tied) == (path, transform, False)


def test_allenais_names_are_known_by_their_company():
    positions = "model.encoder.embed_positions.weight"
    assert recognise([positions])[positions].path is None
    row = recognise([positions, TELLTALE])[positions]
    assert row.path == POSITIONS
    assert row.transform is allenai_names.without_reserved


@pytest.mark.parametrize("key", [*names.TIED, "led.encoder.embed_tokens.weight"])
def test_tied_names_have_a_place_of_their_own_in_models_that_have_it(key):
    row = recognise([key])[key]
    own, transform = names.UNTIED[names.bare(key)]
    assert row.is_tied and row.path == names.SHARED
    assert row.of_model({names.SHARED}) is row
    assert row.of_model({names.SHARED, own}) == Row(own, transform)


def test_other_rows_are_the_same_in_every_model():
    row = Row(FC1, names.transpose)
    assert row.of_model({"lm_head/kernel"}) is row


@pytest.mark.parametrize(
    ("transform", "in_file"),
    [
        (names.keep, (5, 7)),
        (names.transpose, (7, 5)),
        (allenai_names.without_reserved, (7, 7)),
    ],
)
def test_shapes_are_those_that_the_transform_takes(transform, in_file):
    assert shape_in_file(transform, (5, 7)) == in_file
    assert transform(np.zeros(in_file)).shape == (5, 7)
