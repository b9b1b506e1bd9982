"""Ours: forward, training, attention alone, generation; and the machine's rates."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import inputs
import keras
import measure
import numpy as np
import tensorflow as tf
import tf_device

RADIUS = 512
# Large enough that launching a kernel takes no part of the time worth naming.
PRODUCT_SIZE = 16_384 if tf_device.GPUS else 4096
READ_BYTES = 2**32 if tf_device.GPUS else 2**30


def make_model(job):
    """The model of the run's checkpoint, in the job's dtype."""
    from tf_led import TFLEDForConditionalGeneration

    keras.config.set_dtype_policy(job["dtype"])
    return TFLEDForConditionalGeneration.from_pretrained(job["checkpoint"])


def checkpoint(job):
    """Writes the checkpoint that ours and PyTorch's load: weights drawn at random."""
    from tf_led import LEDConfig, TFLEDForConditionalGeneration

    config = LEDConfig(**inputs.config_values(job))
    TFLEDForConditionalGeneration(config).save_pretrained(job["checkpoint"])
    return {"checkpoint": job["checkpoint"]}


def forward(job):
    model = make_model(job)
    run = tf.function(
        lambda ids, mask, global_mask, decoder_ids: (
            model(
                ids,
                attention_mask=mask,
                global_attention_mask=global_mask,
                decoder_input_ids=decoder_ids,
                use_cache=False,
            ).logits
        )
    )
    arrays = [tf.constant(x) for x in (*inputs.document(job), inputs.target(job))]
    return lambda: run(*arrays).numpy()


def encode(job):
    encoder = make_model(job).get_encoder()
    run = tf.function(
        lambda ids, mask, global_mask: (
            encoder(
                input_ids=ids, attention_mask=mask, global_attention_mask=global_mask
            ).last_hidden_state
        )
    )
    arrays = [tf.constant(x) for x in inputs.document(job)]
    return lambda: run(*arrays).numpy()


def generate(job):
    model = make_model(job)
    ids, mask, global_mask = inputs.document(job)
    return lambda: model.generate(
        ids,
        attention_mask=mask,
        global_attention_mask=global_mask,
        num_beams=job["num_beams"],
        min_new_tokens=job["target_len"],
        max_new_tokens=job["target_len"],
    )


def train(job):
    """Steps of one `fit` with the commands' optimizer, timed from end to end.

    A `fit` for each would be charged with ending its dataset, which may wait seconds
    for a thread of TensorFlow's that sleeps.
    """
    from tf_led.training import AdamW

    model = make_model(job)
    if job["checkpointing"]:
        model.gradient_checkpointing_enable()
    model.compile(AdamW(1e-5))
    ids, mask, global_mask = inputs.document(job)
    batch = {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": global_mask,
        "labels": inputs.target(job),
    }
    dataset = tf.data.Dataset.from_tensors(batch).repeat()
    steps, clock = 1 + job["num_repeats"], StepClock()
    measure.device.forget_peak()
    model.fit(dataset, steps_per_epoch=steps, verbose=0, callbacks=[clock])
    first, *seconds = np.diff(clock.times).tolist()
    peak = measure.device.peak_bytes()
    return {"first": first, "seconds": seconds, "peak_bytes": peak}


class StepClock(keras.callbacks.Callback):
    """Keeps when training began and each step ended."""

    def on_train_begin(self, logs=None):
        self.times = [time.perf_counter()]

    def on_train_batch_end(self, batch, logs=None):
        measure.device.wait()
        self.times.append(time.perf_counter())


def first_fit(job):
    """The first step of a `fit`: tracing, and a step."""
    return timed_first(lambda: train({**job, "num_repeats": 0, "checkpointing": False}))


def first_forward(job):
    """The first call of a graph."""
    call = forward(job)
    return timed_first(call)


def first_generate(job):
    """The first call of `generate`."""
    call = generate(job)
    return timed_first(call)


def summarize(job):
    """The command, from its start to its end, with the bundled model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "document.txt"
        path.write_text(inputs.text(job))
        words = ["-m", "tf_led.cli.main", "summarize", os.fspath(path)]
        return timed_first(
            lambda: subprocess.run(
                [sys.executable, *words], check=True, capture_output=True
            )
        )


def timed_first(call):
    """Seconds of what is done once; a step says by itself which they are."""
    measure.device.forget_peak()
    start = time.perf_counter()
    result = call()
    measure.device.wait()
    seconds = time.perf_counter() - start
    if isinstance(result, dict):
        seconds = result["first"]
    peak = measure.device.peak_bytes()
    return {"first": seconds, "seconds": [seconds], "peak_bytes": peak}


def attention(job):
    """Windowed attention, no global token, from heads to heads [B, S, N, H]."""
    from tf_led.ops.attention import get_attention

    attend, dtype = get_attention(), tf.as_dtype(job["dtype"])
    q, k, v = [tf.cast(x, dtype) for x in inputs.heads(job)]
    mask = tf.ones([1, job["source_len"]], tf.bool)
    run = tf.function(
        lambda q, k, v: attend(
            q,
            k,
            v,
            global_key=k[:, :0],
            global_value=v[:, :0],
            query_mask=mask,
            key_mask=mask,
            global_key_mask=mask[:, :0],
            radius=RADIUS,
            scale=64**-0.5,
        )
    )
    return lambda: tf.nest.flatten(run(q, k, v))[0][0, 0, 0].numpy()


def device(job):
    """Where and with which versions ours runs, and what its rate is measured by."""
    packages = "tensorflow", "keras", "transformers", "numpy"
    return {
        "gpu": tf_device.name(),
        "product_size": PRODUCT_SIZE,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }


def products(job):
    """Operations a second of one large matrix product."""
    dtype = tf.as_dtype(job["dtype"])
    x = tf.cast(tf.random.normal([PRODUCT_SIZE, PRODUCT_SIZE], seed=1), dtype)
    run = tf.function(lambda x: tf.matmul(x, x))
    result = measure.timed(lambda: run(x)[0, 0].numpy(), 8)
    return {"flop_per_s": 2 * PRODUCT_SIZE**3 / min(result["seconds"])}


def reading(job):
    """Bytes a second at which memory is read by all cores together, or by the GPU."""
    x = tf.zeros([READ_BYTES // 4])
    # Cores share what has several sums; a GPU shares one sum among all that it has.
    shape, axis = ([-1], None) if tf_device.GPUS else ([64, -1], 1)
    run = tf.function(lambda x: tf.reduce_sum(tf.reshape(x, shape), axis))
    result = measure.timed(lambda: run(x).numpy(), 8)
    return {"bytes_per_s": READ_BYTES / min(result["seconds"])}


if __name__ == "__main__":
    np.random.seed(0)
    works = forward, encode, generate, train, attention, products, reading, checkpoint
    works += first_fit, first_forward, first_generate, summarize, device
    measure.run({work.__name__: work for work in works})
