"""tf_model.h5 as the old TensorFlow classes wrote it, dataset by dataset."""

import tarfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from tf_led.checkpoints.files import open_weights
from tf_led.checkpoints.h5_writer import write_h5
from tf_led.checkpoints.save import write_weights
from tf_led.checkpoints.tensors import LazyTensor

ARCHIVE = Path(__file__).parent / "written/old.tar.xz"


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """What transformers 4.57 wrote."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old"


def read(path):
    """Returns (datasets by path, lists of names by place), attributes decoded."""
    datasets, listed = {}, {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                datasets.update({name: item[()]})
                if isinstance(item, h5py.Dataset)
                else listed.update({name: names_of(item, "weight_names")})
            )
        )
        listed["/"] = names_of(file, "layer_names")
        assert file.attrs["backend"] == "tensorflow"
    return datasets, listed


def names_of(group, attribute):
    names = group.attrs.get(attribute, [])
    return sorted(n.decode() if isinstance(n, bytes) else n for n in names)


def tensor(name, array):
    return LazyTensor(name, array.shape, str(array.dtype), Path("file"), lambda: array)


@pytest.mark.parametrize(
    ("theirs", "prefix"), [("tf-h5", "led."), ("tf-bare", "")], ids=["head", "bare"]
)
def test_the_file_is_as_the_old_classes_wrote_it(old, tmp_path, theirs, prefix):
    tensors = open_weights(old / "torch-safetensors/model.safetensors")
    if not prefix:
        tensors = {
            key.removeprefix("led."): tensor(key.removeprefix("led."), value.read())
            for key, value in tensors.items()
            if key.startswith("led.")
        }
    write_h5(tmp_path / "tf_model.h5", tensors)
    datasets, listed = read(tmp_path / "tf_model.h5")
    expected, expected_lists = read(old / theirs / "tf_model.h5")
    assert listed == expected_lists
    assert datasets.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(datasets[name], array, err_msg=name)


def test_heads_that_the_old_classes_did_not_have(tmp_path):
    ones = np.ones([2, 3], "float32")
    names = ["led.shared.weight", "qa_outputs.weight"]
    write_h5(tmp_path / "qa.h5", {name: tensor(name, ones) for name in names})
    datasets, listed = read(tmp_path / "qa.h5")
    model = "tfled_for_question_answering"
    assert datasets[f"qa_outputs/{model}/qa_outputs/kernel:0"].shape == (3, 2)
    assert listed["/"] == ["led", "qa_outputs"]


def test_long_lists_of_names_go_on_in_a_second_attribute(tmp_path):
    zero = np.zeros([1], "float32")
    keys = [f"led.encoder.layers.{i}.final_layer_norm.bias" for i in range(1201)]
    write_h5(tmp_path / "long.h5", {key: tensor(key, zero) for key in keys})
    with h5py.File(tmp_path / "long.h5") as file:
        attributes = file["led"].attrs
        assert "weight_names" not in attributes and "weight_names1" in attributes
        parts = [attributes[f"weight_names{i}"] for i in range(len(attributes))]
        assert max(part.nbytes for part in parts) <= 64512
        assert len(np.concatenate(parts)) == 1201
        assert np.concatenate(parts)[-1].decode() in file["led"]


def test_bfloat16_becomes_float32(tmp_path):
    from tf_led.checkpoints.atomic import staged

    gain = keras.Variable([1.5, -3.0], dtype="bfloat16")
    with staged(tmp_path) as staging:
        table = {"led/encoder/layernorm_embedding/gamma": gain}
        (file,) = write_weights(table, staging, kind="h5")
    ((name, array),) = read(file)[0].items()
    assert name.endswith("led/encoder/layernorm_embedding/gamma:0")
    assert array.dtype == "float32" and array.tolist() == [1.5, -3.0]


@pytest.mark.parametrize("key", ["lm_head.weight", "led.decoder.embed_tokens.weight"])
def test_untied_tables_have_no_place(tmp_path, key):
    with pytest.raises(ValueError, match=f"`{key}` has no name in transformers' Tens"):
        write_h5(tmp_path / "m.h5", {key: tensor(key, np.ones([2, 3], "float32"))})
