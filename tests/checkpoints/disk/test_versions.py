import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tf_led.checkpoints.disk import versions
from tf_led.checkpoints.disk.versions import new_version


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
from tf_led.checkpoints.disk.versions import new_version
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

    monkeypatch.setattr(versions, "sync_file", fail)
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
