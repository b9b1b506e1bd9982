"""What the figures were measured on."""

import os
import platform
from pathlib import Path


def describe():
    """Processor, cores, memory and units, as a dict of str, int and list."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "bfloat16_units": sorted(flags() & {"avx512_bf16", "amx_bf16"}),
    }


def processor():
    return field("model name") or platform.processor() or platform.machine()


def flags():
    return set((field("flags") or "").split())


def field(name):
    """The first value of a name in /proc/cpuinfo, or None."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return None
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), None)
