"""One of several processes that train a tiny model: run by test_distribution.py.

It writes losses and weights to the file named on the command line. What it learns from
is in `documents`, which the test reads too.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

import tf_led
from tf_led.testing import fill_spread, tiny_config
from tf_led.training.schedules import AdamW
from tf_led.training.steps import same_on_all
from tf_led.training.workers import (
    make_strategy,
    share_batches,
    without_autotune,
    worker_index,
)

CONFIG = {
    "encoder_layers": 1,
    "decoder_layers": 1,
    "attention_window": 14,
    "dropout": 0.0,
}
# For each step and each worker the length of its batch.
LENGTHS = [(11, 5), (3, 7), (13, 2)]


def make_model(optimizer, **options):
    model = tf_led.TFLEDForConditionalGeneration(tiny_config(**CONFIG))
    fill_spread(model, seed=3)
    model.compile(optimizer, metrics=["accuracy"], **options)
    return model


def make_optimizer():
    """Clipping acts here: the norm of a gradient is above 1."""
    return AdamW(0.01, global_clipnorm=1.0, epsilon=0.1)


def documents(worker):
    """A worker's batches: other lengths, global tokens and labels than the other's."""
    rng = np.random.default_rng(worker)
    batches = []
    for lengths in LENGTHS:
        length = lengths[worker]
        mask = np.ones([2, length], int)
        mask[1, 1 + length // 2 :] = 0
        ids = np.where(mask, rng.integers(3, 29, [2, length]), 1)
        global_mask = np.zeros([2, length], int)
        global_mask[0, : 3 * worker] = 1  # the first worker has no global token
        labels = rng.integers(3, 29, [2, 2 + 3 * worker])
        labels[1, 1:] = -100
        batches.append(
            {
                "input_ids": ids,
                "attention_mask": mask,
                "global_attention_mask": global_mask,
                "labels": labels,
            }
        )
    return batches


def joint_documents():
    """The batches of both workers, padded and put together."""
    return [joined(*pair) for pair in zip(documents(0), documents(1), strict=True)]


def uneven_documents():
    """Two of them, and a batch of one row."""
    batches = joint_documents()[:2]
    return [*batches, {name: array[:1] for name, array in batches[0].items()}]


def few_documents():
    """Likewise, of one length: XLA compiles for each."""
    batch = joint_documents()[0]
    return [batch, {name: array[:1] for name, array in batch.items()}]


def joined(*batches):
    fills = {"input_ids": 1, "labels": -100}
    return {
        name: np.concatenate(_padded([b[name] for b in batches], fills.get(name, 0)))
        for name in batches[0]
    }


def _padded(arrays, fill):
    length = max(array.shape[1] for array in arrays)
    return [
        np.pad(a, [(0, 0), (0, length - a.shape[1])], constant_values=fill)
        for a in arrays
    ]


def dataset(batches):
    """The batches as a dataset that calls no Python."""
    joined, *others = map(tf.data.Dataset.from_tensors, batches)
    for other in others:
        joined = joined.concatenate(other)
    return without_autotune(joined)


def fit(model, batches):
    """Losses of an epoch and of an evaluation after it, and all weights."""
    history = model.fit(batches, epochs=2, verbose=0, shuffle=False).history
    result = model.evaluate(batches, verbose=0, return_dict=True)
    weights = {
        path.replace("/", "."): keras.ops.convert_to_numpy(variable)
        for path, variable in model.weight_table().items()
    }
    return {
        "losses": history["loss"],
        "accuracies": history["accuracy"],
        "evaluated": [result["loss"], result["accuracy"]],
        **weights,
    }


def train_as_worker(num_batches, **options):
    strategy = make_strategy()
    with strategy.scope():
        model = make_model(make_optimizer(), **options)
    assert same_on_all(7, strategy) and not same_on_all(worker_index(), strategy)
    own = documents(worker_index())[:num_batches]
    return worker_index(), fit(model, share_batches(dataset(own), strategy))


def make_devices():
    """Two of them: each batch is cut in two, a batch of one row leaves one without."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, devices)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def train_on_devices(strategy, documents, **options):
    with strategy.scope():
        model = make_model(make_optimizer(), **options)
    return fit(model, dataset(documents))


def main(path, way=None):
    if way in (None, "xla_workers"):
        how = {"jit_compile": True, "num_batches": 1} if way else {"num_batches": None}
        index, found = train_as_worker(**how)
        np.savez(f"{path}-{index}", **found)
    elif way == "mirrored":  # the last step of an execution is missing
        options = {"steps_per_execution": 2}
        found = train_on_devices(make_devices(), uneven_documents(), **options)
        np.savez(f"{path}-0", **found)
    else:
        options = {"jit_compile": True}
        found = train_on_devices(make_devices(), few_documents(), **options)
        np.savez(f"{path}-0", **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
