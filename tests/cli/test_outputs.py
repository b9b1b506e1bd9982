"""Commands and functions that write, given their own inputs as outputs."""

import contextlib
import hashlib
import os
import resource
import shutil
import subprocess
import sys

import pytest

from tf_led.checkpoints.convert.bart import bart_to_led
from tf_led.checkpoints.disk.atomic import same_place
from tf_led.cli.main import main
from tf_led.cli.outputs import open_file

ROW = '{"document": "a", "summary": "b"}\n'


def digests(folder):
    """Every file's digest by its path, and where links lead."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path)
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_symlink()
    }


@pytest.fixture
def place(checkpoint, tmp_path):
    """A folder with a checkpoint, data, and links to both."""
    shutil.copytree(checkpoint, tmp_path / "model")
    (tmp_path / "linked_model").symlink_to("model")
    (tmp_path / "links").mkdir()
    for file in (tmp_path / "model").iterdir():
        (tmp_path / "links" / file.name).symlink_to(file)
    (tmp_path / "data.jsonl").write_text(ROW)
    (tmp_path / "linked.jsonl").symlink_to("data.jsonl")
    os.link(tmp_path / "data.jsonl", tmp_path / "hard.jsonl")
    os.link(tmp_path / "model/config.json", tmp_path / "hard.json")
    return tmp_path


EVALUATE = "evaluate --model {0}/model --data {0}/data.jsonl --predictions"


@pytest.mark.parametrize(
    "line",
    [
        *(
            f"{EVALUATE} {{0}}/{output}"
            for output in (
                "data.jsonl",
                "model/../data.jsonl",
                "linked.jsonl",
                "hard.jsonl",
                "model/config.json",
                "linked_model/model.safetensors",
                "hard.json",
            )
        ),
        *(
            f"convert {{0}}/model {{0}}/{output} --force"
            for output in ("model", "linked_model", "model/../model")
        ),
        "convert {0}/linked_model {0}/model --force --to bin",
        "convert {0}/links {0}/linked_model --force --to h5",
        "train --force --output {0}/model --model {0}/links --train {0}/data.jsonl",
        *(
            f"summarize {{0}}/data.jsonl {{0}}/hard.json --model {{0}}/model "
            f"--part-summaries {{0}}/{output}"
            for output in ("linked.jsonl", "model/config.json", "hard.json")
        ),
        "export {0}/model {0}/model",
        "export {0}/model {0}/linked_model",
    ],
)
def test_an_output_that_is_an_input_is_an_error(place, line, capsys):
    before = digests(place)
    argv = line.format(place).split()
    assert main(argv) == 2
    out, err = capsys.readouterr()
    places = {"evaluate": -1, "summarize": -1, "train": 3}
    output = argv[places.get(argv[0], 2)]
    assert out == "" and err.count("\n") == 1 and output in err
    assert digests(place) == before


@pytest.mark.parametrize("source", ["model", "links"])
@pytest.mark.parametrize("output", ["model", "linked_model"])
def test_a_bart_is_not_replaced_by_its_led(place, source, output):
    before = digests(place)
    with pytest.raises(ValueError, match=f"`destination` .*{output}.* is `source`"):
        bart_to_led(place / source, place / output)
    assert digests(place) == before


def test_a_file_is_the_same_by_any_path_and_another_is_not(place):
    data = place / "data.jsonl"
    for name in ("data.jsonl", "model/../data.jsonl", "linked.jsonl", "hard.jsonl"):
        assert same_place(data, place / name) and same_place(place / name, str(data))
    (place / "dangling").symlink_to("new")
    assert same_place(place / "new", place / "dangling")
    assert not same_place(data, place / "model")
    assert not same_place(place / "new", place / "newer")


LONG = "x" * 300


@pytest.mark.parametrize(
    "line",
    [
        f"{EVALUATE} {{0}}/{LONG}",
        f"{EVALUATE} {{0}}/{LONG}/out.jsonl",
        f"{EVALUATE} {{0}}/data.jsonl/out.jsonl",
        f"{EVALUATE} {{0}}",
        f"summarize {{0}}/data.jsonl --model {{0}}/model --part-summaries {LONG}",
        f"summarize {LONG} --model {{0}}/model",
        f"summarize {{0}}/data.jsonl --model {LONG}",
        f"train --train {{0}}/data.jsonl --model {{0}}/model --output {{0}}/{LONG}",
        f"train --train {LONG} --model {{0}}/model --output {{0}}/out",
        f"train --train {{0}}/data.jsonl --model {LONG} --output {{0}}/out",
        f"convert {{0}}/model {{0}}/new/{LONG}",
        f"convert {{0}}/{LONG} {{0}}/new",
        f"convert {LONG} {{0}}/new",
        f"export {{0}}/model {{0}}/{LONG}/led",
        f"export {{0}}/{LONG} {{0}}/led",
        f"export {LONG} {{0}}/led",
        f"evaluate --model {LONG} --data {{0}}/data.jsonl",
        "export {0}/model {0}/data.jsonl/led",
    ],
)
def test_names_that_no_file_can_have_are_one_line(place, line, capsys):
    before = digests(place)
    assert main(line.format(place).split()) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("tf-led: ")
    assert digests(place) == before


@pytest.mark.parametrize(
    "line",
    [EVALUATE, "summarize {0}/data.jsonl --model {0}/model --part-summaries"],
)
def test_an_empty_name_is_named(place, line, capsys):
    argv = [*line.format(place).split(), ""]
    assert main(argv) == 2
    assert f"{argv[-2]}: an empty name" in capsys.readouterr().err


def run(place, line, **streams):
    """Runs a command as a shell would."""
    argv = [sys.executable, "-m", "tf_led.cli.main", *line.format(place).split()]
    return subprocess.run(argv, stderr=subprocess.PIPE, text=True, **streams)


@pytest.mark.parametrize(
    "line",
    [EVALUATE, "summarize {0}/data.jsonl --model {0}/model --part-summaries"],
)
def test_standard_output_is_no_place_for_a_whole_file(place, line):
    option = line.split()[-1]
    out = place / "out.txt"
    for path in ("/dev/stdout", "/proc/self/fd/1", f"{place}/out.txt"):
        with open(out, "w") as stdout:
            done = run(place, f"{line} {path}", stdout=stdout)
        assert done.returncode == 2 and out.read_text() == ""
        assert done.stderr == f"tf-led: {option} {path}: is standard output; name " + (
            "another file\n"
        )
    piped = run(place, f"{line} /dev/stdout", stdout=subprocess.PIPE)
    assert piped.returncode == 2 and "is standard output" in piped.stderr
    done = run(place, f"{line} /dev/stderr", stdout=subprocess.PIPE)
    assert done.returncode == 2 and "is standard error" in done.stderr


def test_a_pipe_is_written_to_and_a_full_device_named(tmp_path):
    read, write = os.pipe()
    with open_file(f"/dev/fd/{write}") as file:
        file.write("a line\n")
    os.close(write)
    with open(read) as pipe:
        assert pipe.read() == "a line\n"
    with pytest.raises(OSError, match="No space left.* '/dev/full'"):  # noqa: SIM117
        with open_file("/dev/full") as file:
            file.write("a line\n")
    with open_file(tmp_path / "new") as file:
        file.write("ä\n")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new").read_bytes() == b"\xc3\xa4\n"


def test_a_device_that_may_not_be_written_to(place, capsys, monkeypatch):
    os.mkfifo(place / "pipe")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main(f"{EVALUATE} {{0}}/pipe".format(place).split()) == 2
    assert "pipe: no permission to write to it" in capsys.readouterr().err


@pytest.mark.slow
def test_a_path_that_is_not_utf_8_leaves_as_it_came(place):
    """To stdout its very bytes; to stderr in a form that can be read."""
    name = b"caf\xe9"
    os.rename(place / "model", os.path.join(os.fsencode(place), name))
    argv = ["-m", "tf_led.cli.main", "convert", name, b"new-" + name]
    done = subprocess.run([sys.executable, *argv], cwd=place, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"new-caf\xe9/model.safetensors\n"
    again = subprocess.run([sys.executable, *argv], cwd=place, capture_output=True)
    assert again.returncode == 2 and b"Traceback" not in again.stderr
    assert b"not empty" in again.stderr.splitlines()[-1]


@contextlib.contextmanager
def full_after(size):
    """Stands in for a full disk: no file gets longer than `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("to", ["safetensors", "bin"])
def test_a_full_disk_is_one_line_and_the_command_may_be_given_again(place, capsys, to):
    argv = ["convert", str(place / "model"), str(place / "new"), "--to", to]
    before = digests(place)
    for size in (0, 9_000):
        with full_after(size):
            assert main(argv) == 1
        out, err = capsys.readouterr()
        last = err.splitlines()[-1]
        assert out == "" and last.startswith("tf-led: ") and str(place / "new") in last
        assert digests(place) == before and not (place / "new").exists()
    assert main(argv) == 0


def test_what_a_killed_writer_left_is_not_the_users(place, capsys):
    new = place / "new"
    (new / ".saving-left").mkdir(parents=True)
    (new / ".saving-left/model.safetensors").write_text("half")
    (new / ".tokenizer-left").mkdir()
    assert main(["convert", str(place / "model"), str(new)]) == 0
    assert capsys.readouterr().out == f"{new}/model.safetensors\n"
    assert not list(new.glob(".saving*"))


class PowerCutError(BaseException):
    pass


def test_a_convert_killed_between_two_files_may_be_given_again(place, monkeypatch):
    """Files that it has moved are not taken for the user's, those of his own are."""
    argv, new = ["convert", str(place / "model"), str(place / "new")], place / "new"
    move, left = os.replace, 2

    def cut_off(source, target):
        nonlocal left
        left -= 1
        if left < 0:
            raise PowerCutError
        move(source, target)

    for moved in (2, 1):  # twice: the second knows what the first has moved
        left = moved
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", cut_off)
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # nobody tidies up
            with pytest.raises(PowerCutError):
                main(argv)
        assert len([path for path in new.iterdir() if path.is_file()]) == 2
    (new / "mine.txt").write_text("mine")
    assert main(argv) == 2
    (new / "mine.txt").unlink()
    assert main(argv) == 0
    assert (new / "model.safetensors").is_file() and not list(new.glob(".*"))
