import os
import sys

import pytest
import tensorflow as tf

from tf_led.cli import export as command
from tf_led.cli.main import main

TEXT = "\tparser = Parser()\r\nCaf\u00e9 \U0001f600, the end.\n"


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    """Where the command wrote to, and what it printed."""
    folder = tmp_path_factory.mktemp("exported") / "led"
    argv = ["export", str(checkpoint), str(folder), "--num-beams", "3"]
    argv += ["--max-new-tokens", "5", "--length-penalty", "0.5"]
    out, sys.stdout = sys.stdout, open(folder.parent / "out", "w+")  # noqa: SIM115
    try:
        assert main(argv) == 0
    finally:
        sys.stdout.close()
        sys.stdout = out
    return folder, (folder.parent / "out").read_text()


@pytest.mark.slow
def test_the_path_goes_to_stdout(exported):
    folder, out = exported
    assert out == f"{folder}/1\n" and os.listdir(folder) == ["1"]


def test_texts_are_those_of_pytorch(exported, pytorch_summary):
    loaded = tf.saved_model.load(str(exported[0] / "1"))
    answer = loaded.signatures["serving_default"](text=tf.constant([TEXT]))
    options = {"num_beams": 3, "max_new_tokens": 5, "length_penalty": 0.5}
    (text,) = answer["generated_text"].numpy()
    assert text.decode() == pytorch_summary(TEXT, **options) != ""


def test_every_option_reaches_the_export(checkpoint, tmp_path, monkeypatch, capsys):
    seen = {}

    def export(model, path, tokenizer, **options):
        seen.update(options)
        return f"{path}/1"

    monkeypatch.setattr("tf_led.export_saved_model", export, raising=False)
    monkeypatch.setattr(command, "load_model", lambda name, **given: seen.update(given))
    argv = ["export", str(checkpoint), str(tmp_path / "led"), "--do-sample", "--xla"]
    argv += ["--attention-implementation", "grouped:2GB", "--temperature", "0.7"]
    argv += ["--seed", "0", "--quantize", "int8", "--warmup"]
    assert main([*argv, "--global-attention", "none"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/led/1\n"
    assert seen == {
        "attention_implementation": "grouped:2GB",
        "do_sample": True,
        "temperature": 0.7,
        "seed": 0,
        "quantize": "int8",
        "warmup": True,
        "xla": True,
        "global_attention": "none",
    }


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["m"], "DEST"),
        (["./no/such/place", "d"], "MODEL ./no/such/place: no such directory"),
        (["{checkpoint}", "{file}"], "DEST {file}: a file"),
        (["m", "d", "--length-penalty", "long"], "must be a number, got 'long'"),
        (["m", "d", "--temperature", "inf"], "must be a number, got 'inf'"),
        (["m", "d", "--seed", "-1"], "got '-1'"),
        (["m", "d", "--quantize", "int2"], "'int2'"),
    ],
)
def test_mistakes_are_errors_at_once(checkpoint, tmp_path, capsys, argv, message):
    (tmp_path / "file").write_text("mine")
    names = {"checkpoint": checkpoint, "file": tmp_path / "file"}
    assert main(["export", *(word.format(**names) for word in argv)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("tf-led: ") and err.count("\n") == 1
    assert message.format(**names) in err


def test_mistakes_that_generation_knows_are_one_line(checkpoint, tmp_path, capsys):
    argv = ["export", str(checkpoint), str(tmp_path / "led"), "--seed", "3"]
    assert main(argv) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"tf-led: exporting {checkpoint}: `seed` is 3, but nothing")
    assert not (tmp_path / "led").exists()


def test_a_warmup_without_its_package_is_one_line(
    checkpoint, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    argv = ["export", str(checkpoint), str(tmp_path / "led"), "--warmup"]
    assert main(argv) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("tf-led: --warmup: ") and "tf_led[serving]" in last
