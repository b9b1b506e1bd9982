import os
import subprocess
import sys

import pytest

from tf_led.checkpoints.errors import CheckpointError
from tf_led.training.run_folder import RunFolder


def test_the_arguments_of_the_beginning_stay(tmp_path):
    run = RunFolder(tmp_path / "out")
    assert run.differences({"epochs": 3}) == {}
    run.begin({"epochs": 3, "seed": 0})
    run.begin({"epochs": 5, "seed": 0})
    assert run.differences({"epochs": 3, "seed": 0}) == {}
    now = {"epochs": 5, "seed": 0, "strict": True}
    assert run.differences(now) == {"epochs": (3, 5), "strict": (None, True)}
    assert run.differences({"epochs": 3}) == {"seed": (0, None)}


def test_a_run_is_complete_when_it_has_a_result(tmp_path):
    run = RunFolder(tmp_path)
    assert run.result() is None
    run.end({"loss": 0.5})
    assert RunFolder(tmp_path).result() == {"loss": 0.5}
    for folder in (tmp_path, run.path):
        (folder / ".saving-left").mkdir()
    run.remove_leftovers()
    assert not list(tmp_path.rglob(".*"))


def test_a_flipped_bit_is_named_or_harmless(tmp_path):
    run = RunFolder(tmp_path)
    arguments = {"epochs": 3, "freeze": ["shared"], "seed": 0}
    run.begin(arguments)
    file = tmp_path / "training" / "arguments.json"
    whole, rejected = file.read_bytes(), 0
    for place in range(8 * len(whole)):
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        file.write_bytes(content)
        try:
            assert run.differences(arguments) == {}
        except CheckpointError as error:
            assert str(file) in str(error) and str(tmp_path / "training") in str(error)
            rejected += 1
    assert rejected > 1000


def test_files_that_a_run_replaces_and_others(tmp_path):
    run = RunFolder(tmp_path)
    replaced = ["config.json", "merges.txt", "model.safetensors", "tf_model.h5"]
    replaced.insert(3, "pytorch_model-00001-of-00002.bin")
    for name in (*replaced, "scores.h5", "optimizer.bin", "adapter_model.safetensors"):
        (tmp_path / name).write_text("mine")
    assert run.files_of_others() == replaced
    run.begin({"epochs": 3})
    assert run.files_of_others() == []
    assert RunFolder(tmp_path / "new").files_of_others() == []


def test_a_folder_in_the_place_of_a_file(tmp_path):
    run = RunFolder(tmp_path)
    run.check_names()
    (tmp_path / "scores.h5").mkdir()
    RunFolder(tmp_path / "new").check_names()
    run.check_names()
    (tmp_path / "vocab.json").mkdir()
    with pytest.raises(IsADirectoryError, match=f"{tmp_path}/vocab.json is a dir"):
        run.check_names()


@pytest.mark.parametrize("content", ["[" * 10**5, "{", "[]", "3"])
def test_what_is_no_record_is_named(tmp_path, content):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "result.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"result\.json is damaged: no JSON obj"):
        RunFolder(tmp_path).result()


def test_arguments_of_version_0_1_have_no_checksum(tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "arguments.json").write_text('{"epochs": 3}')
    assert RunFolder(tmp_path).differences({"epochs": 3}) == {}


def test_a_damaged_checkpoint_is_named_unless_it_was_cut_off(tmp_path):
    run, file = RunFolder(tmp_path), tmp_path / "model.safetensors"
    run.check_checkpoint()
    with run.checkpoint_noted():
        file.write_bytes(b"good")
    run.check_checkpoint()
    for damage in (lambda: file.write_bytes(b"goop"), file.unlink):
        damage()
        with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
            run.check_checkpoint()
    with pytest.raises(KeyboardInterrupt), run.checkpoint_noted():
        file.write_bytes(b"half")
        raise KeyboardInterrupt
    run.check_checkpoint()  # what follows writes it again


def test_two_runs_do_not_share_a_folder(tmp_path):
    run = RunFolder(tmp_path)
    other = (
        "from tf_led.training.run_folder import RunFolder\n"
        f"with RunFolder({str(tmp_path)!r}).owned(): print('in')"
    )
    with run.owned():
        run.end({})  # saving locks the folder for itself
        again = RunFolder(tmp_path).owned()
        with pytest.raises(BlockingIOError, match="another run") as error, again:
            pass
        assert str(tmp_path) in str(error.value)
    done = subprocess.run(
        [sys.executable, "-c", other], check=True, capture_output=True, text=True
    )
    assert done.stdout == "in\n"


def test_a_run_that_writes_nothing_leaves_nothing(tmp_path):
    run = RunFolder(tmp_path / "a" / "out")
    for make in (lambda: None, lambda: (run.path / "data" / "ids").mkdir(parents=True)):
        with pytest.raises(ValueError, match="bad data"), run.owned():
            make()
            assert (run.path / "lock").is_file()
            raise ValueError("bad data")
        assert not list(tmp_path.iterdir())
    (tmp_path / "a" / "out").mkdir(parents=True)  # the user's own: it stays
    with run.owned():
        pass
    assert [*tmp_path.rglob("*")] == [tmp_path / "a", tmp_path / "a" / "out"]
    with run.owned():
        run.begin({"epochs": 3})
    assert {path.name for path in run.path.iterdir()} == {"arguments.json", "lock"}


def test_a_lock_that_another_run_has_removed_is_made_again(tmp_path, monkeypatch):
    run, opened = RunFolder(tmp_path), []
    open_file = os.open

    def open_too_early(path, *flags):
        descriptor = open_file(path, *flags)
        if not opened:
            (run.path / "lock").unlink()
        opened.append(path)
        return descriptor

    monkeypatch.setattr(os, "open", open_too_early)
    with run.owned():
        assert opened == 2 * [run.path / "lock"]
        with pytest.raises(BlockingIOError), RunFolder(tmp_path).owned():
            pass
