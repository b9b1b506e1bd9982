"""What fine-tuners expect beside `fit` and Keras has: it works with our steps."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.worker import dataset, documents, make_model


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short fit with everything, what it printed, and what it wrote."""
    folder = tmp_path_factory.mktemp("run")
    model = make_model(keras.optimizers.Adam(0.0), steps_per_execution=2)
    batches = dataset(documents(1))
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1)
    callbacks = [
        keras.callbacks.CSVLogger(folder / "log.csv"),
        keras.callbacks.TensorBoard(folder / "board", write_graph=False),
        stop,
    ]
    history = model.fit(
        batches,
        validation_data=batches,
        epochs=7,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return folder, history.history, stop


@pytest.mark.slow
def test_early_stopping(run):
    """A learning rate of 0 gets no better."""
    _, history, stop = run
    assert stop.stopped_epoch == 1 and len(history["loss"]) == 2


def test_several_steps_to_an_execution(run):
    """Three batches: the second execution has one. Nothing is learned or dropped."""
    _, history, _ = run
    for name in ("loss", "accuracy"):
        np.testing.assert_allclose(history[name], history[f"val_{name}"], rtol=1e-5)


def test_csv_log(run):
    folder, history, _ = run
    with open(folder / "log.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    assert set(rows[0]) == names and len(rows) == 2
    logged = [float(row["val_loss"]) for row in rows]
    np.testing.assert_allclose(logged, history["val_loss"], rtol=1e-6)


def test_tensorboard(run):
    folder, history, _ = run
    [file] = (folder / "board" / "validation").glob("events*")
    found = {}
    for event in tf.compat.v1.train.summary_iterator(str(file)):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append(tf.make_ndarray(value.tensor))
    np.testing.assert_allclose(found["epoch_loss"], history["val_loss"], rtol=1e-6)


def test_progress_bar_with_the_time_left(capsys):
    """Keras' own: `1/9 ━━━ 1:04 8s/step`, the first number being the time left."""
    bar = keras.utils.Progbar(target=9, unit_name="step")
    bar._start -= 8
    bar.update(1, [("loss", 0.5)], finalize=False)
    printed = capsys.readouterr().out
    assert "1/9" in printed and "1:0" in printed and "8s/step" in printed
