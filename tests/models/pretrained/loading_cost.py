"""What loading a checkpoint takes; run as a process of its own, prints JSON.

python tests/models/pretrained/loading_cost.py FOLDER
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import tf_led
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.safetensors import write_safetensors
from tf_led.testing.tiny import tiny_config, weight_shapes

# LED-large's.
SIZES = {
    "vocab_size": 50265,
    "d_model": 1024,
    "encoder_layers": 12,
    "decoder_layers": 12,
    "encoder_attention_heads": 16,
    "decoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "decoder_ffn_dim": 4096,
    "attention_window": 1024,
    "max_encoder_position_embeddings": 16384,
    "max_decoder_position_embeddings": 1024,
}


def write_large(folder):
    """Writes a checkpoint of LED-large's size, never more than a tensor in memory."""
    config = tiny_config(**SIZES)
    rng = np.random.default_rng(3)

    def lazy(name, shape):
        def read():
            return rng.random(shape, "float32") - 0.5

        return LazyTensor(name, shape, "float32", None, read)

    config.save_pretrained(folder)
    tensors = [lazy(name, shape) for name, shape in weight_shapes(config)]
    write_safetensors(Path(folder, "model.safetensors"), tensors)


def status(field):
    """Reads a number of bytes from /proc/self/status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def time_copy(path):
    """Seconds to read a file and copy what was read."""
    start = time.perf_counter()
    numbers = np.fromfile(path, np.uint8)
    copied = numbers.copy()
    seconds = time.perf_counter() - start
    assert copied[-1] == numbers[-1]
    return seconds


def main(folder):
    file = Path(folder, "model.safetensors")
    warm_up = Path(folder, "tiny")
    tf_led.TFLEDForConditionalGeneration(tiny_config()).save_pretrained(warm_up)
    tf_led.TFLEDForConditionalGeneration.from_pretrained(warm_up)
    copy_seconds = min(time_copy(file) for _ in range(2))
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    start = time.perf_counter()
    model = tf_led.TFLEDForConditionalGeneration.from_pretrained(folder)
    seconds = time.perf_counter() - start
    found = {
        "file_bytes": os.path.getsize(file),
        "peak_bytes": status("VmHWM") - before,
        "held_bytes": status("VmRSS") - before,
        "seconds": seconds,
        "copy_seconds": copy_seconds,
        "parameters": model.num_parameters(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
