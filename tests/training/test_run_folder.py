import subprocess
import sys

import pytest

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
