"""Which file of a folder is taken, and what a folder without weights is told."""

import pytest

from tf_led.checkpoints.hub.folder import find_weights, wanted

ORDER = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "tf_model.h5.index.json",
]


def test_the_order(tmp_path):
    for name in reversed(ORDER):
        (tmp_path / name).touch()
        assert find_weights(tmp_path) == tmp_path / name


@pytest.mark.parametrize(
    ("use_safetensors", "names"), [(True, ORDER[:2]), (False, ORDER[2:]), (None, ORDER)]
)
def test_formats_asked_for(tmp_path, use_safetensors, names):
    for name in ORDER:
        (tmp_path / name).touch()
    assert wanted(use_safetensors) == names
    found = find_weights(tmp_path, use_safetensors=use_safetensors)
    assert found.name == names[0]


def test_a_format_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="`use_safetensors` must be .* got 'yes'"):
        find_weights(tmp_path, use_safetensors="yes")


def test_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is nothing") as caught:
        find_weights(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert all(name in str(caught.value) for name in ORDER)


def test_a_folder_of_other_things_lists_them(tmp_path):
    for i in range(11):
        (tmp_path / f"file{i:02}").touch()
    with pytest.raises(FileNotFoundError, match="`file00`.*`file07` and 3 more"):
        find_weights(tmp_path)


def test_a_format_that_is_not_read_is_named(tmp_path):
    (tmp_path / "flax_model.msgpack").touch()
    (tmp_path / "config.json").touch()
    with pytest.raises(FileNotFoundError, match="Flax weights are not read"):
        find_weights(tmp_path)


def test_weights_of_the_other_format_only(tmp_path):
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(FileNotFoundError, match="there is `pytorch_model.bin`"):
        find_weights(tmp_path, use_safetensors=True)
