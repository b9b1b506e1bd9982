"""What every worker does alike: read the job, time the calls, print one JSON line.

Standard library only: this runs in the environments of all peers.
"""

import contextlib
import json
import resource
import sys
import time
from pathlib import Path

KIB = 1024


def run(works):
    """Runs the job of the command line.

    Args:
        works: dict of a work's name to a function that takes the job (a dict) and
            returns either a callable to be timed or a dict of results.
    """
    job = json.loads(sys.argv[1])
    call = works[job["work"]](job)
    result = call if isinstance(call, dict) else timed(call, job["num_repeats"])
    print(json.dumps(result), flush=True)


class Host:
    """The CPU: a call has ended when it returns; memory is the process's.

    Its peak counts weights and libraries, but not what building the model took for a
    moment.
    """

    def wait(self):
        """Waits until all that was asked for has been computed."""

    def forget_peak(self):
        """Sets the peak of memory back to what is held now (Linux)."""
        with contextlib.suppress(OSError):  # else it is the peak since the start
            Path("/proc/self/clear_refs").write_text("5")

    def peak_bytes(self):
        """The most memory that was held since."""
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
        except OSError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
        peak = next(line for line in lines if line.startswith("VmHWM"))
        return int(peak.split()[1]) * KIB


device = Host()  # a worker that computes on a GPU puts that here


def timed(call, num_repeats):
    """Seconds of each repeat after a first call, and the peak of memory over all.

    The first call traces and compiles.
    """
    device.forget_peak()
    first = seconds_of(call)
    seconds = [seconds_of(call) for _ in range(num_repeats)]
    return {"first": first, "seconds": seconds, "peak_bytes": device.peak_bytes()}


def seconds_of(call):
    start = time.perf_counter()
    call()
    device.wait()
    return time.perf_counter() - start
