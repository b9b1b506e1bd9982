import json
import os
import subprocess
import sys
import warnings

import pytest

import tf_led
from tf_led.cli import main as main_module
from tf_led.cli import summarize
from tf_led.cli.main import COMMANDS, main


@pytest.fixture
def rejected(capsys):
    """Runs `tf-led` and returns the one line of its rejection."""

    def run(*argv):
        assert main(argv) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("tf-led: ") and err.count("\n") == 1
        return err

    return run


@pytest.mark.parametrize("argv", [["--help"], ["-h"]])
def test_help_lists_every_command(argv, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(argv)
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_has_an_example(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    out = capsys.readouterr().out
    assert f"usage: tf-led {name}" in out and f"examples:\n  tf-led {name}" in out


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"tf-led {tf_led.__version__}\n"


def test_no_command_and_unknown_command_are_errors(rejected):
    assert "required: COMMAND" in rejected()
    assert "'sumarize'" in rejected("sumarize", "a.txt")


@pytest.mark.parametrize("option", ["--num-beams", "--max-new-tokens"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "four", "", "1_000", "\u0663"])
def test_wrong_numbers_are_errors(rejected, option, value):
    argv = ["summarize", "a.txt", "--model", "m", f"{option}={value}"]
    assert f"{option}: must be a whole number of at least 1, got {value!r}" in rejected(
        *argv
    )


def test_missing_and_unknown_arguments_are_errors(rejected):
    assert "FILE" in rejected("summarize", "--model", "m")
    assert "MODEL" in rejected("export") and "DEST" in rejected("convert", "m")
    assert "--beams" in rejected("summarize", "a.txt", "--model", "m", "--beams", "4")
    assert "--num-b" in rejected("summarize", "a.txt", "--model", "m", "--num-b", "4")
    assert "got 'last'" in rejected(
        "summarize", "a.txt", "--model", "m", "--global-tokens", "last"
    )


def test_bfloat16_products_come_before_tensorflow(rejected, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    line = rejected("summarize", "--model", "m", "--bfloat16-products", "notes.txt")
    assert "--bfloat16-products: " in line and "after TensorFlow was loaded" in line


@pytest.mark.parametrize(
    "argv",
    [
        ["a", "--model", "m", "--global-tokens", "all-of", "x y", "b"],
        ["--global-tokens", "all-of", "x y", "a", "b", "--model", "m"],
        ["--model=m", "a", "--global-tokens=all-of x y", "b"],
        ["--model", "m", "--global-tokens", "all-of", "x y", "--", "a", "b"],
    ],
)
def test_files_and_options_come_in_any_order(argv, monkeypatch):
    seen = []
    monkeypatch.setattr(summarize, "run", seen.append)
    assert main(["summarize", *argv]) == 0
    (args,) = seen
    assert (args.files, args.model, args.global_tokens.text) == (["a", "b"], "m", "x y")


def test_files_that_look_like_options_follow_two_dashes(monkeypatch):
    seen = []
    monkeypatch.setattr(summarize, "run", seen.append)
    assert main(["summarize", "--model", "m", "-", "--", "--help"]) == 0
    assert seen[0].files == ["-", "--help"] and seen[0].global_tokens.text is None


def test_interrupt_ends_with_130(monkeypatch, capsys):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(summarize, "run", interrupt)
    assert main(["summarize", "a", "--model", "m"]) == 130
    assert capsys.readouterr().err == "tf-led: interrupted\n"


def test_a_panic_of_the_tokenizer_is_one_line(monkeypatch, rejected):
    class PanicException(BaseException):
        """As the library in Rust has it."""

    def panic(args):
        raise PanicException("backtracked too often")

    monkeypatch.setattr(summarize, "run", panic)
    assert "the tokenizer gave up: backtracked too often" in rejected("summarize", "a")


@pytest.mark.filterwarnings("default")
def test_warnings_are_lines_of_ours(monkeypatch, capsys):
    def warn(args):
        warnings.warn("nothing set:\ntaking 20", UserWarning, stacklevel=2)

    shown = warnings.showwarning
    monkeypatch.setattr(summarize, "run", warn)
    assert main(["summarize", "a", "--model", "m"]) == 0
    assert capsys.readouterr().err == "tf-led: warning: nothing set: taking 20\n"
    assert warnings.showwarning is shown


def test_our_own_mistakes_keep_their_traceback(monkeypatch):
    monkeypatch.setattr(main_module, "run", lambda argv: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main([])


def test_help_and_mistakes_are_answered_without_tensorflow(tmp_path):
    empty = tmp_path / "empty.txt"
    empty.touch()
    source = f"""
import json, sys
from tf_led.cli.main import main
codes = [main(["summarize", {str(empty)!r}, "--model", "m"]),
         main(["summarize", __file__, "--model", "/no/where"])]
for argv in [["--help"], *([name, "--help"] for name in {[*COMMANDS]!r})]:
    try:
        main(argv)
    except SystemExit as end:
        codes.append(end.code)
heavy = ("tensorflow", "transformers", "torch")
print(json.dumps([codes, [name for name in heavy if name in sys.modules]]))
"""
    script = tmp_path / "script.py"
    script.write_text(source)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    codes, loaded = json.loads(done.stdout.splitlines()[-1])
    assert codes == [2, 2] + [0] * (1 + len(COMMANDS)) and loaded == []
    assert "empty.txt: empty" in done.stderr and "/no/where" in done.stderr


STAND_IN = """
import sys; from tf_led.cli import main, summarize
summarize.run = lambda args: print("x" * 99999)
sys.exit(main.main(["summarize", "a", "--model", "m"]))
"""


def test_a_reader_that_goes_away_is_no_error():
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-c", STAND_IN], stdout=write_end, stderr=subprocess.PIPE
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("redirect", "code", "message"),
    [
        (">/dev/full", 1, b"No space left"),
        (">&-", 2, b"standard output is closed"),
        (">/dev/null 2>&-", 0, b""),
    ],
)
def test_stdout_that_cannot_be_written_is_one_line(redirect, code, message):
    shell = f'exec "$0" -c "$1" {redirect}'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable, STAND_IN], capture_output=True
    )
    assert done.returncode == code and message in done.stderr
    assert done.stderr.count(b"\n") == bool(message)
