"""`make fuzz`: spoils files of every kind for some minutes; prints seeds and failures.

python -m tests.fuzz --minutes 10 --seed 3 --readers "torch zip" h5
"""

import argparse
import json
import secrets
import sys
from pathlib import Path

from tests.fuzz.fuzzing import clear, run
from tests.fuzz.readers import READERS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--count", type=int, help="of files of each kind, at most")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--readers", nargs="+", choices=READERS, default=[*READERS])
    parser.add_argument("--slack", type=float, default=1, help="times the limit of 1 s")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    clear(args.folder)
    print(f"seed {args.seed}", flush=True)
    counts, failures = run(
        args.folder.absolute(),
        args.seed,
        count=args.count,
        minutes=args.minutes,
        readers=args.readers,
        slack=args.slack,
    )
    for reader, ends in counts.items():
        print(f"{reader:20}{json.dumps(ends)}")
    print(*failures, f"{len(failures)} failures", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
