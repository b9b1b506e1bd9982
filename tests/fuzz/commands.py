"""Runs every command on disks that are too small, kills it, and runs it again.

python -m tests.fuzz.commands --disks 10 --kills 20 --commands convert train

Whatever happens: what it reads is as it was, what it replaces is the old or the new as
a whole, a full disk is one line, nothing hidden is left behind, and the same command
given again comes to what an undisturbed one does.
"""

import argparse
import functools
import hashlib
import itertools
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import children
from tests.fuzz.small_files import make_bart, make_checkpoint, make_examples


class Command(NamedTuple):
    """A command, and what lies where it writes.

    Args:
        words: str, its line; `IN` is the folder with inputs, `OUT` that of its results.
            `bart_to_led`, the function, stands here like a command.
        before: dict from the name of a file in `OUT` to what is copied there first.
        is_eager: bool, whether its functions run without being traced, which is
            quicker for one step, and no matter to what it reads and writes.
    """

    words: str
    before: dict = {}
    is_eager: bool = True


TRAIN = (
    "train --train IN/train.jsonl --validation IN/few.jsonl --model IN/model "
    "--epochs 2 --batch-size 4 --save-steps 2 --output OUT/tuned"
)
COMMANDS = {
    "summarize": Command(
        "summarize IN/a.txt IN/b.txt --model IN/model --part-tokens 8 "
        "--max-new-tokens 3 --part-summaries OUT/parts.jsonl",
        {"parts.jsonl": "a.txt"},
    ),
    "evaluate": Command(
        "evaluate --data IN/few.jsonl --model IN/model --max-new-tokens 3 "
        "--predictions OUT/predictions.jsonl",
        {"predictions.jsonl": "a.txt"},
    ),
    **{
        f"convert to {to}": Command(f"convert IN/model OUT/new --to {to}")
        for to in ("safetensors", "bin", "h5", "keras")
    },
    "convert over": Command("convert IN/model OUT/old --force", {"old": "other"}),
    "convert a BART": Command(
        "convert IN/bart OUT/led --attention-window 4 --max-positions 32"
    ),
    "convert a BART to keras": Command(
        "convert IN/bart OUT/led --attention-window 4 --max-positions 32 --to keras"
    ),
    "bart_to_led": Command("bart_to_led IN/bart OUT/led", {"led": "other"}),
    "export": Command(
        "export IN/model OUT/served --max-new-tokens 3 --warmup", is_eager=False
    ),
    "train": Command(TRAIN),
    "train, the best": Command(f"{TRAIN} --patience 2"),
    "train, with logs": Command(f"{TRAIN} --tensorboard OUT/logs"),
    "train in two processes": Command(f"{TRAIN} --workers 2", is_eager=False),
}
# Rarely of interest: its workers are processes of their own, which take their time.
DEFAULT = [name for name in COMMANDS if name != "train in two processes"]


def make_inputs(folder):
    """Writes all that the commands read.

    Args:
        folder: Path, made by it.

    Returns:
        int, an exit code.
    """
    folder.mkdir(parents=True)
    make_checkpoint(folder / "model")
    make_checkpoint(folder / "other", seed=1)
    make_bart(folder / "bart")
    make_examples(folder / "train.jsonl", 10)
    make_examples(folder / "few.jsonl", 3)
    (folder / "a.txt").write_text("the cat sat on a mat and so it was " * 3)
    (folder / "b.txt").write_text("it ran")
    return 0


class Case:
    """A command with its inputs, and what it comes to undisturbed.

    Args:
        name: str, a key of `COMMANDS`.
        folder: Path with the folder `inputs`.
    """

    def __init__(self, name, folder):
        self.command = COMMANDS[name]
        self.inputs, self.out = folder / "inputs", folder / "out"
        self._log = folder / "stderr.txt"
        self._given = digests(self.inputs)
        twice = []
        for _ in range(2):
            self.prepare()
            self.before = digests(self.out)
            self.end = self.run()
            if self.end.code:
                raise RuntimeError("\n".join([name, *self.end.lines[-30:]]))
            twice.append(digests(self.out))
        self.size = children.used(self.out)
        # What differs from one run to the next, such as the time in a zip file, is
        # compared by its name alone.
        self._expected = {
            path: digest if digest == twice[1].get(path) else None
            for path, digest in twice[0].items()
        }

    def prepare(self):
        """Empties the folder of results, and puts there what is to be there before."""
        self.out.mkdir(exist_ok=True)
        for path in self.out.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.fill()

    def fill(self):
        """Puts there what is to be there before, and a file of the user's."""
        for name, source in {**self.command.before, "mine.txt": "a.txt"}.items():
            source = self.inputs / source
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.out / name)

    def run(self, **limits):
        """Runs the command; takes the limits of `children.run`, returns its `End`."""
        words = self.command.words.replace("IN/", f"{self.inputs}/")
        argv = words.replace("OUT/", f"{self.out}/").split()
        function = functools.partial(call, argv, self.command.is_eager)
        stdout = self.out / "stdout.txt"
        return children.run(function, self.out, log=self._log, stdout=stdout, **limits)

    def problems(self, end):
        """Lists what a run that was disturbed should not have done.

        Args:
            end: `End`.

        Returns:
            list of str.
        """
        now, found = digests(self.out), []
        if digests(self.inputs) != self._given:
            found.append("an input has changed")
        for path, digest in self.before.items():
            if now.get(path) not in (digest, self._expected.get(path)):
                found.append(f"{path} is neither what it was nor what it becomes")
        if end.code == 0:
            found += self.differences()
        elif end.code != -9 and not is_one_line(end):
            found.append(f"ended with {end.code}: {' | '.join(end.lines[-3:])}")
        if end.code != -9:
            found += hidden(self.out)
        return found

    def differences(self):
        """Lists what is not as after an undisturbed run."""
        now = digests(self.out)
        found = [f"{path} is missing" for path in self._expected.keys() - now.keys()]
        found += [f"{path} is new" for path in now.keys() - self._expected.keys()]
        return found + [
            f"{path} is another"
            for path, digest in self._expected.items()
            if digest is not None and now.get(path, digest) != digest
        ]

    def problems_again(self):
        """Gives the command again, undisturbed; lists what is wrong after it."""
        end, found = self.run(), self.differences()
        if end.code == 0:
            return found + hidden(self.out)
        # Killed when all was in place, it finds its own result; what is hidden there
        # the next save removes.
        is_done = end.code == 2 and is_one_line(end) and "not empty" in end.lines[-1]
        if is_done and set(found) <= {"stdout.txt is another"}:
            return []
        return [f"again: {end.code}: {' | '.join(end.lines[-3:])}", *found]


def call(argv, is_eager):
    """Runs a command, or the function `bart_to_led`; returns the exit code."""
    import tensorflow as tf

    from tf_led.checkpoints.convert.bart import bart_to_led
    from tf_led.cli.main import main

    if argv[0] != "bart_to_led":
        if is_eager:
            tf.config.run_functions_eagerly(True)
        return main(argv)
    try:
        bart_to_led(*argv[1:], attention_window=4, max_positions=32)
    except OSError as error:
        print(f"tf-led: {error}", file=sys.stderr)
        return 1
    return 0


def is_one_line(end):
    """Whether a run failed as our commands do: one line, the last, says why."""
    errors = [
        line for line in end.lines if re.match(r"\s*(Traceback|\w*Error\b)", line)
    ]
    is_ours = bool(end.lines) and end.lines[-1].startswith("tf-led: ")
    return end.code in (1, 2) and is_ours and not errors


def hidden(folder):
    """Lists what a writer has left of its own."""
    return [f"{path} is left" for path in folder.rglob(".*")]


def digests(folder):
    """The digest of every file below, by its path; logs and numbers of versions aside.

    Args:
        folder: Path.

    Returns:
        dict from str to str.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = re.sub(r"^served/\d+", "served/N", str(path.relative_to(folder)))
        if path.is_file() and not name.startswith("logs/") and "/." not in f"/{name}":
            content = path.read_bytes()
            if name == "stdout.txt":
                content = re.sub(rb"served/\d+", b"served/N", content)
            found[name] = hashlib.sha256(content).hexdigest()
    return found


def on_disk(case, size):
    """Runs a command on a disk of some bytes, then on a large one; lists problems."""
    for path in case.out.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    room = sum(
        children.used(case.inputs / name) for name in case.command.before.values()
    )
    with children.disk(case.out, size + room + 3 * 4096) as is_mounted:
        case.fill()
        end = case.run(size=None if is_mounted else size)
        found = case.problems(end)
        if is_mounted:
            children.enlarge(case.out)
        return end.code, found + case.problems_again()


def killed(case, **moment):
    """Kills a command at some moment, then runs it to its end; lists problems."""
    case.prepare()
    end = case.run(**moment)
    return end.code, case.problems(end) + case.problems_again()


def moments(end, count):
    """Spreads moments over a run: three of five at its writes, the rest over its time.

    Args:
        end: `End` of an undisturbed run.
        count: int.

    Returns:
        list of dict of keywords for `children.run`.
    """
    at_writes = min(end.writes, -(-3 * count // 5))
    over_time = count - at_writes
    step = (end.writes - 1) / max(1, at_writes - 1)
    return [
        *({"at_write": 1 + round(n * step)} for n in range(at_writes)),
        *({"after": end.seconds * (n + 0.5) / over_time} for n in range(over_time)),
    ]


def attack(case, num_disks, num_kills):
    """Runs a command under all conditions.

    Args:
        case: `Case`.
        num_disks: int.
        num_kills: int.

    Yields:
        ("disk" or "kill", the condition, the exit code, list of problems) for each.
    """
    for n in range(num_disks):
        size = int(1.2 * case.size * n / max(1, num_disks - 1))
        yield "disk", f"{size} bytes", *on_disk(case, size)
    for moment in moments(case.end, num_kills):
        yield "kill", str(moment), *killed(case, **moment)


def run_all(folder, num_disks, num_kills, names, tell=lambda line: None):
    """Attacks commands one after the other.

    Args:
        folder: Path, which must not exist.
        num_disks: int.
        num_kills: int.
        names: keys of `COMMANDS`.
        tell: takes a line about each command.

    Returns:
        list of str that describe failures.
    """
    children.load_libraries()
    folder.mkdir(parents=True)
    make = functools.partial(make_inputs, folder / "inputs")
    end = children.run(make, folder, log=folder / "stderr.txt")
    if end.code:
        raise RuntimeError("\n".join(end.lines))
    failures = []
    for name in names:
        rows = list(attack(Case(name, folder), num_disks, num_kills))
        for kind, condition, _, problems in rows:
            failures += [f"{name}, {kind}, {condition}: {one}" for one in problems]
        tell(f"{name:25}" + "".join(summary(kind, rows) for kind in ("disk", "kill")))
    return failures


def summary(kind, rows):
    """Counts, in some words, how the runs under one kind of condition went."""
    mine = [row for row in rows if row[0] == kind]
    codes = sorted(str(code) for _, _, code, _ in mine)
    counts = [f"{len([*group])} x {code}" for code, group in itertools.groupby(codes)]
    failed = sum(bool(problems) for *_, problems in mine)
    return f"{kind}s: {len(mine)} (codes {', '.join(counts)}), {failed} failed   "


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--disks", type=int, default=10, help="sizes of disks")
    parser.add_argument("--kills", type=int, default=20, help="moments of kills")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=DEFAULT)
    parser.add_argument("--folder", type=Path, default=Path("build/commands"))
    args = parser.parse_args()
    shutil.rmtree(args.folder, ignore_errors=True)

    def tell(line):
        print(line, flush=True)

    folder = args.folder.absolute()
    failures = run_all(folder, args.disks, args.kills, args.commands, tell)
    print(*failures, f"{len(failures)} failures", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
