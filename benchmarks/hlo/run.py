"""Runs modules of `benchmarks.hlo.export` with JAX: one JSON line for each.

    python benchmarks/hlo/run.py build/hlo/led.forward build/hlo/led.train --repeat 5

Needs JAX, NumPy and this folder, not TensorFlow. A line has the seconds of compiling
and of a call, the bytes that the device held at most and that the program says it
needs, the loops whose length XLA knows, and how many kernels the program has. With
--compare also the largest difference from the results that TensorFlow had: on a GPU set
NVIDIA_TF32_OVERRIDE=0 for it. A process runs each module by itself if peaks matter.
"""

import argparse
import json
import re
import statistics
import sys
import time
from pathlib import Path

import jax
import jax.extend.backend
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import module_numbers as numbers

COUNTED = ("fusion", "while", "custom-call", "dot", "copy", "scatter", "conditional")


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="+", metavar="FOLDER/NAME.PROGRAM")
    parser.add_argument("--repeat", type=int, default=5, metavar="N")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument(
        "--compile-only", action="store_true", help="only what the program says"
    )
    options = parser.parse_args(argv)
    for module in options.modules:
        print(json.dumps(measure(module, options)), flush=True)


def measure(module, options):
    """Compiles and times one module; returns the line as a dict."""
    meta = json.loads(Path(module + ".json").read_text())
    start = time.perf_counter()
    executable = compile_module(Path(module + ".hlo.pb").read_bytes())
    compile_seconds = time.perf_counter() - start
    line = {
        "module": Path(module).name,
        "device": jax.devices()[0].device_kind,
        "compile_seconds": round(compile_seconds, 2),
        **memory_and_kernels(executable),
    }
    if options.compile_only:
        return line
    host = [numbers.draw(spec, i) for i, spec in enumerate(meta["arguments"])]
    results = run(executable, host)
    reference = Path(module + ".npz")
    if options.compare and reference.exists():
        line["largest_difference"] = largest_difference(reference, results)
    seconds = [seconds_of(executable, host) for _ in range(options.repeat)]
    line["seconds"], line["median"] = min(seconds), statistics.median(seconds)
    peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return {**line, "peak_bytes": peak}


def compile_module(module):
    """Compiles a serialised HLO module for the first device.

    JAX has no public way in for a module of another framework; `jit` calls the same.
    """
    from jax._src import compiler
    from jax.extend import mlir

    bytecode = mlir.hlo_to_stablehlo(module)
    backend, device = jax.extend.backend.get_backend(), jax.devices()[0]
    options = compiler.get_compile_options(num_replicas=1, num_partitions=1)
    try:
        return backend.compile_and_load(bytecode, [device], options)
    except TypeError:  # jaxlib that wants its own types
        import jaxlib
        from jax._src.interpreters import mlir as interpreter
        from jax._src.lib.mlir import ir

        with interpreter.make_ir_context():
            devices = jaxlib._jax.DeviceList((device,))
            parsed = ir.Module.parse(bytecode)
            return backend.compile_and_load(parsed, devices, options)


def seconds_of(executable, arrays):
    """Of one call, on arrays put there anew: a training step may write over them."""
    arguments = jax.block_until_ready(list(map(jax.device_put, arrays)))
    start = time.perf_counter()
    call(executable, arguments)
    return time.perf_counter() - start


def run(executable, arrays):
    return [np.asarray(x) for x in call(executable, list(map(jax.device_put, arrays)))]


def call(executable, arguments):
    sharded = executable.execute_sharded(arguments)
    parts = sharded.disassemble_into_single_device_arrays()
    return jax.block_until_ready([part[0] for part in parts])


def memory_and_kernels(executable):
    """What the compiled program says of itself."""
    text = executable.hlo_modules()[0].to_string()
    stats = executable.get_compiled_memory_stats()
    trips = re.findall(r'known_trip_count"?:? ?\{"?n"?:? ?"?(\d+)', text)
    return {
        "temp_bytes": stats.temp_size_in_bytes,
        "argument_bytes": stats.argument_size_in_bytes,
        "trip_counts": sorted(map(int, trips)),
        "kernels": {name: len(re.findall(rf" {name}\(", text)) for name in COUNTED},
    }


def largest_difference(reference, results):
    """From TensorFlow's results; what follows them is the weights of a step."""
    with np.load(reference) as kept:
        expected = [kept[name] for name in kept.files]
    return max(
        float(np.abs(one - other.astype("float32")).max())
        for one, other in zip(expected, results, strict=False)
    )


if __name__ == "__main__":
    main()
