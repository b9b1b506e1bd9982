import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import tf_led
from tests.models.heads import EAGER, Classifier, documents, get_head, new_head
from tf_led.models.tasks.sequence_classification import (
    MULTI_LABEL,
    REGRESSION,
    SINGLE_LABEL,
    choose_problem_type,
    classification_loss,
)
from tf_led.ops.losses import mean_loss

LOGITS = np.random.default_rng(0).standard_normal([5, 3]).astype("float32")
CLASSES = np.array([2, 0, 1, 1, 0])
TARGETS = np.random.default_rng(1).random([5, 3]).astype("float32")


@pytest.mark.parametrize(
    ("labels", "num_labels", "problem_type"),
    [
        ([0.5, 2.0], 1, REGRESSION),
        ([0, 1], 1, REGRESSION),
        ([0, 1], 3, SINGLE_LABEL),
        ([[0.0, 1.0]], 2, MULTI_LABEL),
        ([[False, True]], 2, MULTI_LABEL),
    ],
)
def test_the_labels_suggest_a_problem(labels, num_labels, problem_type):
    labels = tf.constant(labels)
    assert choose_problem_type(None, labels, num_labels) == problem_type
    for named in (REGRESSION, SINGLE_LABEL, MULTI_LABEL):
        assert choose_problem_type(named, labels, num_labels) == named


def test_an_unknown_problem_is_rejected():
    with pytest.raises(ValueError, match="`problem_type` is 'ranking'; allowed"):
        choose_problem_type("ranking", tf.constant([1]), 3)


@pytest.mark.parametrize(
    ("problem_type", "labels", "criterion"),
    [
        (SINGLE_LABEL, CLASSES, torch.nn.CrossEntropyLoss()),
        (SINGLE_LABEL, CLASSES[:, None].astype("int32"), torch.nn.CrossEntropyLoss()),
        (MULTI_LABEL, TARGETS, torch.nn.BCEWithLogitsLoss()),
        (MULTI_LABEL, (TARGETS > 0.5).astype(int), torch.nn.BCEWithLogitsLoss()),
        (REGRESSION, TARGETS, torch.nn.MSELoss()),
    ],
)
def test_losses_are_pytorchs(problem_type, labels, criterion):
    theirs = torch.tensor(labels)
    theirs = theirs.view(-1).long() if problem_type == SINGLE_LABEL else theirs.float()
    expected = criterion(torch.tensor(LOGITS), theirs)
    loss = mean_loss(*classification_loss(labels, tf.constant(LOGITS), problem_type))
    assert loss.dtype == tf.float32 and loss.shape == ()
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize("labels", [TARGETS[:, 0], TARGETS[:, :1]])
def test_one_number_for_each_document(labels):
    loss = mean_loss(*classification_loss(labels, tf.constant(LOGITS[:, :1]), None))
    expected = np.mean((LOGITS[:, 0] - TARGETS[:, 0]) ** 2)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("problem_type", "labels", "message"),
    [
        (SINGLE_LABEL, [0, 1, 3, 0, 1], "holds 3; allowed are the classes 0 to 2"),
        (SINGLE_LABEL, [0, 1, -1, 0, 1], "holds -1; allowed are the classes 0 to 2"),
        (SINGLE_LABEL, [0.0] * 5, "holds float32, but single_label"),
        (SINGLE_LABEL, [0, 1, 2], r"has shape \[3\], but single.* document, \[5\]"),
        (None, TARGETS.astype(int), r"\[5, 3\], but single.* `problem_type` to multi"),
        (MULTI_LABEL, TARGETS[:, :2], r"has shape \[5, 2\], but multi.*: \[5, 3\]"),
        (MULTI_LABEL, TARGETS + 0.5, "holds 1[.].*; multi.* takes from 0 to 1"),
        (MULTI_LABEL, TARGETS - 1, "holds -0[.].*; multi.* takes from 0 to 1"),
        (REGRESSION, TARGETS[:, 0], r"has shape \[5\], but regression .*: \[5, 3\]"),
    ],
)
def test_labels_that_do_not_fit_are_rejected(problem_type, labels, message):
    with pytest.raises(ValueError, match=message):
        classification_loss(labels, tf.constant(LOGITS), problem_type)


LABELS = np.array([2, 0])
WEIGHTS = np.array([0.5, 2.0], "float32")


@pytest.fixture
def inputs():
    return documents()


def test_output_fields(inputs):
    model = get_head(Classifier, "decoder")
    output = model(inputs)
    assert isinstance(output, tf_led.TFLEDSeq2SeqSequenceClassifierOutput)
    expected = ["logits", "past_key_values", "encoder_last_hidden_state"]
    assert list(output) == expected and output.logits.shape == [2, 3]
    with_loss = model(inputs, labels=LABELS)
    assert list(with_loss) == ["loss", "logits", "encoder_last_hidden_state"]
    np.testing.assert_array_equal(with_loss.logits, output.logits)


def test_the_state_at_the_last_end_token_is_classified(inputs):
    model = get_head(Classifier, "decoder")
    hidden = model.led(**inputs).last_hidden_state
    head = model.classification_head
    expected = head(tf.stack([hidden[0, 6], hidden[1, 4]]))
    np.testing.assert_allclose(model(inputs).logits, expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["encoder_first", "encoder_mean"])
def test_the_encoders_states_are_pooled(inputs, pooling):
    model = get_head(Classifier, pooling)
    hidden = np.asarray(model.get_encoder()(**inputs).last_hidden_state)
    states = [hidden[0, 0], hidden[1, 0]]
    if pooling == "encoder_mean":
        states = [hidden[0].mean(axis=0), hidden[1, :5].mean(axis=0)]
    expected = model.classification_head(np.stack(states))
    np.testing.assert_allclose(model(inputs).logits, expected, atol=1e-5)


def test_several_ids_may_end_a_document(inputs):
    one = get_head(Classifier, "decoder")
    several = new_head(Classifier, eos_token_id=[2, 13])
    several.set_weights(one.get_weights())
    inputs["input_ids"] = np.where(inputs["input_ids"] == 13, 9, inputs["input_ids"])
    expected = one(inputs).logits
    np.testing.assert_array_equal(several(inputs).logits, expected)
    # 13 takes the place of the first row's first end token, and of the second's last.
    inputs["input_ids"][0, 3] = inputs["input_ids"][1, 4] = 13
    hidden = several.led(**inputs).last_hidden_state
    expected = several.classification_head(tf.stack([hidden[0, 6], hidden[1, 4]]))
    np.testing.assert_allclose(several(inputs).logits, expected, atol=1e-5)
    assert several.dummy_inputs["input_ids"][0, 1] == 2


def test_different_numbers_of_end_tokens_are_rejected(inputs):
    inputs["input_ids"][0, 3] = 9
    message = "has 2 end tokens .*, and another row has fewer"
    with pytest.raises(ValueError, match=message):
        get_head(Classifier, "decoder")(inputs)
    get_head(Classifier, "encoder_first")(inputs)


def test_without_ids_there_is_no_end_token():
    model = get_head(Classifier, "decoder")
    with pytest.raises(ValueError, match="`input_ids` is missing: .*`inputs_embeds`"):
        model(inputs_embeds=np.zeros([1, 3, 12], "float32"))


@pytest.mark.slow
def test_decoder_inputs_of_another_length_are_rejected(inputs):
    model = get_head(Classifier, "decoder")
    ids = inputs["input_ids"]
    message = "`input_ids` has 7 and the decoder's input 3 tokens: leave"
    with pytest.raises(ValueError, match=message):
        model(inputs, decoder_input_ids=ids[:, :3])
    spec = tf.TensorSpec([None, None], tf.int64)

    @tf.function(input_signature=[spec, spec])
    def in_graph(ids, decoder_ids):
        return model(input_ids=ids, decoder_input_ids=decoder_ids).logits

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[7\].*input\] \[3\]"):
        in_graph(ids, ids[:, :3])
    given = model(inputs, decoder_input_ids=ids)
    assert np.abs(given.logits - model(inputs).logits).max() > 1e-3


def one_step(data, pooling="encoder_mean", **options):
    """The loss of a batch, and a weight of the encoder after learning from it."""
    model = new_head(Classifier, pooling)
    model.compile(keras.optimizers.SGD(0.1), **{**EAGER, **options})
    loss = model.fit(**data, batch_size=2, verbose=0).history["loss"][0]
    return loss, np.array(model.led.encoder.layers_0.fc1.kernel)


@pytest.mark.slow
def test_labels_in_every_form_teach_the_same(inputs):
    """Warnings are errors here: none is of the decoder, which learns nothing."""
    model = new_head(Classifier, "encoder_mean")
    expected = model(inputs, labels=LABELS).loss
    forms = [
        {"x": {**inputs, "labels": LABELS}},
        {"x": inputs, "y": LABELS},
        {"x": inputs, "y": LABELS[:, None]},
        {"x": inputs, "y": {"labels": LABELS}},
    ]
    (loss, kernel), *others = [one_step(data) for data in forms]
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert np.abs(kernel - model.led.encoder.layers_0.fc1.kernel).max() > 1e-4
    for other_loss, other_kernel in others:
        np.testing.assert_allclose(other_loss, loss, rtol=1e-6)
        np.testing.assert_allclose(other_kernel, kernel, atol=1e-6)


def test_sample_weights(inputs):
    model = get_head(Classifier, "encoder_mean")
    logits = model(inputs).logits
    losses = [
        float(model.hf_compute_loss(LABELS[i : i + 1], logits[i : i + 1]))
        for i in range(2)
    ]
    expected = np.average(losses, weights=WEIGHTS)
    assert abs(expected - np.mean(losses)) > 1e-3
    data = {"x": inputs, "y": LABELS, "sample_weight": WEIGHTS}
    np.testing.assert_allclose(one_step(data)[0], expected, rtol=1e-5)


def test_a_keras_loss_and_metric_read_the_logits(inputs):
    model = new_head(Classifier, "decoder")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile("sgd", loss, metrics=[accuracy], **EAGER)
    result = model.test_on_batch(inputs, LABELS, return_dict=True)
    output = model(inputs, labels=LABELS)
    np.testing.assert_allclose(result["loss"], output.loss, rtol=1e-5)
    right = np.mean(np.argmax(output.logits, axis=-1) == LABELS)
    np.testing.assert_allclose(result["accuracy"], right)


@pytest.mark.slow
def test_fit_evaluate_and_predict_in_a_graph(inputs):
    """With the decoder, two lengths in one trace, and floats for several classes."""
    targets = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], "float32")
    model, eager = new_head(Classifier), new_head(Classifier)
    model.compile(keras.optimizers.SGD(0.1))
    eager.compile(keras.optimizers.SGD(0.1), **EAGER)
    batches = [
        ({n: a[:, :length].copy() for n, a in inputs.items()}, targets)
        for length in (7, 5)
    ]
    batches[1][0]["input_ids"][0, 4] = 2
    spec = (
        {name: tf.TensorSpec([None, None], tf.int64) for name in inputs},
        tf.TensorSpec([None, 3], tf.float32),
    )
    data = tf.data.Dataset.from_generator(lambda: batches, output_signature=spec)
    data = data.apply(tf.data.experimental.assert_cardinality(2))
    loss = model.fit(data, verbose=0, shuffle=False).history["loss"][0]
    expected = np.mean([eager.train_on_batch(*batch) for batch in batches])
    np.testing.assert_allclose(loss, expected, rtol=1e-4)
    for one, other in zip(model.weights, eager.weights, strict=True):
        if "seed" not in one.path:
            np.testing.assert_allclose(one, other, atol=1e-4)
    evaluated = model.evaluate(data, verbose=0)
    losses = [model(x, labels=y).loss for x, y in batches]
    np.testing.assert_allclose(evaluated, np.mean(losses), rtol=1e-4)
    predicted = model.predict(inputs, verbose=0)
    assert set(predicted) == {"logits", "encoder_last_hidden_state"}
    np.testing.assert_allclose(predicted.logits, model(inputs).logits, atol=1e-4)


def test_dropout_of_the_head_acts_in_training_only(inputs):
    model = new_head(Classifier, "encoder_first", classifier_dropout=0.5)
    expected = get_head(Classifier, "encoder_first")(inputs).logits
    np.testing.assert_array_equal(model(inputs).logits, expected)
    first, second = (model(inputs, training=True).logits for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_a_hugging_face_dataset(inputs):
    import datasets

    rows = {"input_ids": [[0, 5, 7, 2], [0, 9, 2]], "label": [1, 2]}
    model = new_head(Classifier, "encoder_mean")
    batches = model.prepare_tf_dataset(
        datasets.Dataset.from_dict(rows), batch_size=2, shuffle=False
    )
    inputs, labels = next(iter(batches))
    np.testing.assert_array_equal(labels, [1, 2])
    assert np.isfinite(model(inputs, labels=labels).loss)
