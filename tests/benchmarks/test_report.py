import json

import pytest

from benchmarks import __main__ as command
from benchmarks import floor, plan, report, run

RATES = {"products float32": 2e11, "products bfloat16": 4e11, "reading float32": 3e10}
MACHINE = {
    "processor": "Abacus 7",
    "cores": 2,
    "memory_bytes": 24e9,
    "bfloat16_units": [],
    "tensorflow": "2.21.0",
}


def timing(*seconds):
    return {"first": 9.0, "seconds": list(seconds), "peak_bytes": 2.5e9}


def results_of(*pairs):
    """Results of cases and what each peer answered."""
    rows = [
        {**case.job(), "name": case.name, "results": results} for case, results in pairs
    ]
    return {"machine": MACHINE, "rates": [RATES, RATES], "rows": rows}


def table_row(results, start):
    lines = report.markdown(results).splitlines()
    [line] = [line for line in lines if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_ratios_are_of_medians_and_the_floor_is_the_products():
    case = plan.Case("forward", 16_384)
    seconds = {plan.OURS: timing(10, 40, 14), plan.PYTORCH: timing(49)}
    results = results_of((case, seconds | {plan.OLD_TF: {"error": "out | of memory"}}))
    cells = table_row(results, "forward")
    assert cells[3] == "14.00 s (2.5 GB)" and cells[5] == "fails: out / of memory"
    assert cells[7] == "3.50" and cells[8] == ""
    # 6 x (8 S D^2 + 4 S D F + 4 S (2R + 1) D) + 6 x 4 S D^2 = 1.93e12 operations.
    assert floor.flop(results["rows"][0]) == pytest.approx(1.93e12, rel=0.01)
    assert cells[9] == "69%"


def test_steps_are_what_generation_takes_beyond_the_encoder():
    both = plan.OURS, plan.PYTORCH
    generate = plan.Case("generate", 8192, 64, num_beams=4, peers=both)
    results = results_of(
        (plan.Case("encode", 8192, peers=both), {plan.OURS: timing(4.096)}),
        (generate, {plan.OURS: timing(7.296), plan.PYTORCH: timing(70)}),
    )
    cells = table_row(results, "generate, 4 beams | float32 | tf_led")
    assert cells[3:6] == ["2,000", "20.0", "50"]
    assert "PyTorch LED | 1" not in report.markdown(results)  # its encoder is missing


def test_a_failed_turn_is_the_cases_result():
    turns = {
        plan.OURS: [timing(2.0), timing(3.0)],
        plan.FLEX: [{"error": "no compiler"}],
    }
    merged = run.merge(turns)
    assert merged[plan.OURS]["seconds"] == [2.0, 3.0]
    assert merged[plan.FLEX] == {"error": "no compiler"}


def test_cases_are_chosen_by_length_work_and_dtype():
    words = ["--lengths", "4096", "--works", "train", "forward", "--dtypes", "float32"]
    cases = command.chosen_cases(command.parse(words))
    assert {(case.work, case.source_len) for case in cases} == {
        ("train", 4096),
        ("forward", 4096),
    }
    assert all(case.dtype == "float32" for case in cases)


def test_what_is_waited_for_once_is_a_row_of_its_own():
    cases = command.chosen_cases(command.parse(["--works", "first_fit", "summarize"]))
    assert [case.name for case in cases] == ["first fit", "summarize"]
    results = results_of((cases[0], {plan.OURS: timing(9.0)}))
    cells = table_row(results, "first fit")
    assert cells[1] == "256" and cells[3] == "9.00 s (2.5 GB)" and cells[9] == ""


def test_on_a_gpu_calls_are_repeated_and_a_cpus_switch_is_left_out():
    plain = plan.Case("forward", 4096, num_repeats=2)
    switched = plan.Case("forward", 4096, bfloat16_products=True)
    (case,) = run.on_gpu([plain, switched])
    assert case.num_repeats > 9
    results = results_of((case, {plan.OURS: timing(0.0123)}))
    results["machine"] = MACHINE | {"gpu": "Abacus G7", "product_size": 16_384}
    assert table_row(results, "forward")[3] == "12.30 ms (2.5 GB)"
    text = report.markdown(results)
    assert text.startswith("GPU: Abacus G7. ") and "Products of 16,384 x" in text


def test_an_unknown_peer_is_rejected(capsys):
    with pytest.raises(SystemExit):
        command.parse(["--python", "JAX LED=/usr/bin/python"])
    assert "'JAX LED' is not one of" in capsys.readouterr().err


def test_results_are_kept_while_the_run_goes_on(tmp_path):
    results = results_of((plan.Case("forward", 1024), {plan.OURS: timing(1)}))
    command.save(results, tmp_path / "new")
    assert json.loads((tmp_path / "new/results.json").read_text()) == results
