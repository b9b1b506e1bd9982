import pytest

from tf_led.cli.parser import Parser, UsageError
from tf_led.cli.train import arguments as train_arguments
from tf_led.cli.train.arguments import add_arguments, check_together, to_command_line


def test_the_words_for_workers_say_the_same():
    parser = Parser()
    add_arguments(parser)
    given = ["--train", "a.jsonl", "--output", "-o", "--freeze", "a", "--freeze", "b"]
    given[3] = "--output=-o"
    del given[2]
    given += ["--strict", "--learning-rate", "0.1", "--source-prefix", "a b: "]
    args = parser.parse_args([*given, "--workers", "2", "--max-steps", "7"])
    words = to_command_line(args)
    assert words[0] == "train" and parser.parse_args(words[1:]) == args


def test_tensorboard_that_is_not_installed_is_told_at_once(monkeypatch):
    parser = Parser()
    add_arguments(parser)
    argv = ["--train", "a", "--output", "b", "--tensorboard", "logs"]
    monkeypatch.setattr(train_arguments.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="--tensorboard logs: .* not installed"):
        check_together(parser.parse_args(argv))
