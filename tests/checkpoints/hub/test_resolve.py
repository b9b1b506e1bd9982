"""Finding a checkpoint by name: folders, a made-up cache, a small Hub of our own."""

import shutil

import pytest

from tests.checkpoints.hub.conftest import COMMIT, OLDER, TOKEN, point_at
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.registry import weight_files
from tf_led.checkpoints.hub.resolve import find_file, find_weights, resolve
from tf_led.checkpoints.load import load_weights


@pytest.fixture
def cache(tmp_path):
    """Puts files into a cache as a download leaves them."""

    def put(files, repo="me/led", commit=COMMIT):
        top = tmp_path / "cache" / f"models--{repo.replace('/', '--')}"
        (top / "refs").mkdir(parents=True)
        (top / "refs" / "main").write_text(commit)
        snapshot = top / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (top / "blobs").mkdir()
        for number, file in enumerate(files):
            shutil.copy(file, top / "blobs" / str(number))
            (snapshot / file.name).symlink_to(f"../../blobs/{number}")
        return tmp_path / "cache"

    return put


# Folders


def test_a_folder(torch_dir):
    found = resolve(torch_dir)
    assert found == resolve(torch_dir, subfolder=None)
    assert found.weights == torch_dir / "model.safetensors"
    assert (found.name, found.shards, found.commit_hash) == (str(torch_dir), (), None)


def test_a_sharded_folder_below_another(torch_model, tmp_path):
    torch_model.save_pretrained(tmp_path / "sub", max_shard_size="5KB")
    found = resolve(str(tmp_path), subfolder="sub")
    assert found.weights == tmp_path / "sub" / "model.safetensors.index.json"
    assert {*found.shards} == {*(tmp_path / "sub").glob("*.safetensors")}


def test_a_folder_that_is_not_below(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no folder `sub`"):
        resolve(tmp_path, subfolder="sub")


def test_a_folder_without_weights(tmp_path):
    (tmp_path / "config.json").touch()
    with pytest.raises(FileNotFoundError, match=r"has no weights.*`config\.json`"):
        resolve(tmp_path)


def test_a_file(torch_dir):
    with pytest.raises(NotADirectoryError, match="give the folder"):
        resolve(torch_dir / "model.safetensors")


@pytest.mark.parametrize(
    "name", ["", "./led", "/no/such", "a/b/c", "a b", "-x", "x" * 200]
)
def test_a_name_that_is_nothing(name):
    with pytest.raises(FileNotFoundError, match="neither a folder here nor a Hub id"):
        resolve(name)


def test_force_download_without_the_hub():
    with pytest.raises(ValueError, match="`force_download=True` needs the Hub"):
        resolve("me/led", force_download=True, local_files_only=True)


# Which file of a folder is taken

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
def test_requested_formats(tmp_path, use_safetensors, names):
    for name in ORDER:
        (tmp_path / name).touch()
    assert weight_files(use_safetensors) == names
    found = find_weights(tmp_path, use_safetensors=use_safetensors)
    assert found.name == names[0]


def test_an_unknown_format(tmp_path):
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


# The cache


def test_the_cache_alone(cache, torch_dir, variables, same):
    cache_dir = cache([torch_dir / "model.safetensors"])
    found = resolve("me/led", cache_dir=cache_dir, local_files_only=True)
    assert found.commit_hash == COMMIT
    assert cache_dir in found.weights.parents
    load_weights(variables, found)
    same(variables)


def test_the_cache_alone_offline_by_the_environment(cache, torch_dir):
    cache_dir = cache([torch_dir / "model.safetensors"])  # conftest sets HF_HUB_OFFLINE
    assert resolve("me/led", cache_dir=cache_dir).commit_hash == COMMIT
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE"):
        resolve("me/led", cache_dir=cache_dir, force_download=True)


def test_shards_in_the_cache(cache, torch_model, tmp_path, variables, same):
    torch_model.save_pretrained(tmp_path / "w", max_shard_size="5KB")
    cache_dir = cache(sorted((tmp_path / "w").glob("model*")))
    found = resolve("me/led", cache_dir=cache_dir, local_files_only=True)
    assert len(found.shards) > 5
    load_weights(variables, found)
    same(variables)
    found.shards[3].unlink()
    with pytest.raises(FileNotFoundError, match=found.shards[3].name):
        resolve("me/led", cache_dir=cache_dir, local_files_only=True)


def test_what_the_cache_lacks(cache, tmp_path):
    (tmp_path / "config.json").touch()
    cache_dir = cache([tmp_path / "config.json"])
    message = "`me/led` is not a folder, .*any weights of it.*local_files_only"
    with pytest.raises(FileNotFoundError, match=message) as caught:
        resolve("me/led", cache_dir=cache_dir, local_files_only=True)
    assert str(cache_dir) in str(caught.value)
    with pytest.raises(FileNotFoundError, match="`me/other` is not a folder"):
        resolve("me/other", cache_dir=cache_dir)


# A Hub of our own


def test_a_download(hub, torch_dir, variables, same):
    shutil.copy(torch_dir / "model.safetensors", hub.commits[COMMIT])
    found = resolve("me/led")
    load_weights(variables, found)
    same(variables)
    assert found.commit_hash == COMMIT
    hub.log.clear()
    assert resolve("me/led") == found
    assert not any(line.startswith("GET /me") for line in hub.log)
    assert resolve("me/led", local_files_only=True) == found
    resolve("me/led", force_download=True)
    assert any(line.startswith("GET /me") for line in hub.log)


def test_a_revision_and_a_subfolder(hub, torch_dir):
    (hub.commits[OLDER] / "sub").mkdir()
    shutil.copy(torch_dir / "model.safetensors", hub.commits[OLDER] / "sub")
    for revision in ("v1", OLDER):
        found = resolve("me/led", revision=revision, subfolder="sub")
        assert found.commit_hash == OLDER and found.weights.parent.name == "sub"
    with pytest.raises(FileNotFoundError, match="`me/led` has no weights"):
        resolve("me/led", subfolder="sub")
    with pytest.raises(FileNotFoundError, match="no `revision` 'v2'"):
        resolve("me/led", revision="v2")


def test_shards_come_from_the_indexs_commit(hub, torch_model, variables, same):
    top = hub.commits[COMMIT]
    torch_model.save_pretrained(top / "x", max_shard_size="5KB")
    for file in (top / "x").glob("model*"):
        file.rename(top / file.name)
    found = resolve("me/led")
    assert len(found.shards) > 5
    load_weights(variables, found)
    same(variables)
    shards = [line for line in hub.log if "-of-" in line]
    assert shards and all(f"/resolve/{COMMIT}/" in line for line in shards)


def test_an_index_of_a_shard_that_the_hub_lacks(hub):
    index = hub.commits[COMMIT] / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "gone.safetensors"}}')
    with pytest.raises(FileNotFoundError, match=r"`me/led` has no `gone\.safetensors`"):
        resolve("me/led")


def test_an_index_that_leads_out_of_the_folder(hub):
    index = hub.commits[COMMIT] / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "../../../etc/passwd"}}')
    with pytest.raises(CheckpointError, match="a file beside the index"):
        resolve("me/led")


def test_pytorchs_format_if_that_is_all(hub):
    (hub.commits[COMMIT] / "pytorch_model.bin").write_text("x")
    assert resolve("me/led").weights.name == "pytorch_model.bin"
    with pytest.raises(FileNotFoundError, match=r"there is `pytorch_model\.bin`"):
        resolve("me/led", use_safetensors=True)


def test_only_tensorflows_old_format(hub):
    (hub.commits[COMMIT] / "tf_model.h5").write_text("x")
    assert resolve("me/led").weights.name == "tf_model.h5"


def test_only_a_format_that_is_not_read(hub):
    (hub.commits[COMMIT] / "flax_model.msgpack").write_text("x")
    with pytest.raises(FileNotFoundError, match="Flax weights are not read"):
        resolve("me/led")


@pytest.mark.parametrize("name", ["me/nothing", "me/private", "nothing"])
def test_a_model_that_the_hub_does_not_show(hub, name):
    message = f"`{name}` is neither a folder here nor a model that the Hub shows"
    with pytest.raises(FileNotFoundError, match=message):
        resolve(name, token=False)


def test_a_private_model(hub, torch_dir):
    shutil.copy(torch_dir / "model.safetensors", hub.commits[COMMIT])
    assert resolve("me/private", token=TOKEN).commit_hash == COMMIT


def test_a_gated_model(hub):
    with pytest.raises(PermissionError, match="`me/gated` only to those who asked"):
        resolve("me/gated")


def test_a_hub_that_is_not_there(hub, monkeypatch, cache, tmp_path):
    point_at(9, monkeypatch)  # where nobody listens
    with pytest.raises(ConnectionError, match="Cannot get `me/led` from the Hub: "):
        resolve("me/led")
    with pytest.raises(ConnectionError, match="Cannot get `me/led` from the Hub: "):
        resolve("me/led", force_download=True)
    (tmp_path / "pytorch_model.bin").touch()
    cache([tmp_path / "pytorch_model.bin"])
    assert resolve("me/led").weights.name == "pytorch_model.bin"


def test_a_cache_that_cannot_be_written(hub, torch_dir, tmp_path):
    shutil.copy(torch_dir / "model.safetensors", hub.commits[COMMIT])
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=f"{tmp_path}/file"):
        resolve("me/led", cache_dir=tmp_path / "file")


def test_a_hub_that_fails(hub):
    hub.failing = True
    with pytest.raises(
        ConnectionError, match="Cannot get `me/led` from the Hub: .*503"
    ):
        resolve("me/led")


# A file that need not be there


def test_a_file_that_may_be_there(hub, tmp_path):
    (hub.commits[OLDER] / "sub").mkdir()
    (hub.commits[OLDER] / "sub" / "extra.json").write_text("{}")
    found = find_file("me/led", "extra.json", revision="v1", subfolder="sub")
    assert found.read_text() == "{}"
    assert find_file("me/led", "extra.json") is None
    (tmp_path / "extra.json").touch()
    assert find_file(tmp_path, "extra.json") == tmp_path / "extra.json"
    assert find_file(tmp_path, "other.json", subfolder=None) is None


def test_a_file_that_the_hub_may_have_but_does_not_give(hub, monkeypatch):
    hub.failing = True
    with pytest.raises(ConnectionError, match="Cannot get `me/led` from the Hub: "):
        find_file("me/led", "extra.json")
    hub.failing = False
    assert find_file("me/led", "extra.json") is None
    point_at(9, monkeypatch)  # where nobody listens: the cache knows there is none
    assert find_file("me/led", "extra.json") is None


def test_a_file_that_the_cache_lacks(cache, tmp_path):
    (tmp_path / "config.json").touch()
    place = {"cache_dir": cache([tmp_path / "config.json"]), "local_files_only": True}
    assert find_file("me/led", "config.json", **place).name == "config.json"
    with pytest.warns(
        UserWarning, match="cache does not have `extra.json` of `me/led`"
    ):
        assert find_file("me/led", "extra.json", **place) is None
