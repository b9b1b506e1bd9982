"""Several replicas learn what one process learns from their batches put together."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import worker
from tf_led.training.distribution import check_accumulation
from tf_led.training.workers import run_workers, share_batches


def fit_alone(documents):
    """Eagerly: a trace takes longer, and gives the same (tests/models)."""
    model = worker.make_model(worker.make_optimizer(), run_eagerly=True)
    return worker.fit(model, worker.dataset(documents))


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, 1e-5, 1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("way", "num_batches"),
    [
        pytest.param([], None, marks=pytest.mark.slow),
        pytest.param(["xla_workers"], 1, marks=pytest.mark.large),
    ],
)
def test_two_processes_equal_one(tmp_path, way, num_batches):
    """With other lengths, labels and numbers of global tokens on each."""
    expected = fit_alone(worker.joint_documents()[:num_batches])
    command = [sys.executable, "-m", "tests.training.worker", str(tmp_path / "of")]
    assert run_workers([*command, *way], 2) == 0
    for index in range(2):
        with np.load(tmp_path / f"of-{index}.npz") as found:
            assert_same(dict(found), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "documents"),
    [
        ("mirrored", worker.uneven_documents),
        pytest.param("xla", worker.few_documents, marks=pytest.mark.large),
    ],
)
def test_two_devices_equal_one(tmp_path, way, documents):
    """Several steps to an execution, or XLA; a device without a row."""
    expected = fit_alone(documents())
    command = [sys.executable, "-m", "tests.training.worker", str(tmp_path / "of")]
    subprocess.run([*command, way], check=True, timeout=300)
    with np.load(tmp_path / "of-0.npz") as found:
        assert_same(dict(found), expected)


def test_accumulation_over_replicas_is_rejected():
    optimizer = keras.optimizers.SGD(gradient_accumulation_steps=3)
    with pytest.raises(ValueError, match="`gradient_accumulation_steps` 3, .* over 2"):
        check_accumulation(optimizer, num_replicas=2)
    check_accumulation(optimizer, num_replicas=1)


def test_shared_batches_are_the_workers_own():
    batches = worker.dataset(worker.documents(0))
    strategy = tf.distribute.get_strategy()
    shared = list(share_batches(batches, strategy))
    assert [b["input_ids"].shape[1] for b in shared] == [n for n, _ in worker.LENGTHS]
