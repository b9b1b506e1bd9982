"""tf_model.h5: odd but sound files are read, what leads out of the file is not."""

import shutil
import tarfile
from pathlib import Path

import h5py
import keras
import ml_dtypes
import numpy as np
import pytest

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.hdf5 import read_h5, write_h5
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.registry import open_weights
from tf_led.checkpoints.load import load_weights
from tf_led.checkpoints.names.led import LED_NAMES
from tf_led.checkpoints.names.tensorflow import rename_for_h5, to_old
from tf_led.checkpoints.save import write_weights

PREFIX = "led/tfled_for_conditional_generation"


@pytest.fixture
def h5(state, tmp_path):
    """An open file with PyTorch's weights under the old names; closed by `done`."""
    path = tmp_path / "tf_model.h5"
    with h5py.File(path, "w") as file:
        for key, array in state.items():
            ours, transform = LED_NAMES.to_ours(key)
            path = f"led/{ours}" if key.startswith("led.") else ours
            name = to_old(LED_NAMES, path)
            file[f"{PREFIX}/{name}"] = transform(array)
        yield file


def load(h5, variables):
    path = h5.filename
    h5.close()
    return load_weights(variables, path)


def test_names_that_stand_in_no_list(h5, variables, same):
    """Whole, chunked or no `weight_names`: nothing hangs on them."""
    h5["led"].attrs["weight_names0"] = [b"nonsense"]
    h5["led"].attrs["weight_names1"] = np.zeros(3)
    assert not any(load(h5, variables).as_dict().values())
    same(variables)


def test_a_model_saved_whole(h5, variables, same):
    """The optimizer's slots have the names of weights."""
    h5["optimizer_weights/Adam/m/led/encoder/layers.0/fc1/bias:0"] = np.ones(17)
    assert not any(load(h5, variables).as_dict().values())
    same(variables)


def test_old_names_of_tables(h5, variables, same):
    for name in ("led.shared", "led/encoder/embed_positions"):
        h5.move(f"{PREFIX}/{name}/embeddings:0", f"{PREFIX}/{name}/weight:0")
    assert not any(load(h5, variables).as_dict().values())
    same(variables)


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", "bfloat16"])
def test_other_floats(h5, variables, state, dtype):
    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    name = f"{PREFIX}/led/encoder/layers.1/fc1/kernel:0"
    wanted = h5[name][...].astype(kind)
    del h5[name]
    h5[name] = wanted
    assert not any(load(h5, variables).as_dict().values())
    got = variables["led/encoder/layers/1/fc1/kernel"].numpy()
    np.testing.assert_array_equal(got, wanted.astype("float32"))


def soft_link(h5, name):
    h5[name] = h5py.SoftLink("/led")


def external_link(h5, name):
    h5[name] = h5py.ExternalLink("/etc/passwd", "/")


def hard_link(h5, name):
    h5[name] = h5["led"]


def cycle(h5, name):
    h5["led"]["again"] = h5["led"]


def external_numbers(h5, name):
    h5.create_dataset(name, (3,), "f4", external=[("/etc/passwd", 0, 12)])


def virtual(h5, name):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3,))
    h5.create_virtual_dataset(name, layout)


def compressed(h5, name):
    """A zip bomb: hundreds of times as large as it lies in the file."""
    h5.create_dataset(name, (10**7,), "f4", compression="gzip", fillvalue=0)[...] = 0


def text(h5, name):
    h5.create_dataset(name, data="text")


def deep(h5, name):
    h5["/".join("abcdefghij" * 4)] = np.zeros(3, "f4")


def without_numbers(h5, name):
    h5.create_dataset(name, (10**12,), "f4")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (soft_link, "`bad` is a link .SoftLink"),
        (external_link, "`bad` is a link .ExternalLink"),
        (hard_link, "is there under another name too"),
        (cycle, "is there under another name too"),
        (external_numbers, "the numbers of `bad` lie in another file"),
        (virtual, "`bad` is a virtual dataset"),
        (compressed, "`bad` is compressed or in chunks"),
        (text, "`bad` holds TypeStringID"),
        (deep, "too many objects, or too deep"),
        (without_numbers, "the numbers of `bad` are not all there"),
    ],
)
def test_what_weights_do_not_need_is_an_error(h5, variables, untouched, spoil, message):
    spoil(h5, "bad")
    with pytest.raises(CheckpointError, match=message) as caught:
        load(h5, variables)
    assert "tf_model.h5" in str(caught.value)
    untouched(variables)


def test_what_is_no_hdf5(tmp_path):
    path = tmp_path / "tf_model.h5"
    path.write_bytes(b"PK\3\4 and so on")
    with pytest.raises(CheckpointError, match="is not an HDF5 file: it starts with"):
        read_h5(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(80))
    with pytest.raises(CheckpointError, match="truncated or corrupt"):
        read_h5(path)


ARCHIVE = Path(__file__).parents[1] / "old_files/old.tar.xz"


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


def write(path, tensors):
    write_h5(path, rename_for_h5(LED_NAMES, tensors).values())


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
    write(tmp_path / "tf_model.h5", tensors)
    datasets, listed = read(tmp_path / "tf_model.h5")
    expected, expected_lists = read(old / theirs / "tf_model.h5")
    assert listed == expected_lists
    assert datasets.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(datasets[name], array, err_msg=name)


def test_heads_that_the_old_classes_did_not_have(tmp_path):
    ones = np.ones([2, 3], "float32")
    names = ["led.shared.weight", "qa_outputs.weight"]
    write(tmp_path / "qa.h5", {name: tensor(name, ones) for name in names})
    datasets, listed = read(tmp_path / "qa.h5")
    model = "tfled_for_question_answering"
    assert datasets[f"qa_outputs/{model}/qa_outputs/kernel:0"].shape == (3, 2)
    assert listed["/"] == ["led", "qa_outputs"]


def test_long_lists_of_names_go_on_in_a_second_attribute(tmp_path):
    zero = np.zeros([1], "float32")
    keys = [f"led.encoder.layers.{i}.final_layer_norm.bias" for i in range(1201)]
    write(tmp_path / "long.h5", {key: tensor(key, zero) for key in keys})
    with h5py.File(tmp_path / "long.h5") as file:
        attributes = file["led"].attrs
        assert "weight_names" not in attributes and "weight_names1" in attributes
        parts = [attributes[f"weight_names{i}"] for i in range(len(attributes))]
        assert max(part.nbytes for part in parts) <= 64512
        assert len(np.concatenate(parts)) == 1201
        assert np.concatenate(parts)[-1].decode() in file["led"]


def test_bfloat16_becomes_float32(tmp_path):
    from tf_led.checkpoints.disk.atomic import staged

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
        write(tmp_path / "m.h5", {key: tensor(key, np.ones([2, 3], "float32"))})


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_full_disk_is_noticed_before_anything_is_written(
    tmp_path, monkeypatch, lacking
):
    tensors = [tensor(f"led/{name}", np.ones([11, 7], "float32")) for name in "ab"]
    needed = 2 * (4 * 11 * 7 + 1024)
    usage = shutil.disk_usage(tmp_path)._replace(free=needed - lacking)
    monkeypatch.setattr(shutil, "disk_usage", {tmp_path: usage}.get)
    if not lacking:
        write_h5(tmp_path / "a.h5", tensors)
        # A file that fits is never turned down: it is larger than what is needed.
        assert (tmp_path / "a.h5").stat().st_size >= needed
        return
    with pytest.raises(OSError, match="No space left on device: '.*a.h5'"):
        write_h5(tmp_path / "a.h5", tensors)
    assert not (tmp_path / "a.h5").exists()
