"""What a run goes on from: whatever of its folder is damaged is named, or does no harm.

The run itself is tested in test_command.py.
"""

import json
import shutil

import numpy as np
import pytest

from tests.cli.training_runs import argv_of
from tf_led.checkpoints.errors import CheckpointError
from tf_led.cli.main import main
from tf_led.cli.parser import Parser
from tf_led.cli.train.arguments import add_arguments, run_arguments
from tf_led.cli.train.command import make_loop
from tf_led.cli.train.loop import checked_record
from tf_led.training.run_folder import RunFolder
from tf_led.training.state import read_variable

FLIPS = 12


@pytest.fixture(scope="module")
def stopped(run, tmp_path_factory):
    """A run that was stopped before its end: its arguments and its folder."""
    output = tmp_path_factory.mktemp("stopped") / "out"
    shutil.copytree(run.output, output)
    (output / "training" / "result.json").unlink()
    parser = Parser()
    add_arguments(parser)
    return parser.parse_args(argv_of(run.files, output)[1:]), RunFolder(output)


def read_all(loop, args, folder):
    """All that going on reads: differences, record, variables and ids."""
    differences = folder.differences(run_arguments(args))
    loop.restore()
    ids = [np.array(feed.encoded.sources.ids) for feed in (loop.feed, loop.validation)]
    values = [read_variable(variable) for variable in loop._variables().values()]
    return differences, loop.record, values, ids


def test_a_flipped_bit_is_named_or_harmless(stopped):
    args, folder = stopped
    loop = make_loop(folder, args, writes=True)
    expected = read_all(loop, args, folder)
    assert expected[0] == {} and expected[1]["epoch"] == 2
    rng, named = np.random.default_rng(0), set()
    for file in sorted(path for path in folder.path.glob("*.*") if path.is_file()):
        whole = file.read_bytes()
        for _ in range(FLIPS):
            content = bytearray(whole)
            content[rng.integers(len(content))] ^= 1 << rng.integers(8)
            file.write_bytes(content)
            try:
                found = read_all(loop, args, folder)
                assert_same(found[1:], expected[1:])
            except CheckpointError as error:
                assert str(file) in str(error)
                named.add(file.name)
        file.write_bytes(whole)
    assert named == {"arguments.json", "state.safetensors"}


def test_a_complete_run_notices_a_damaged_checkpoint(run, tmp_path, capsys):
    output = shutil.copytree(run.output, tmp_path / "out")
    assert main(argv_of(run.files, output)) == 0
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        whole = (output / name).read_bytes()
        (output / name).write_bytes(whole[:-7] + bytes([whole[-7] ^ 4]) + whole[-6:])
        assert main(argv_of(run.files, output)) == 2
        assert f"{output / name} is damaged" in capsys.readouterr().err
        (output / name).write_bytes(whole)


def test_a_run_cut_off_at_its_end_writes_the_checkpoint_again(stopped):
    args, folder = stopped
    weights = folder.output / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-7] + bytes([whole[-7] ^ 4]) + whole[-6:])
    loop = make_loop(folder, args, writes=True)
    assert loop.restore() == loop.total_steps
    loop.run()
    assert weights.read_bytes() == whole


def assert_same(found, expected):
    assert found[0] == expected[0]
    for one, other in zip(found[1:], expected[1:], strict=True):
        for value, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(value, same)


@pytest.mark.parametrize(
    "record",
    [
        [],
        {},
        {"epoch": "1", "step": 0, "history": [], "best": None, "waited": 0},
        {"epoch": 1, "step": 0, "history": {}, "best": None, "waited": 0},
    ],
)
def test_a_record_of_other_types_is_named(tmp_path, record):
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        checked_record(json.loads(json.dumps(record)), tmp_path)
