import functools
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tf_led.cli import summarize as command
from tf_led.cli.documents import Document
from tf_led.cli.main import main
from tf_led.pipelines import Part

CUT = ["--long-documents", "cut"]
SHORT = "\tparser = Parser()\r\nCaf\u00e9 \U0001f600, the end.\n"
LONG = "The parser adds an argument; the argument has a name.\n" * 23


@pytest.fixture(scope="module")
def load_once():
    """The command's own loading, once per checkpoint: a model compiles at first use."""
    return functools.lru_cache(command.load_model)


@pytest.fixture
def summarize(checkpoint, tmp_path, capsys, monkeypatch, load_once):
    """Runs `tf-led summarize` on texts; returns exit code, stdout and stderr."""
    monkeypatch.setattr(command, "load_model", load_once)

    def run(*texts, options=(), model=checkpoint):
        files = [tmp_path / f"{i}.txt" for i in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_bytes(text.encode())
        argv = ["summarize", *map(str, files), "--model", str(model), *options]
        code = main(argv)
        return code, *capsys.readouterr()

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "kwargs"),
    [
        ([], {}),
        (["--num-beams", "1"], {"num_beams": 1}),
        (
            ["--num-beams", "3", "--max-new-tokens", "32"],  # all decoder positions
            {"num_beams": 3, "max_new_tokens": 32},
        ),
    ],
)
def test_text_is_that_of_pytorch(summarize, pytorch_summary, options, kwargs):
    code, out, _ = summarize(SHORT, LONG, options=[*options, *CUT])
    expected = [pytorch_summary(text, **kwargs) for text in (SHORT, LONG)]
    assert code == 0 and out == "".join(f"{text}\n" for text in expected)
    assert len(set(expected)) == 2 and all(len(text) > 5 for text in expected)


def test_global_tokens_are_those_of_the_text(summarize, pytorch_summary):
    options = ["--global-tokens", "all-of", "the argument", *CUT]
    code, out, _ = summarize(LONG, options=options)
    wanted = [
        range(found.start(), found.end()) for found in re.finditer("the argument", LONG)
    ]
    expected = pytorch_summary(
        LONG, lambda span: any(c in r for r in wanted for c in range(*span))
    )
    assert code == 0 and out == f"{expected}\n"
    assert expected != pytorch_summary(LONG)  # the choice matters


def test_progress_goes_to_stderr(summarize):
    _, _, err = summarize(SHORT, "Parser.")
    lines = err.splitlines()
    assert lines[0].startswith("tf-led: loading ") and len(lines) == 3
    for number, line in enumerate(lines[1:], 1):
        assert re.match(
            rf"tf-led: \[{number}/2\] .*{number - 1}.txt: \d+ tokens in, 1[0-2] out",
            line,
        )


def test_a_cut_document_is_reported_with_what_is_left_out(summarize, checkpoint):
    from tf_led import LEDTokenizerFast

    total = len(LEDTokenizerFast.from_pretrained(checkpoint)(LONG)["input_ids"])
    _, _, err = summarize(LONG, SHORT, options=CUT)
    (warning,) = [line for line in err.splitlines() if "warning" in line]
    assert f"0.txt: {total} tokens, the model takes 96" in warning
    assert f"the last {total - 96} are left out" in warning


def test_nothing_is_summarised_when_one_document_cannot_be(summarize):
    only_at_the_end = LONG + "the very end"
    options = ["--global-tokens", "all-of", "the very end", *CUT]
    code, out, err = summarize("the very end", only_at_the_end, options=options)
    assert (code, out) == (2, "")
    assert "1.txt" in err and "'the very end': none of the 96 tokens" in err
    code, out, err = summarize("the very end", LONG, options=options)
    assert (code, out) == (2, "") and "1.txt" in err and "does not occur" in err


def test_more_tokens_than_the_decoder_has_positions_raise(summarize):
    code, out, err = summarize(SHORT, options=["--max-new-tokens", "33"])
    assert (code, out) == (2, "")
    assert err.endswith("--max-new-tokens 33: the model's decoder has 32 positions\n")


def test_a_long_document_is_summarised_in_parts(summarize, tmp_path):
    parts = tmp_path / "parts.jsonl"
    options = ["--part-summaries", str(parts), "--num-beams", "1"]
    code, out, err = summarize(LONG, SHORT, options=options)
    first, second = out.splitlines()
    assert code == 0 and first and second
    rows = [json.loads(line) for line in parts.read_text().splitlines()]
    assert {Path(row["document"]).name for row in rows} == {"0.txt", "1.txt"}
    level = [row for row in rows if row["document"].endswith("0.txt")]
    level = [row for row in level if row["level"] == 1]
    assert "".join(LONG[row["start"] : row["end"]] for row in level) == LONG
    assert all(LONG[row["end"] - 1] == "\n" for row in level)
    assert [row["number"] for row in level] == list(range(1, len(level) + 1))
    assert f"tokens in {len(level)} parts (level 1)" in err
    for size in ("1", "3"):
        again = ["--num-beams", "1", "--batch-size", size]
        assert summarize(LONG, SHORT, options=again)[1] == out


def test_the_joined_summaries_may_be_as_long_as_asked(summarize):
    options = ["--num-beams", "1", "--summary-tokens"]
    _, longer, err = summarize(LONG, options=[*options, "997"])
    assert "level 2" not in err
    _, shorter, err = summarize(LONG, options=[*options, "5"])
    assert "(level 2)" in err and len(shorter) < len(longer)


def test_parts_may_be_shorter_than_the_limit(summarize):
    options = ["--num-beams", "1", "--part-tokens"]
    logs = [summarize(LONG, options=[*options, n])[2] for n in ("89", "41")]
    few, many = (int(re.search(r"in (\d+) parts \(level 1", log)[1]) for log in logs)
    assert few < many
    code, out, err = summarize(LONG, options=[*options, "99999"])
    assert (code, out) == (2, "") and "--part-tokens 99999: " in err
    code, out, err = summarize(LONG, options=[*options, "2"])
    assert (code, out) == (2, "") and "--part-tokens 2: give at least 3" in err


def test_a_file_whose_name_is_no_utf8_has_parts_all_the_same(tmp_path):
    file = io.TextIOWrapper(io.BytesIO(), "utf-8")
    document = Document(os.fsdecode(b"caf\xe9.txt"), SHORT)
    command.part_writer(document, file)(Part(1, 1, 0, 5, "\u00e9"))
    file.seek(0)
    row = json.loads(file.read())
    assert (row["document"], row["summary"]) == ("caf\\xe9.txt", "\u00e9")


def test_a_long_document_is_fused(summarize, pytorch_summary):
    options = ["--long-documents", "fuse"]
    code, out, err = summarize(LONG, SHORT, options=options)
    assert code == 0 and "overlapping parts" in err and "MiB" in err
    assert out.endswith(f"\n{pytorch_summary(SHORT)}\n")


@pytest.mark.parametrize("method", ["fuse", "cut"])
def test_options_of_split_need_it(summarize, method):
    for option in ("--summary-tokens", "--part-tokens", "--part-summaries"):
        options = ["--long-documents", method, option, "7"]
        code, out, err = summarize(SHORT, options=options)
        assert (code, out) == (2, "") and f"{option} 7: " in err and method in err


def test_a_file_of_parts_that_cannot_be_written_is_one_line(summarize, tmp_path):
    path = tmp_path / "no" / "parts.jsonl"
    code, out, err = summarize(SHORT, options=["--part-summaries", str(path)])
    assert (code, out) == (2, "") and f"--part-summaries {path}: " in err
    code, out, err = summarize(SHORT, options=["--part-summaries", "-"])
    assert (code, out) == (2, "") and "--part-summaries -: give a file" in err


def cut_off(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def of_another_model(file):
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({**fields, "vocab_size": 499}))


DAMAGES = {
    "model.safetensors": cut_off,
    "config.json": of_another_model,
    "vocab.json": cut_off,
    "generation_config.json": cut_off,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_checkpoint_is_one_line(summarize, checkpoint, tmp_path, name):
    damaged = shutil.copytree(checkpoint, tmp_path / "damaged")
    DAMAGES[name](damaged / name)
    code, out, err = summarize(SHORT, model=damaged)
    last = err.splitlines()[-1]
    assert (code, out) == (2, "") and last.startswith(f"tf-led: --model {damaged}: ")
    assert "Traceback" not in err and len(last) > len(f"tf-led: --model {damaged}: ")


def test_a_config_field_of_the_wrong_type_is_one_line(summarize, checkpoint, tmp_path):
    damaged = shutil.copytree(checkpoint, tmp_path / "damaged")
    fields = json.loads((damaged / "config.json").read_text())
    wrong = json.dumps({**fields, "attention_window": "8"})
    (damaged / "config.json").write_text(wrong)
    code, out, err = summarize(SHORT, model=damaged)
    assert (code, out) == (2, "") and "Traceback" not in err
    assert "'attention_window' with value '8'" in err.splitlines()[-1]


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.json", "config.json"])
def test_incomplete_checkpoint_is_one_line(summarize, checkpoint, tmp_path, name):
    incomplete = shutil.copytree(checkpoint, tmp_path / "incomplete")
    (incomplete / name).unlink()
    code, out, err = summarize(SHORT, model=incomplete)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"tf-led: --model {incomplete}: ")


def test_hub_id_that_cannot_be_reached_is_one_line(summarize):
    code, out, err = summarize(SHORT, model="nobody/no-such-led")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(
        "tf-led: --model nobody/no-such-led (a Hub id, no directory): "
    )


# Python reads this at its start; torch is then a module that nobody installed.
WITHOUT_TORCH = """
import sys
from importlib.machinery import PathFinder

class WithoutTorch(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] != "torch":
            return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTorch
"""


@pytest.mark.slow
def test_the_installed_command_without_torch(checkpoint, pytorch_summary, tmp_path):
    """A process of its own: standard input, any locale, stderr with our lines only."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_TORCH)
    ours = ("TF_CPP_MIN_LOG_LEVEL", "TRANSFORMERS_NO_ADVISORY_WARNINGS")
    environment = {k: v for k, v in os.environ.items() if k not in ours}
    environment |= {"PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [Path(sys.executable).with_name("tf-led"), "summarize", "-"]
        + ["--model", checkpoint, "--num-beams", "3"],
        input=SHORT.encode(),
        capture_output=True,
        env=environment,
    )
    assert done.stdout.decode() == pytorch_summary(SHORT, num_beams=3) + "\n"
    lines = done.stderr.splitlines()
    assert done.returncode == 0 and len(lines) == 2
    assert all(line.startswith(b"tf-led: ") for line in lines)


@pytest.mark.filterwarnings("ignore:.*lacks 1 of the model's weights:UserWarning")
def test_a_checkpoint_that_lacks_weights_raises(checkpoint, tmp_path, summarize):
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    del tensors["led.encoder.layers.0.fc1.bias"]
    save_file(tensors, broken / "model.safetensors", {"format": "pt"})
    code, out, err = summarize(SHORT, model=broken)
    assert (code, out) == (2, "")
    assert "lacks 1 weights, led.encoder.layers.0.fc1.bias" in err
