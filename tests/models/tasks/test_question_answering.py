import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tests.models.heads import (
    EAGER,
    Answerer,
    documents,
    get_head,
    labels_for,
    new_head,
    scores_of,
)
from tf_led.ops.masks import mask_value

LABELS = labels_for(Answerer)
STARTS, ENDS = LABELS.values()


@pytest.fixture
def inputs():
    return documents()


def test_output_fields(inputs):
    model = get_head(Answerer, "decoder")
    output = model(inputs)
    assert isinstance(output, tf_led.TFLEDSeq2SeqQuestionAnsweringModelOutput)
    logits = ["start_logits", "end_logits"]
    rest = ["past_key_values", "encoder_last_hidden_state"]
    assert list(output) == [*logits, *rest]
    assert list(model(inputs, **LABELS)) == ["loss", *logits, rest[1]]
    assert output.start_logits.shape == output.end_logits.shape == [2, 7]


def test_the_loss_is_the_mean_of_both(inputs):
    model = get_head(Answerer, "decoder")
    output = model(inputs, **LABELS)
    scores = scores_of(output).astype("float64")
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    rows = np.arange(2)
    picked = [log_probs[rows, STARTS, 0], log_probs[rows, ENDS, 1]]
    np.testing.assert_allclose(output.loss, -np.mean(picked), rtol=1e-5)


def test_padding_is_no_answer_to_the_encoder(inputs):
    """More of it changes no loss, and positions on it do not count."""
    model = get_head(Answerer, "encoder")
    output = model(inputs, **LABELS)
    hidden = scores_of(output)[1, 5:]
    np.testing.assert_array_equal(hidden, np.full([2, 2], mask_value("float32")))
    pads = {"input_ids": 1, "attention_mask": 0, "global_attention_mask": 0}
    longer = {
        name: np.pad(array, [(0, 0), (0, 3)], constant_values=pads[name])
        for name, array in inputs.items()
    }
    np.testing.assert_allclose(model(longer, **LABELS).loss, output.loss, rtol=1e-5)
    on_padding = {"start_positions": [1, 6], "end_positions": [5, 6]}
    beyond = {"start_positions": [1, 7], "end_positions": [5, 99]}
    expected = model(inputs, **beyond).loss
    np.testing.assert_array_equal(model(inputs, **on_padding).loss, expected)
    assert abs(expected - output.loss) > 1e-3


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"start_positions": STARTS}, "`start_positions` is given without `end_posit"),
        ({"end_positions": ENDS}, "`end_positions` is given without `start_positions"),
        (
            {**LABELS, "end_positions": [0.5, 1.0]},
            "`end_positions` holds float32; give",
        ),
        (
            {**LABELS, "start_positions": [1, 2, 3]},
            r"`start_positions` has shape \[3\]",
        ),
        ({**LABELS, "start_positions": [[1, 2]] * 2}, r"has shape \[2, 2\]; give one"),
    ],
)
def test_positions_that_do_not_fit_are_rejected(inputs, labels, message):
    with pytest.raises(ValueError, match=message):
        get_head(Answerer, "encoder")(inputs, **labels)


def test_nothing_for_the_decoder_to_start_from_is_rejected():
    message = "Without `input_ids` the decoder has nothing .*`pooling` 'encoder'"
    with pytest.raises(ValueError, match=message):
        get_head(Answerer, "decoder")(inputs_embeds=np.zeros([1, 3, 12], "float32"))


def one_step(data, **options):
    """The loss of a batch, and a weight of the encoder after learning from it."""
    model = new_head(Answerer, "encoder")
    model.compile(keras.optimizers.SGD(0.1), **{**EAGER, **options})
    loss = model.fit(**data, batch_size=2, verbose=0).history["loss"][0]
    return loss, np.array(model.led.encoder.layers_0.fc1.kernel)


def test_labels_in_every_form_teach_the_same(inputs):
    """Warnings are errors here: none is of the decoder, which learns nothing."""
    model = new_head(Answerer, "encoder")
    expected = model(inputs, **LABELS).loss
    forms = [
        {"x": {**inputs, **LABELS}},
        {"x": inputs, "y": LABELS},
        {"x": inputs, "y": (STARTS, ENDS[:, None])},
    ]
    (loss, kernel), *others = [one_step(data) for data in forms]
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert np.abs(kernel - model.led.encoder.layers_0.fc1.kernel).max() > 1e-4
    for other_loss, other_kernel in others:
        np.testing.assert_allclose(other_loss, loss, rtol=1e-6)
        np.testing.assert_allclose(other_kernel, kernel, atol=1e-6)


def test_sample_weights(inputs):
    """Of each document, and of each of its two labels."""
    model = get_head(Answerer, "encoder")
    output = model(inputs)
    first, second = (
        {name: array[i : i + 1] for name, array in documents().items()}
        for i in range(2)
    )
    losses = [
        float(model(given, **{name: a[i : i + 1] for name, a in LABELS.items()}).loss)
        for i, given in enumerate((first, second))
    ]
    weights = np.array([0.5, 2.0], "float32")
    expected = np.average(losses, weights=weights)
    assert abs(expected - np.mean(losses)) > 1e-3
    for y, x in ((LABELS, inputs), ((STARTS, ENDS), inputs), (None, inputs | LABELS)):
        data = {"x": x, "y": y, "sample_weight": weights}
        np.testing.assert_allclose(one_step(data)[0], expected, rtol=1e-5)
    apart = {"start_positions": weights, "end_positions": weights[::-1]}
    logits = {name: output[name] for name in model.logits_names}
    expected = model.hf_compute_loss(LABELS, logits, weights=apart)
    data = {"x": inputs, "y": LABELS, "sample_weight": apart}
    np.testing.assert_allclose(one_step(data)[0], expected, rtol=1e-5)


def test_labels_that_are_not_two_are_rejected(inputs):
    model = new_head(Answerer, "encoder")
    model.compile("sgd", **EAGER)
    with pytest.raises(ValueError, match="`y` is a .*; give a dict of start_positions"):
        model.train_on_batch(inputs, np.ones([2, 2], int))
    message = "put `start_positions` and `end_positions` into the inputs"
    with pytest.raises(ValueError, match=message):
        model.train_on_batch(inputs)


def test_a_keras_loss_and_metrics_read_both_logits(inputs):
    model = new_head(Answerer, "decoder")
    accuracy = {
        name: keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        for name in model.logits_names
    }
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=accuracy, **EAGER)
    result = model.test_on_batch(inputs, LABELS, return_dict=True)
    output = model(inputs, **LABELS)
    np.testing.assert_allclose(result["loss"], 2 * output.loss, rtol=1e-5)
    for name, positions in zip(model.logits_names, (STARTS, ENDS), strict=True):
        right = np.mean(np.argmax(output[name], axis=-1) == positions)
        np.testing.assert_allclose(result[f"{name}_accuracy"], right)


@pytest.mark.slow
def test_fit_evaluate_and_predict_in_a_graph(inputs):
    """Without the decoder, with which test_sequence_classification.py does so."""
    model, eager = (new_head(Answerer, "encoder") for _ in range(2))
    model.compile(keras.optimizers.SGD(0.1))
    eager.compile(keras.optimizers.SGD(0.1), **EAGER)
    loss = model.fit(inputs, LABELS, verbose=0).history["loss"]
    expected = eager.train_on_batch(inputs, LABELS)
    np.testing.assert_allclose(loss, [expected], rtol=1e-4)
    for one, other in zip(model.weights, eager.weights, strict=True):
        if "seed" not in one.path:
            np.testing.assert_allclose(one, other, atol=1e-4)
    evaluated = model.evaluate(inputs, LABELS, verbose=0)
    np.testing.assert_allclose(evaluated, model(inputs, **LABELS).loss, rtol=1e-4)
    predicted = model.predict(inputs, verbose=0)
    assert set(predicted) == {*model.logits_names, "encoder_last_hidden_state"}
    np.testing.assert_allclose(
        scores_of(predicted), scores_of(model(inputs)), atol=1e-4
    )


def test_how_much_a_batch_counts(inputs):
    """Of first and of last positions; what lies beyond the tokens does not count."""
    model = get_head(Answerer, "encoder")
    logits = {name: tf.zeros([2, 7]) for name in model.logits_names}
    cut_off = {**LABELS, "end_positions": [5, 7]}
    weights = tf.constant([0.5, 2.0])
    apart = {"start_positions": weights, "end_positions": 3 * weights}
    for labels, given, counts in (
        (LABELS, None, [2, 2]),
        (cut_off, None, [2, 1]),
        (cut_off, weights, [2.5, 0.5]),
        (LABELS, apart, [2.5, 7.5]),
    ):
        _, label_count = model.sum_loss(labels, logits, given)
        assert label_count.numpy().tolist() == counts


def test_accumulated_batches_equal_one(inputs):
    """Where one of three documents has no answer among its tokens."""
    inputs = {name: a[[0, 1, 0]] for name, a in inputs.items()}
    labels = {"start_positions": np.array([1, 99, 2])}
    labels["end_positions"] = np.array([5, 99, 3])
    one, three = (new_head(Answerer, "encoder") for _ in range(2))
    one.compile(keras.optimizers.SGD(0.1), **EAGER)
    three.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=3), **EAGER)
    loss = one.train_on_batch(inputs, labels)
    data = {"x": inputs, "y": labels, "batch_size": 1, "shuffle": False}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*sparse IndexedSlices")
        history = three.fit(**data, verbose=0).history
    np.testing.assert_allclose(history["loss"], [loss], rtol=1e-5)
    kernels = [m.led.encoder.layers_0.fc1.kernel for m in (one, three)]
    np.testing.assert_allclose(*kernels, atol=1e-6)
    start = get_head(Answerer, "encoder").led.encoder.layers_0.fc1.kernel
    assert np.abs(kernels[0] - start).max() > 1e-4


def test_a_hugging_face_dataset():
    import datasets

    rows = {"input_ids": [[0, 5, 7, 2], [0, 9, 2]], "start_positions": [1, 2]}
    rows["end_positions"] = [2, 2]
    model = new_head(Answerer, "encoder")
    batches = model.prepare_tf_dataset(
        datasets.Dataset.from_dict(rows), batch_size=2, shuffle=False
    )
    inputs, labels = next(iter(batches))
    np.testing.assert_array_equal(labels["end_positions"], [2, 2])
    assert np.isfinite(model(inputs, **labels).loss)


def test_fit_measures_on_validation_data(inputs):
    model = new_head(Answerer, "encoder")
    model.compile(keras.optimizers.SGD(0.0), **EAGER)
    weights = np.array([0.5, 2.0], "float32")
    held_out = (inputs, LABELS, weights)
    history = model.fit(inputs, LABELS, verbose=0, validation_data=held_out).history
    logits = {name: model(inputs)[name] for name in model.logits_names}
    expected = model.hf_compute_loss(LABELS, logits, weights=weights)
    np.testing.assert_allclose(history["val_loss"], [expected], rtol=1e-5)
    np.testing.assert_allclose(
        history["loss"], [model(inputs, **LABELS).loss], rtol=1e-5
    )
