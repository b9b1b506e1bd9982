"""Commands and functions that write, given their own inputs as outputs."""

import hashlib
import os
import shutil

import pytest

from tf_led.checkpoints.convert.bart import bart_to_led
from tf_led.checkpoints.disk.paths import same_place
from tf_led.cli.main import main

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
        "export {0}/model {0}/model",
        "export {0}/model {0}/linked_model",
    ],
)
def test_an_output_that_is_an_input_is_an_error(place, line, capsys):
    before = digests(place)
    argv = line.format(place).split()
    assert main(argv) == 2
    out, err = capsys.readouterr()
    output = argv[2] if argv[0] != "evaluate" else argv[-1]
    assert out == "" and err.count("\n") == 1 and output in err
    assert digests(place) == before


@pytest.mark.parametrize("output", ["model", "linked_model"])
def test_a_bart_is_not_replaced_by_its_led(place, output):
    before = digests(place)
    with pytest.raises(ValueError, match=f"`destination` .*{output}.* is `source`"):
        bart_to_led(place / "model", place / output)
    assert digests(place) == before


def test_a_file_is_the_same_by_any_path_and_another_is_not(place):
    data = place / "data.jsonl"
    for name in ("data.jsonl", "model/../data.jsonl", "linked.jsonl", "hard.jsonl"):
        assert same_place(data, place / name) and same_place(place / name, str(data))
    (place / "dangling").symlink_to("new")
    assert same_place(place / "new", place / "dangling")
    assert not same_place(data, place / "model")
    assert not same_place(place / "new", place / "newer")
