"""`tf-led train` as users call it; test_train_killed.py kills it."""

import gc
import json
import os
import random
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.cli.training_runs import argv_of, train, write_examples
from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
from tf_led.cli.main import main

pytestmark = pytest.mark.slow


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_the_output_is_a_checkpoint(run, small):
    output, result, err = run
    model = TFLEDForConditionalGeneration.from_pretrained(output)
    tokenizer = LEDTokenizerFast.from_pretrained(output)
    assert (
        tokenizer("a parser")["input_ids"] == small.tokenizer("a parser")["input_ids"]
    )
    weights = load_file(output / "model.safetensors")
    moved = np.abs(weights["led.shared.weight"] - small.embeddings).max()
    assert moved > 1e-3 and model.config.d_model == 12
    assert (output / "training/state.safetensors").is_file()


def test_the_result_is_one_line_of_json(run):
    output, result, _ = run
    assert result["output"] == str(output)
    assert (result["epochs"], result["steps"]) == (2, 6)
    first, last = result["history"]
    assert last["loss"] < first["loss"] and last["val_loss"] < first["val_loss"]
    assert result["val_loss"] == last["val_loss"]


def test_progress_and_what_became_of_the_data(run):
    err = run[2]
    assert err.count("tf-led: compiling the training step ...\n") == 1
    assert "6/6" in err and "epoch 2: " in err and "val_loss" in err
    assert "train.jsonl: 11 examples; 2 bad records left out; 1 documents cut, " in err
    assert "train.jsonl:3: not JSON: " in err
    assert "train.jsonl:6: 'summary' is empty; left out" in err


def test_run_again_it_is_complete_and_changes_nothing(run, capsys):
    output, result, _ = run
    before = files_of(output)
    assert train(run.files, output) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == result and "this run is complete" in err
    assert files_of(output) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "7"], "--seed 7: the run in {} began without --seed"),
        (["--epochs", "3"], "--epochs 3: the run in {} began with --epochs 2"),
        (["--lora-rank", "2"], "--lora-rank 2: the run in {} began without"),
        (["--freeze", "encoder"], "--freeze ['encoder']: the run in {} began without"),
    ],
)
def test_other_arguments_are_rejected(run, capsys, options, message):
    before = files_of(run.output)
    assert main([*argv_of(run.files, run.output), *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message.format(run.output) in err
    assert files_of(run.output) == before


def test_other_data_is_rejected(run, capsys, tmp_path):
    other = tmp_path / "other.jsonl"
    write_examples(other, random.Random(1), 3)
    argv = argv_of(run.files, run.output)
    argv[argv.index("--train") + 1] = str(other)
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert f"--train {other}: not the data that the run in {run.output} began" in err


REJECTED = [
    (["--patience", "2"], "--patience 2: needs --validation"),
    (["--global-tokens", "question"], "question: needs --question-key"),
    (["--global-tokens", "separators"], "separators: needs --separator"),
    (["--workers", "2", "--accumulation-steps", "3"], "steps 3: not with --workers"),
    (["--learning-rate", "0"], "--learning-rate 0: nothing would be learnt"),
    (["--weight-decay", "1e300"], "--weight-decay 1e+300: with --learning-rate 5e-05"),
    (["--learning-rate", "-1"], "at least 0 and below inf, got '-1'"),
    (["--label-smoothing", "1"], "at least 0 and below 1, got '1'"),
    (["--warmup-steps", "x"], "at least 0, got 'x'"),
    (["--train", "nowhere.jsonl"], "--train nowhere.jsonl: no such file"),
    (["--train", "."], "--train .: is a directory"),
    (["--model", "./nowhere"], "--model ./nowhere: no such directory"),
    (["--output", __file__], f"--output {__file__}: a file, not a directory"),
    (["--output", ""], "--output: an empty name"),
    (["--tensorboard", __file__], f"--tensorboard {__file__}: {__file__} is a file"),
    (["--tensorboard", ""], "--tensorboard: an empty name"),
]
LATE = [
    (
        ["--max-source-length", "2"],
        "--max-source-length 2: must be at least 3, a token between the special ones",
    ),
    (
        ["--max-source-length", "97"],
        "--max-source-length 97: the model's encoder has 96",
    ),
    (
        ["--max-target-length", "33"],
        "--max-target-length 33: the model's decoder has 32",
    ),
    (["--strict"], "train.jsonl:3: not JSON"),
    (
        ["--document-key", "text"],
        "13 bad records, the first {0}:1: the key 'text' is missing",
    ),
    (["--separator", "<x>", "--global-tokens", "separators"], "is '<x>', which is no"),
    (["--lora-rank", "1000000000"], "--lora-rank 1000000000: `rank` is 1000000000,"),
    (["--freeze", "toaster"], "--freeze toaster: "),
    (["--freeze", "led"], "--freeze led: no weight is left that would train"),
    (["--warmup-steps", "4"], "--warmup-steps 4: the whole run has 3 updates"),
    (["--accumulation-steps", "5"], "-steps 5: the whole run has 3 batches, too few"),
    (["--source-prefix", "a " * 97], "`source_prefix` has 98 tokens"),
]


@pytest.mark.parametrize(("options", "message"), [*REJECTED, *LATE])
def test_a_mistake_is_one_line(small, files, tmp_path, capsys, options, message):
    argv = ["train", "--train", str(files[0]), "--model", str(small.folder)]
    argv += ["--output", str(tmp_path / "out"), "--epochs", "1", "--batch-size", "4"]
    assert main([*argv, *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith("tf-led: ")
    assert message.replace("{0}", str(files[0])) in err.splitlines()[-1]
    # Nothing was begun: what is left, if anything, are ids to read again.
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parents[1] for path in left} <= {tmp_path / "out/training/data"}
    assert left or not list(tmp_path.iterdir())


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", ["same", "dots", "link", "upper link"])
def test_the_model_is_not_overwritten(small, files, tmp_path, capsys, monkeypatch, way):
    """By whatever path: it is rejected before anything is read."""
    folder = tmp_path / "above" / "model"
    shutil.copytree(small.folder, folder)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "upper").symlink_to(folder.parent)
    output = {
        "same": folder,
        "dots": folder / ".." / "model",
        "link": tmp_path / "link",
        "upper link": tmp_path / "upper" / "model",
    }[way]
    before = contents(folder)
    monkeypatch.setattr("tf_led.cli.train.command.check_checkpoint", None)
    argv = ["train", "--train", "nowhere", "--model", folder, "--output", output]
    assert main([str(word) for word in argv]) == 2
    err = capsys.readouterr().err
    assert f"--output {output}: the folder of the model" in err
    assert contents(folder) == before


@pytest.mark.parametrize(
    "name", ["training/data/a.jsonl", "training/state.safetensors", "config.json"]
)
def test_data_are_not_overwritten(small, files, tmp_path, capsys, name):
    output = tmp_path / "out"
    (output / name).parent.mkdir(parents=True)
    shutil.copy(files[0], output / name)
    (tmp_path / "link").symlink_to(output / name)
    for path in (output / name, tmp_path / "link"):
        argv = argv_of((path, *files[1:]), output, small)
        assert main(argv) == 2
        assert f"--train {path}: training writes there" in capsys.readouterr().err
    assert (output / name).read_bytes() == files[0].read_bytes()


def test_other_workers_than_the_environment_names(files, tmp_path, capsys, monkeypatch):
    cluster = {"worker": ["a:1", "b:1"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert main([*argv_of(files, tmp_path / "out"), "--workers", "3"]) == 2
    assert "--workers 3: TF_CONFIG names 2" in capsys.readouterr().err


def test_a_checkpoint_of_others_is_replaced_only_with_force(files, tmp_path, capsys):
    output = tmp_path / "mine"
    shutil.copytree(files[2], output)
    before = (output / "model.safetensors").read_bytes()
    assert train(files, output) == 2
    message = f"--output {output}: holds config.json, and no training/ of a run"
    assert message in capsys.readouterr().err
    assert (output / "model.safetensors").read_bytes() == before
    assert not (output / "training").exists()
    assert main([*argv_of(files, output), "--force"]) == 0
    assert (output / "model.safetensors").read_bytes() != before
    # From here on it is the run's own.
    assert train(files, output) == 0


@pytest.mark.parametrize("option", ["--train", "--validation"])
def test_a_pipe_is_not_read_twice(small, files, tmp_path, capsys, option):
    os.mkfifo(tmp_path / "pipe")
    argv = [*argv_of(files, tmp_path / "out", small), option, str(tmp_path / "pipe")]
    assert main(argv) == 2
    assert (
        f"{option} {tmp_path / 'pipe'}: a pipe or a device" in capsys.readouterr().err
    )


def test_a_folder_with_the_name_of_a_file(small, files, tmp_path, capsys):
    (tmp_path / "config.json").mkdir()
    for more in ([], ["--force"]):
        assert main([*argv_of(files, tmp_path, small), *more]) == 2
        err = capsys.readouterr().err
        assert f"{tmp_path / 'config.json'} is a directory where training" in err


def test_logs_whose_folder_is_a_file(small, files, tmp_path, capsys):
    (tmp_path / "validation").write_text("mine")
    argv = [*argv_of(files, tmp_path / "out", small), "--tensorboard", str(tmp_path)]
    assert main(argv) == 2
    assert f"{tmp_path / 'validation'} is a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", ["--source-prefix", "--separator", "--document-key", "--question-key"]
)
def test_text_that_is_no_utf_8(small, files, tmp_path, capsys, option):
    argv = [*argv_of(files, tmp_path / "out", small), option, "caf\udce9"]
    assert main(argv) == 2
    assert f"{option}: is no UTF-8, got 'caf\\udce9'" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["{", "[]"])
@pytest.mark.parametrize("name", ["arguments.json", "result.json"])
def test_a_damaged_record_is_named(files, tmp_path, capsys, name, damage):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / name).write_text(damage)
    assert train(files, tmp_path) == 2
    assert f"{name} is damaged: no JSON object" in capsys.readouterr().err


def test_a_folder_in_use_is_rejected(small, files, tmp_path, capsys):
    from tf_led.training.run_folder import RunFolder

    with RunFolder(tmp_path / "out").owned():
        assert train(files, tmp_path / "out", small) == 2
    assert "another run is at work in it" in capsys.readouterr().err


def test_a_run_that_comes_to_nothing_saves_nothing(small, files, tmp_path, capsys):
    options = ["--learning-rate", "1e30", "--clip-norm", "0", "--save-steps", "99"]
    assert main([*argv_of(files, tmp_path, small), *options]) == 2
    gc.collect()  # no bar is drawn when it goes
    out, err = capsys.readouterr()
    assert out == "" and "has become infinite or NaN: nothing can be" in err
    assert "less than --learning-rate 1e+30" in err.splitlines()[-1]
    assert not list(tmp_path.rglob("*.safetensors"))


def test_options_together(small, files, tmp_path, capsys):
    """Adapters, recomputing, bfloat16, accumulation, smoothing, cosine, patience."""
    output = tmp_path / "out"
    argv = [*argv_of(files, output, small), "--lora-rank", "2", "--epochs", "9"]
    argv += ["--gradient-checkpointing", "--precision", "mixed_bfloat16"]
    argv += ["--accumulation-steps", "2", "--label-smoothing", "0.1", "--patience", "1"]
    argv += ["--schedule", "cosine", "--warmup-steps", "1", "--learning-rate", "100"]
    argv += ["--tensorboard", str(tmp_path / "logs")]
    assert main(argv) == 0
    result = json.loads(capsys.readouterr().out)
    # At such a rate it soon gets no better.
    losses = [logs["val_loss"] for logs in result["history"]]
    assert 1 < len(losses) < 9 and losses[-1] >= losses[-2]
    assert result["best_val_loss"] == min(losses) == losses[-2]
    weights = load_file(output / "model.safetensors")
    same = weights["led.shared.weight"] == small.embeddings
    assert same.all()  # only adapters train
    assert list((tmp_path / "logs").rglob("*events*"))
