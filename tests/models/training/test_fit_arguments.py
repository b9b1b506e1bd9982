"""Keras' options and callbacks, with the labels among the inputs."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import BatchEncoding

from tests.models import heads
from tests.models.conftest import SMALL, make_model

NO_DROPOUT = {**SMALL, "dropout": 0.0}
# A trace of a training step takes seconds.
EAGER = {"run_eagerly": True}
WEIGHTS = np.array([0.5, 2.0, 0.25], "float32")


@pytest.fixture
def data(inputs, labels):
    """Three documents, with their labels, the decoder starting from these."""
    del inputs["decoder_input_ids"]
    return {name: a[[0, 1, 0]] for name, a in {**inputs, "labels": labels}.items()}


def rows_of(data, rows):
    return {name: array[rows] for name, array in data.items()}


@pytest.fixture(scope="module")
def still():
    """A model that learns nothing, for all tests that compare losses."""
    model = make_model(**NO_DROPOUT)
    model.compile(keras.optimizers.SGD(0.0), **EAGER)
    return model


def mean_loss(model, data, weights=None):
    """What is expected: the own loss of the logits, with weights."""
    logits = model(data).logits
    return float(model.hf_compute_loss(data["labels"], logits, weights=weights))


def loss_of_fit(model, **arguments):
    history = model.fit(**arguments, batch_size=2, shuffle=False, verbose=0).history
    return history["loss"][-1]


def class_weights_of(labels, class_weight):
    return np.vectorize(lambda number: class_weight.get(number, 1.0))(labels)


CLASS_WEIGHT = {5: 3.0, 17: 0.5}


@pytest.mark.slow
def test_class_weight_is_by_label(still, data):
    weights = class_weights_of(data["labels"], CLASS_WEIGHT)
    expected = mean_loss(still, data, weights)
    assert abs(expected - mean_loss(still, data)) > 1e-3
    source = {name: array for name, array in data.items() if name != "labels"}
    batches = tf.data.Dataset.from_tensor_slices(data).batch(2)
    options = {"class_weight": CLASS_WEIGHT, "verbose": 0}
    for loss in (
        loss_of_fit(still, x=data, class_weight=CLASS_WEIGHT),
        loss_of_fit(still, x=source, y=data["labels"], class_weight=CLASS_WEIGHT),
        still.fit(batches, **options).history["loss"][0],
        still.train_on_batch(data, class_weight=CLASS_WEIGHT),
    ):
        np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_class_weight_of_a_classifier():
    model = heads.new_head(heads.Classifier, "encoder_mean")
    model.compile(keras.optimizers.SGD(0.0), **EAGER)
    inputs, labels = heads.documents(), heads.labels_for(heads.Classifier)
    loss = model.train_on_batch({**inputs, **labels}, class_weight={2: 5.0})
    logits = model(inputs).logits
    expected = model.hf_compute_loss(labels["labels"], logits, weights=[5.0, 1.0])
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_weight": {-1: 2.0}}, "`class_weight` must be .* got -1"),
        ({"class_weight": {"a": 2.0}}, "`class_weight` must be .* got 'a'"),
        ({"sample_weight": WEIGHTS}, "`class_weight` and `sample_weight` are both"),
        ({"x": {"input_ids": np.array([[0, 5, 2]])}}, "`class_weight` .* no `labels`"),
    ],
)
def test_class_weight_that_cannot_be_followed_is_rejected(still, data, change, message):
    with pytest.raises(ValueError, match=message):
        still.fit(**{"x": data, "class_weight": {5: 3.0}, **change}, verbose=0)


def test_class_weight_needs_one_label_of_whole_numbers():
    answerer = heads.get_head(heads.Answerer, "encoder")
    inputs, labels = heads.documents(), heads.labels_for(heads.Answerer)
    with pytest.raises(ValueError, match="`class_weight` .*start_positions and end"):
        answerer.fit({**inputs, **labels}, class_weight={1: 2.0})
    classifier = heads.get_head(heads.Classifier, "encoder_mean")
    scores = {"labels": np.ones([2, 3], "float32")}
    with pytest.raises(ValueError, match="`class_weight` .* float32"):
        classifier.fit({**inputs, **scores}, class_weight={1: 2.0})


def test_class_weight_beside_weights_of_a_dataset_is_rejected(still, data):
    batches = tf.data.Dataset.from_tensors((data, data["labels"], WEIGHTS))
    with pytest.raises(ValueError, match="`class_weight` .* dataset holds sample"):
        still.fit(batches, class_weight={5: 3.0})


@pytest.mark.slow
@pytest.mark.parametrize("by_token", [False, True])
def test_sample_weight(still, data, by_token):
    weights = np.outer(WEIGHTS, [1.0, 0.5, 3.0]) if by_token else WEIGHTS
    expected = mean_loss(still, data, weights)
    loss = loss_of_fit(still, x=data, sample_weight=weights)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    evaluated = still.evaluate(data, sample_weight=weights, batch_size=2, verbose=0)
    np.testing.assert_allclose(evaluated, expected, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", [dict, BatchEncoding])
def test_sample_weight_of_validation_data(still, data, form):
    held_out = (form(data), None, WEIGHTS)
    options = {"validation_data": held_out, "validation_batch_size": 1, "verbose": 0}
    history = still.fit(data, **options).history
    expected = mean_loss(still, data, WEIGHTS)
    np.testing.assert_allclose(history["val_loss"], [expected], rtol=1e-5)
    history = still.fit(data, validation_data=form(data), verbose=0).history
    expected = mean_loss(still, data)
    np.testing.assert_allclose(history["val_loss"], [expected], rtol=1e-5)


def test_validation_split(still, data):
    """The last two of three are held out, with their weights."""
    options = {"validation_split": 0.5, "validation_batch_size": 1, "verbose": 0}
    history = still.fit(data, sample_weight=WEIGHTS, **options).history
    np.testing.assert_allclose(
        [history["loss"][0], history["val_loss"][0]],
        [
            mean_loss(still, rows_of(data, [0]), WEIGHTS[:1]),
            mean_loss(still, rows_of(data, [1, 2]), WEIGHTS[1:]),
        ],
        rtol=1e-5,
    )


def test_metrics_by_the_name_of_the_logits(data):
    """Weighted ones are by sample weights; neither counts what no loss counts."""
    model = make_model(**NO_DROPOUT)
    model.compile(
        keras.optimizers.SGD(0.0),
        metrics={"logits": "accuracy"},
        weighted_metrics=["accuracy"],
        **EAGER,
    )
    result = model.test_on_batch(data, sample_weight=WEIGHTS, return_dict=True)
    right = np.argmax(model(data).logits, -1) == data["labels"]
    counted = data["labels"] != -100
    weights = counted * WEIGHTS[:, None]
    np.testing.assert_allclose(result["accuracy"], right[counted].mean(), rtol=1e-6)
    expected = np.average(right, weights=weights)
    np.testing.assert_allclose(result["weighted_accuracy"], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"metrics": {"scores": "accuracy"}},
            "`metrics` has the key 'scores'",
        ),
        ({"weighted_metrics": {"y": ["mse"]}}, "`weighted_metrics` has the key 'y'"),
        ({"loss": {"labels": "mse"}}, "`loss` has the key 'labels', .* on logits"),
        ({"loss_weights": [0.5]}, r"`loss_weights` is \[0.5\], but the model's own"),
    ],
)
def test_options_for_what_is_not_there_are_rejected(options, message):
    model = make_model(**NO_DROPOUT)
    with pytest.raises(ValueError, match=message):
        model.compile("sgd", **options)


def test_a_keras_loss_by_the_name_of_the_logits(data):
    data = rows_of(data, [0, 2])  # Keras' losses know no -100
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = make_model(**NO_DROPOUT)
    model.compile("sgd", loss={"logits": loss}, loss_weights={"logits": 0.5}, **EAGER)
    found = model.test_on_batch(data)
    np.testing.assert_allclose(found, 0.5 * mean_loss(model, data), rtol=1e-5)


@pytest.mark.parametrize("auto_scale_loss", [True, False])
def test_auto_scale_loss(data, auto_scale_loss):
    model = make_model(**NO_DROPOUT, options={"dtype": "mixed_float16"})
    optimizer = keras.optimizers.SGD(0.001)
    model.compile(optimizer, auto_scale_loss=auto_scale_loss, **EAGER)
    is_scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert is_scaled == auto_scale_loss
    assert np.isfinite(model.train_on_batch(data))


def trained(data, callbacks, epochs=3, optimizer=None):
    model = make_model(**NO_DROPOUT)
    optimizer = optimizer or keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)
    model.compile(optimizer, **EAGER)
    options = {"batch_size": 1, "epochs": epochs, "verbose": 0, "shuffle": False}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*sparse IndexedSlices")
        history = model.fit(data, callbacks=callbacks, **options)
    return model, history.history


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_backup_and_restore(data, tmp_path):
    """Three batches an epoch, two to an update: it stops between the two."""
    expected, _ = trained(data, [], epochs=2)

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(KeyboardInterrupt):
        trained(data, [backup(), Interrupt()], epochs=2)
    resumed, history = trained(data, [backup()], epochs=2)
    assert len(history["loss"]) == 1
    for path, variable in expected.weight_table().items():
        np.testing.assert_array_equal(variable, resumed.weight_table()[path], path)


@pytest.mark.slow
def test_learning_rate_scheduler(data):
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    model, history = trained(data, [rates], epochs=2)
    np.testing.assert_allclose(history["learning_rate"], [0.1, 0.05], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_the_best_checkpoint(data, tmp_path, suffix):
    """A huge learning rate: after the first epoch it gets no better."""
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 100.0 * epoch)
    path = tmp_path / f"best{suffix}"
    best = keras.callbacks.ModelCheckpoint(
        path,
        monitor="loss",
        save_best_only=True,
        save_weights_only=suffix == ".weights.h5",
    )
    start = np.array(make_model(**NO_DROPOUT).led.shared.embeddings)
    model, history = trained(data, [rates, best], epochs=2)
    assert history["loss"][1] > history["loss"][0]
    if suffix == ".keras":
        model = keras.models.load_model(path)
    else:
        model.load_weights(path)
    np.testing.assert_array_equal(model.led.shared.embeddings, start)


def test_tensorboard_with_histograms_and_images(data, tmp_path):
    """Of every weight, and the seeds of dropout."""
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    model, _ = trained(data, [board], epochs=1)
    [file] = (tmp_path / "train").glob("events*")
    tags = {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    paths = {f"{variable.path}/histogram" for variable in model.led.weights}
    # Keras 3.12 and 3.13 know weights by name, and write over those of the same name.
    by_name = {f"{variable.name}/histogram" for variable in model.led.weights}
    assert paths <= tags or by_name <= tags
