"""Runs the cases: one process per job, the peers of a case in turns."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import environments, machine, plan
from benchmarks.workers import inputs

WORKERS = Path(__file__).parent / "workers"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TOKENIZERS_PARALLELISM": "false"}


def run_all(cases, num_rounds, pythons, report):
    """Measures every case.

    Args:
        cases: list of `plan.Case`.
        num_rounds: int >= 1, how often each case's peers take their turns.
        pythons: dict of peers to interpreters; others are installed.
        report: called with the results so far after each case.

    Returns:
        dict: the machine, its rates before and after, and a list of rows.
    """
    results = {"machine": describe(pythons), "rates": [], "rows": []}
    if results["machine"]["gpu"]:
        cases = on_gpu(cases)
    results["rates"].append(measure_rates(pythons))
    for number, case in enumerate(cases, 1):
        progress = f"[{number}/{len(cases)}] {case.name} {case.source_len} {case.dtype}"
        print(progress, file=sys.stderr, flush=True)
        results["rows"].append(measure_case(case, num_rounds, pythons))
        report(results)
    results["rates"].append(measure_rates(pythons))
    report(results)
    return results


def describe(pythons):
    """The machine, its GPU among it."""
    return machine.describe() | answer_of(plan.Case("device"), pythons)


def on_gpu(cases):
    """The cases that mean something there: calls are short, so more of each."""
    return [
        replace(case, num_repeats=case.num_repeats + plan.MORE_ON_GPU)
        for case in cases
        if not case.bfloat16_products
    ]


def measure_rates(pythons):
    """Operations a second in either dtype and bytes read a second."""
    return {
        f"{case.work} {case.dtype}": next(iter(answer_of(case, pythons).values()))
        for case in plan.rates()
    }


def answer_of(case, pythons):
    """What our worker says, without which nothing can be measured."""
    result = run_job(plan.OURS, case, pythons)
    if "error" in result:
        raise RuntimeError(f"{case.work}: {result['error']}")
    return result


def measure_case(case, num_rounds, pythons):
    """One row: each peer's timings over all rounds, or the error it met."""
    turns = {peer: [] for peer in case.peers}
    for _ in range(num_rounds):
        for peer in case.peers:
            turns[peer].append(run_job(peer, case, pythons))
    return {**asdict(case), "name": case.name, "results": merge(turns)}


def merge(turns):
    return {peer: merge_turns(results) for peer, results in turns.items()}


def merge_turns(results):
    failed = [result for result in results if "error" in result]
    if failed:
        return failed[0]
    return {
        "first": min(result["first"] for result in results),
        "seconds": [time for result in results for time in result["seconds"]],
        "peak_bytes": max(result["peak_bytes"] for result in results),
    }


def run_job(peer, case, pythons):
    """What the worker printed, or {"error": its last words}."""
    python = environments.python_of(peer, pythons)
    job = {**case.job(), "checkpoint": checkpoint_of(case, pythons)}
    return run_worker(peer, python, job, case.bfloat16_products)


def checkpoint_of(case, pythons):
    """The folder of the model that fits the case's document; made where it is not."""
    job = case.job()
    folder = environments.HOME / f"checkpoint-{inputs.num_positions(job)}"
    if not (folder / "config.json").exists():
        python = environments.python_of(plan.OURS, pythons)
        job = {**job, "work": "checkpoint", "checkpoint": os.fspath(folder)}
        made = run_worker(plan.OURS, python, job, False)
        if "error" in made:
            raise RuntimeError(f"no checkpoint was written: {made['error']}")
    return os.fspath(folder)


def run_worker(peer, python, job, bfloat16_products):
    worker = WORKERS / environments.WORKERS[peer]
    switch = plan.PRODUCT_SWITCH if bfloat16_products else {}
    done = subprocess.run(
        [python, os.fspath(worker), json.dumps(job)],
        env={**os.environ, **QUIET, **switch},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        words = done.stderr.strip().splitlines()
        return {"error": words[-1] if words else f"ended with {done.returncode}"}
    return json.loads(done.stdout.strip().splitlines()[-1])
