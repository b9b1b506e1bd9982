"""Measures tf_led beside PyTorch LED, the old TF LED and FlexAttention, in one run.

Each peer runs in a virtual environment of its own, made under build/benchmarks at the
first run. Of every case the peers take turns, one process a turn. Writes results.json,
results.md and forward.png; the table also goes to stdout.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import plan, plot, report, run

WORKS = "forward", "attention", "train", "encode", "generate"
WORKS += "first_forward", "first_generate", "first_fit", "summarize"
DTYPES = "float32", "bfloat16"
RESULTS = Path(__file__).parent / "results"


def main(argv=None):
    options = parse(argv)
    if options.report_only:
        results = json.loads((options.output / "results.json").read_text())
    else:
        results = run.run_all(
            chosen_cases(options),
            options.rounds,
            dict(options.python),
            lambda results: save(results, options.output),
        )
    save(results, options.output)
    write_pages(results, options.output)
    print(report.markdown(results), end="")


def parse(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=list(plan.LENGTHS))
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--rounds", type=int, default=1, help="turns of each peer")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument(
        "--python",
        type=peer_and_python,
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="an interpreter that has what the peer needs, instead of installing it",
    )
    parser.add_argument(
        "--report-only", action="store_true", help="write the pages of the last run"
    )
    return parser.parse_args(argv)


def peer_and_python(text):
    peer, _, path = text.partition("=")
    if peer not in plan.PEERS:
        known = ", ".join(repr(name) for name in plan.PEERS)
        raise argparse.ArgumentTypeError(f"{peer!r} is not one of {known}")
    return peer, path


def chosen_cases(options):
    cases = plan.all_cases(options.lengths)
    return [
        case
        for case in cases
        if case.work in options.works and case.dtype in options.dtypes
    ]


def save(results, folder):
    """Keeps what is measured so far: a run of an hour may be cut off."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def write_pages(results, folder):
    (folder / "results.md").write_text(report.markdown(results))
    if any(plot.is_plain_forward(item) for item in results["rows"]):
        plot.draw(results, folder / "forward.png")


if __name__ == "__main__":
    sys.exit(main())
