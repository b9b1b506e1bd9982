"""A save that is cut off anywhere leaves the old files, whole."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tf_led.checkpoints.disk import atomic
from tf_led.checkpoints.disk import atomic as locks
from tf_led.checkpoints.disk.atomic import lock, locked, new_version, staged, unlock
from tf_led.checkpoints.formats.registry import open_weights
from tf_led.checkpoints.hub.resolve import find_weights
from tf_led.checkpoints.save import save_weights


def test_a_lock_is_had_once(tmp_path):
    held = lock(tmp_path, wait=False)
    assert held is not None and lock(tmp_path, wait=False) is None
    unlock(held)
    with locked(tmp_path):
        assert lock(tmp_path, wait=False) is None
    again = lock(tmp_path, wait=True)
    assert again is not None
    unlock(again)


def test_a_lock_ends_with_its_process(tmp_path):
    source = (
        "import os, pathlib, sys\n"
        "from tf_led.checkpoints.disk.atomic import lock\n"
        "print(lock(pathlib.Path(sys.argv[1]), wait=False) is not None, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", source, str(tmp_path)]
    held = lock(tmp_path, wait=False)
    assert subprocess.run(command, capture_output=True).stdout == b"False\n"
    unlock(held)
    assert subprocess.run(command, capture_output=True).stdout == b"True\n"
    held = lock(tmp_path, wait=False)
    assert held is not None
    unlock(held)


def test_where_there_are_no_locks_nothing_is_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    assert lock(tmp_path, wait=False) is None
    with locked(tmp_path):
        pass


SHAPES = {
    "led/shared/embeddings": (29, 12),
    "led/encoder/layernorm_embedding/gamma": (12,),
    "led/encoder/layers/0/fc1/kernel": (12, 17),
    "final_logits_bias": (1, 29),
}
SIZES = {"single": 10**9, "sharded": 500}


def filled(number):
    """Variables that hold one number throughout, so that a mix would show."""
    return {path: np.full(s, number, "float32") for path, s in SHAPES.items()}


def number_in(folder):
    """The one number that a folder's checkpoint holds throughout."""
    tensors = open_weights(find_weights(folder))
    assert len(tensors) == len(SHAPES)
    values = {float(v) for t in tensors.values() for v in np.unique(t.read())}
    assert len(values) == 1, values
    return values.pop()


def names_in(folder):
    return {path.name for path in folder.iterdir()}


class PowerCut(BaseException):
    pass


@pytest.fixture
def cut_off(monkeypatch):
    """Runs a save that dies at its n-th step on the disk; says whether it did."""

    def run(n, save):
        steps = 0

        def step(function):
            def run(*args, **kwargs):
                nonlocal steps
                steps += 1
                if steps == n:
                    raise PowerCut
                return function(*args, **kwargs)

            return run

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", step(os.replace))
            patch.setattr(Path, "unlink", step(Path.unlink))
            patch.setattr(atomic, "sync_file", step(atomic.sync_file))
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # nobody tidies up
            try:
                save()
            except PowerCut:
                return True
        return False

    return run


@pytest.mark.parametrize("new", SIZES)
@pytest.mark.parametrize("old", SIZES)
def test_a_cut_at_every_step_leaves_the_old_or_the_new(tmp_path, cut_off, old, new):
    seen = []
    for n in range(1, 99):
        folder = tmp_path / str(n)
        save_weights(filled(1), folder, max_shard_size=SIZES[old])
        died = cut_off(
            n,
            lambda: save_weights(filled(2), folder, max_shard_size=SIZES[new]),  # noqa: B023
        )
        seen.append(number_in(folder))
        if not died:
            break
        save_weights(filled(3), folder, max_shard_size=SIZES[old])
        assert number_in(folder) == 3
        assert not [name for name in names_in(folder) if name.startswith(".saving")]
    assert not died and len(seen) > 1
    assert seen[0] == 1 and seen[-1] == 2 and seen == sorted(seen)


@pytest.mark.parametrize("new", SIZES)
@pytest.mark.parametrize("old", SIZES)
def test_nothing_stale_is_left(tmp_path, old, new):
    save_weights(filled(1), tmp_path / "a", max_shard_size=SIZES[old])
    files = save_weights(filled(2), tmp_path / "a", max_shard_size=SIZES[new])
    assert number_in(tmp_path / "a") == 2
    assert names_in(tmp_path / "a") == {file.name for file in files}


def test_files_of_others_stay(tmp_path):
    for name in ("pytorch_model.bin", "notes.txt", "model-00001-of-00002.bin"):
        (tmp_path / name).write_text("mine")
    save_weights(filled(1), tmp_path, max_shard_size=500)
    save_weights(filled(2), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(names_in(tmp_path)) == 4


def test_a_file_linked_into_a_cache_is_replaced_not_written_through(tmp_path):
    save_weights(filled(1), tmp_path / "cache")
    (tmp_path / "a").mkdir()
    link = tmp_path / "a" / "model.safetensors"
    link.symlink_to(tmp_path / "cache" / "model.safetensors")
    save_weights(filled(2), tmp_path / "a")
    assert (number_in(tmp_path / "cache"), number_in(tmp_path / "a")) == (1, 2)


def test_an_exception_leaves_everything_as_it_was(tmp_path):
    save_weights(filled(1), tmp_path / "a")
    for folder in ("a", "new"):
        with pytest.raises(KeyboardInterrupt), staged(tmp_path / folder) as staging:
            (staging.path / "model.safetensors").write_text("half")
            raise KeyboardInterrupt
    assert number_in(tmp_path / "a") == 1
    assert names_in(tmp_path / "a") == {"model.safetensors"}
    assert names_in(tmp_path) == {"a"}


@contextlib.contextmanager
def full_disk():
    """No file may grow beyond 1,000 bytes: writing more fails as on a full disk.

    The limit holds for pytest's own log too, so nothing may be printed meanwhile.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk(tmp_path):
    save_weights(filled(1), tmp_path / "a")
    for folder in ("a", "new"):
        rejected = pytest.raises(OSError, match=f"{tmp_path}/{folder}")
        with rejected, full_disk():
            save_weights(filled(2), tmp_path / folder)
    assert number_in(tmp_path / "a") == 1
    assert names_in(tmp_path / "a") == {"model.safetensors"}
    assert names_in(tmp_path) == {"a"}


def test_a_target_that_is_a_file(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(NotADirectoryError, match="a`: it is a file"):
        save_weights(filled(1), tmp_path / "a")
    assert (tmp_path / "a").read_text() == "mine"


def test_a_folder_where_a_file_goes_is_noticed_before_any_is_moved(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(IsADirectoryError, match=f"{tmp_path}/b'"):  # noqa: SIM117
        with staged(tmp_path) as staging:
            (staging.path / "a").write_text("new")
            (staging.path / "b").write_text("new")
    assert names_in(tmp_path) == {"b"}


def test_folders_inside_are_moved_too_and_order_is_kept(tmp_path, monkeypatch):
    moved = []
    replace = os.replace
    monkeypatch.setattr(
        os, "replace", lambda a, b: (moved.append(Path(b).name), replace(a, b))
    )
    with staged(tmp_path / "a") as staging:
        (staging.path / "deep").mkdir()
        for name in ("b", "z", "a", "deep/c"):
            (staging.path / name).write_text(name)
        staging.move_last("b", "a")
    assert moved == ["c", "z", "b", "a"]
    assert (tmp_path / "a/deep/c").read_text() == "deep/c"


def test_a_save_does_not_tidy_away_another_that_is_alive(tmp_path):
    with staged(tmp_path) as one:
        (one.path / "x").write_text("one")
        with staged(tmp_path) as two:
            (two.path / "y").write_text("two")
    assert names_in(tmp_path) == {"x", "y"}


# Saves 1, 2, 3, ... in turn single and sharded. Keras is stood in for by NumPy, and
# TensorFlow, of which a save has no need, by nothing: starting them takes most of the
# time that this test may take.
SAVER = """
import itertools, sys, types, numpy as np
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
sys.modules["keras"] = types.SimpleNamespace(
    backend=types.SimpleNamespace(standardize_dtype=str),
    ops=types.SimpleNamespace(convert_to_numpy=lambda array: array),
    saving=types.SimpleNamespace(get_custom_objects=dict),
)
from tf_led.checkpoints.save import save_weights
first, shapes = int(sys.argv[2]), eval(sys.argv[3])
for number in itertools.count(first):
    table = {path: np.full(s, number, "float32") for path, s in shapes.items()}
    save_weights(table, sys.argv[1], max_shard_size=[10**9, 500][number // 2 % 2])
    print(number, flush=True)
"""


def test_kill_9(tmp_path):
    generator = np.random.default_rng(0)
    last = 0
    for _ in range(8):
        command = [str(tmp_path / "a"), str(last + 1), repr(SHAPES)]
        command = [sys.executable, "-c", SAVER, *command]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as saver:
            said = [saver.stdout.readline()]
            time.sleep(generator.uniform(0, 0.1))
            saver.send_signal(signal.SIGKILL)
            said += saver.stdout.readlines()
        first, last = last + 1, int(number_in(tmp_path / "a"))
        assert said[0] == f"{first}\n"
        assert last - int(said[-1]) in (0, 1)
    files = save_weights(filled(-1), tmp_path / "a")
    assert names_in(tmp_path / "a") == {file.name for file in files}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device: '.*here'"),
        (OSError("Cannot write `x`: no space"), "^Cannot write `x`: no space$"),
    ],
)
def test_an_error_of_the_disk_keeps_its_words(tmp_path, error, said):
    with pytest.raises(OSError, match=said), staged(tmp_path / "here"):
        raise error
    assert not (tmp_path / "here").exists()


def write(folder, text):
    with new_version(folder) as version:
        (version.path / "deep").mkdir()
        (version.path / "deep/file").write_text(text)
    return version.path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_gets_the_number_after_the_greatest(tmp_path):
    assert write(tmp_path / "new", "a") == tmp_path / "new/1"
    for name in ("7", "notes", "12x", "\u0663", "00"):
        (tmp_path / "new" / name).mkdir()
    assert write(tmp_path / "new", "b") == tmp_path / "new/8"
    assert (tmp_path / "new/8/deep/file").read_text() == "b"
    assert (tmp_path / "new/1/deep/file").read_text() == "a"
    assert os.stat(tmp_path / "new/8").st_mode & 0o777 == 0o755  # others serve it


def test_nothing_numbered_comes_of_what_fails(tmp_path):
    with pytest.raises(RuntimeError, match="half"), new_version(tmp_path) as version:
        (version.path / "file").write_text("half")
        raise RuntimeError("half")
    assert names(tmp_path) == []
    with pytest.raises(RuntimeError, match="half"), new_version(tmp_path / "new"):
        raise RuntimeError("half")
    assert not (tmp_path / "new").exists()


DYING = """
import os, signal, sys
from tf_led.checkpoints.disk.atomic import new_version
with new_version(sys.argv[1]) as version:
    (version.path / "file").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_numbered_comes_of_a_crash_and_the_next_cleans_up(tmp_path):
    done = subprocess.run([sys.executable, "-c", DYING, str(tmp_path)])
    assert done.returncode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.startswith(".") and (tmp_path / left / "file").exists()
    write(tmp_path, "whole")
    assert names(tmp_path) == ["1"]


def test_many_at_a_time_get_a_number_each(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda n: write(tmp_path, str(n)), range(24)))
    assert sorted(int(path.name) for path in paths) == list(range(1, 25))
    for number, path in enumerate(paths):
        assert (path / "deep/file").read_text() == str(number)


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "sync_file", fail)
    with pytest.raises(OSError, match=f"No space left.*{tmp_path.name}"):
        write(tmp_path, "text")
    assert names(tmp_path) == []


def test_a_rename_that_fails_is_an_error(tmp_path, monkeypatch):
    def fail(old, new):
        raise PermissionError(13, "Permission denied", str(new))

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(PermissionError, match="/1'"):
        write(tmp_path, "text")


def test_a_file_is_no_place_for_versions(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="file`: it is a file"):
        write(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text() == "mine"
