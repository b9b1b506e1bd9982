import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import BatchEncoding

import tf_led
from tests.models.conftest import SMALL, make_model

NO_DROPOUT = {**SMALL, "dropout": 0.0}
# A trace of a training step takes seconds; most tests take the step eagerly.
EAGER = {"run_eagerly": True}


def weighted(labels):
    """A weight for each document, as `fit` takes it."""
    return np.linspace(0.5, 2, len(labels)).astype("float32")


def one_step(data, **options):
    """The loss of a batch, and the shared embedding after learning from it."""
    model = make_model(**NO_DROPOUT)
    model.compile(keras.optimizers.SGD(0.1), **{**EAGER, **options})
    history = model.fit(**data, batch_size=2, verbose=0).history
    return history["loss"][0], np.array(model.led.shared.embeddings)


@pytest.fixture(scope="module")
def expected():
    """What the forms below are to give: loss and embedding by labels in the dict."""
    kept = {}

    def get(inputs, labels):
        if "given" not in kept:
            kept["given"] = one_step({"x": {**inputs, "labels": labels}})
        return kept["given"]

    return get


@pytest.fixture
def source(inputs):
    """The decoder starts from the labels."""
    del inputs["decoder_input_ids"]
    return inputs


def forms(source, labels):
    names = ["input_ids", "attention_mask", "decoder_input_ids"]
    names += ["decoder_attention_mask", "head_mask", "decoder_head_mask"]
    both = {**source, "labels": labels}
    tensors = tf.data.Dataset.from_tensor_slices
    return {
        "beside": {"x": source, "y": labels},
        "beside_as_dict": {"x": source, "y": {"labels": labels}},
        "in_both": {"x": both, "y": labels},
        "encoding": {"x": BatchEncoding(both)},
        "encoding_and_labels": {"x": BatchEncoding(source), "y": labels},
        "dataset": {"x": tensors(both).batch(2)},
        "dataset_of_pairs": {"x": tensors((source, labels)).batch(2)},
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*shuffle=True")
@pytest.mark.parametrize(
    "form",
    [
        "beside",
        "beside_as_dict",
        "in_both",
        "encoding",
        "encoding_and_labels",
        "dataset",
        "dataset_of_pairs",
    ],
)
def test_labels_in_every_form_teach_the_same(expected, source, labels, form):
    data = forms(source, labels)[form]
    if isinstance(data["x"], tf.data.Dataset):
        model = make_model(**NO_DROPOUT)
        model.compile(keras.optimizers.SGD(0.1), **EAGER)
        loss = model.fit(data["x"], verbose=0).history["loss"][0]
        embedding = np.array(model.led.shared.embeddings)
    else:
        loss, embedding = one_step(data)
    other_loss, other_embedding = expected(source, labels)
    np.testing.assert_allclose(loss, other_loss, rtol=1e-6)
    np.testing.assert_allclose(embedding, other_embedding, atol=1e-6)


def test_the_loss_is_that_of_a_call(expected, source, labels):
    loss, embedding = expected(source, labels)
    model = make_model(**NO_DROPOUT)
    np.testing.assert_allclose(loss, model(source, labels=labels).loss, rtol=1e-6)
    assert np.abs(embedding - model.led.shared.embeddings).max() > 1e-3


def test_inputs_by_place(source, labels):
    ids, mask = source["input_ids"], source["attention_mask"]
    loss, _ = one_step({"x": [ids, mask], "y": labels})
    by_name, _ = one_step(
        {"x": {"input_ids": ids, "attention_mask": mask}, "y": labels}
    )
    alone, _ = one_step({"x": ids, "y": labels})
    np.testing.assert_allclose(loss, by_name, rtol=1e-6)
    assert abs(alone - loss) > 1e-3


def test_sample_weights(source, labels):
    """By document, as Keras' fit gives them, and by token."""
    model = make_model(**NO_DROPOUT)
    logits = model(source, labels=labels).logits
    weights = weighted(labels)
    expected = model.hf_compute_loss(labels, logits, weights=weights)
    data = {"x": source, "y": labels}
    for given in (weights, np.repeat(weights[:, None], 3, axis=1)):
        loss, _ = one_step({**data, "sample_weight": given})
        np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert abs(expected - model.hf_compute_loss(labels, logits)) > 1e-3


def test_nothing_to_learn_from_is_rejected(source):
    model = make_model(**NO_DROPOUT)
    model.compile("sgd", **EAGER)
    with pytest.raises(ValueError, match="no labels to train on: put `labels` into"):
        model.train_on_batch(source)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["auto", "auto_with_warning", "passthrough", None])
def test_names_of_the_models_own_loss(expected, source, labels, loss):
    mine, _ = one_step({"x": source, "y": labels}, loss=loss)
    np.testing.assert_allclose(mine, expected(source, labels)[0], rtol=1e-6)


def test_a_keras_loss_and_metrics_read_the_logits(source):
    labels = np.array([[5, 11, 2], [17, 2, 7]])  # Keras' losses know no -100.
    model = make_model(**NO_DROPOUT)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile("sgd", loss, metrics=[accuracy], **EAGER)
    output = model(source, labels=labels)
    result = model.test_on_batch({**source, "labels": labels}, return_dict=True)
    np.testing.assert_allclose(result["loss"], output.loss, rtol=1e-5)
    right = np.mean(np.argmax(output.logits, -1) == labels)
    np.testing.assert_allclose(result["accuracy"], right)


def test_what_layers_add_to_the_loss_counts(expected, source, labels):
    model = make_model(**NO_DROPOUT)
    model.led.shared.embeddings_regularizer = keras.regularizers.L2(0.1)
    model.led.shared._embeddings.regularizer = keras.regularizers.L2(0.1)
    model.compile("sgd", **EAGER)
    penalty = 0.1 * np.sum(np.square(model.led.shared.embeddings))
    loss = model.test_on_batch(source, labels)
    np.testing.assert_allclose(loss, expected(source, labels)[0] + penalty, rtol=1e-5)


def test_the_step_needs_no_return_dict(expected, source, labels):
    model = make_model(**NO_DROPOUT, return_dict=False)
    model.compile("sgd", **EAGER)
    loss = model.train_on_batch(source, labels)
    np.testing.assert_allclose(loss, expected(source, labels)[0], rtol=1e-6)


def test_a_batch_without_global_tokens_warns_of_nothing(source, labels):
    """Warnings are errors here: Keras has one for weights that did not learn."""
    del source["global_attention_mask"]
    model = make_model(**NO_DROPOUT)
    model.compile("sgd", **EAGER)
    model.train_on_batch(source, labels)


def test_other_weights_that_do_not_learn_are_warned_of(source, labels):
    class Forgetful(tf_led.TFLEDForConditionalGeneration):
        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            return tf.reduce_sum(self.led.shared.embeddings)

    model = make_model(Forgetful, **NO_DROPOUT)
    model.compile("sgd", **EAGER)
    with pytest.warns(UserWarning, match="Gradients do not exist .*fc1/kernel"):
        model.train_on_batch(source, labels)


def test_the_loss_of_a_subclass_is_used(source, labels):
    class Doubled(tf_led.TFLEDForConditionalGeneration):
        def hf_compute_loss(self, labels, logits, weights=None):
            return 2 * super().hf_compute_loss(labels, logits, weights)

    model = make_model(Doubled, **NO_DROPOUT)
    model.compile("sgd", **EAGER)
    plain = make_model(**NO_DROPOUT)(source, labels=labels).loss
    np.testing.assert_allclose(model(source, labels=labels).loss, 2 * plain, rtol=1e-6)
    loss = model.test_on_batch(source, labels)
    np.testing.assert_allclose(loss, 2 * plain, rtol=1e-5)


def test_a_model_without_a_head_has_no_loss(base, labels):
    with pytest.raises(NotImplementedError, match="TFLEDModel has no loss of its own"):
        base.hf_compute_loss(labels, None)


def test_dropout_acts_in_training_only(source, labels):
    model = make_model(**SMALL, dropout=0.5)
    model.compile(keras.optimizers.SGD(0.0), **EAGER)

    def loss(step):
        model.reset_metrics()  # before Keras 3.13 the mean goes on from step to step
        return step(source, labels)

    trained = [loss(model.train_on_batch) for _ in range(2)]
    tested = [loss(model.test_on_batch) for _ in range(2)]
    assert trained[0] != trained[1] != tested[0] == tested[1]


PREDICTED = {"logits", "encoder_last_hidden_state"}


def test_predict_leaves_loss_and_cache_out(source, labels):
    model = make_model(**NO_DROPOUT)
    model.compile("sgd", **EAGER)
    expected = model(source).logits
    for predict in (model.predict_on_batch, lambda x: model.predict(x, verbose=0)):
        output = predict(BatchEncoding(source))
        assert set(output) == PREDICTED
        np.testing.assert_allclose(output["logits"], expected, atol=1e-5)
    assert set(model.predict_on_batch({**source, "labels": labels})) == PREDICTED


def test_fit_measures_on_validation_data(source, labels):
    model = make_model(**NO_DROPOUT)
    model.compile(keras.optimizers.SGD(0.1), **EAGER)
    data = {**source, "labels": labels}
    batches = tf.data.Dataset.from_tensor_slices(data).batch(2)
    logs = model.fit(data, validation_data=batches, verbose=0).history
    np.testing.assert_allclose(logs["val_loss"], [model(data).loss], rtol=1e-5)


@pytest.mark.slow
def test_fit_in_a_graph(source, labels):
    """One trace for batches of several lengths; evaluate and predict beside it.

    Layers may be dropped, though none is.
    """
    may_drop = {"encoder_layerdrop": 1e-9, "decoder_layerdrop": 1e-9}
    eager, model = make_model(**NO_DROPOUT), make_model(**NO_DROPOUT, **may_drop)
    eager.compile(keras.optimizers.SGD(0.1), **EAGER)
    model.compile(keras.optimizers.SGD(0.1))
    data = {**source, "labels": labels}
    batches = [{name: a[:, :n] for name, a in data.items()} for n in (7, 5, 3)]
    spec = {name: tf.TensorSpec([None, None], tf.int64) for name in data}
    generated = tf.data.Dataset.from_generator(lambda: batches, output_signature=spec)
    generated = generated.apply(tf.data.experimental.assert_cardinality(3))
    loss = model.fit(generated, verbose=0, shuffle=False).history["loss"]
    losses = [eager.train_on_batch(batch) for batch in batches]
    np.testing.assert_allclose(loss, [np.mean(losses)], rtol=1e-4)
    one, other = (m.led.shared.embeddings for m in (model, eager))
    np.testing.assert_allclose(one, other, atol=1e-4)
    evaluated = model.evaluate(data, verbose=0)
    np.testing.assert_allclose(evaluated, model(data).loss, rtol=1e-4)
    predicted = model.predict(source, verbose=0)
    np.testing.assert_allclose(predicted.logits, model(source).logits, atol=1e-4)


@pytest.mark.slow
def test_fit_under_xla(source, labels):
    """With unequal numbers of global tokens."""
    eager, model = make_model(**NO_DROPOUT), make_model(**NO_DROPOUT)
    eager.compile(keras.optimizers.SGD(0.1), **EAGER)
    model.compile(keras.optimizers.SGD(0.1), jit_compile=True)
    loss = model.fit(source, labels, verbose=0).history["loss"]
    np.testing.assert_allclose(loss, [eager.train_on_batch(source, labels)], rtol=1e-4)
    one, other = (m.led.shared.embeddings for m in (model, eager))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_bare_model_has_no_loss_of_its_own(source, labels):
    model = make_model(tf_led.TFLEDModel, **NO_DROPOUT)
    model.compile("sgd", **EAGER)
    with warnings.catch_warnings(), pytest.raises(ValueError, match="'labels', which"):
        model.train_on_batch(source, labels)


def test_float16_trains_with_a_scaled_loss(source, labels):
    model = make_model(**NO_DROPOUT, options={"dtype": "mixed_float16"})
    model.compile(keras.optimizers.SGD(0.01), **EAGER)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    kernel = model.led.decoder.layers_0.fc1.kernel
    before = np.array(kernel)
    # The first scales may overflow, and their steps are left out.
    losses = [model.train_on_batch(source, labels) for _ in range(5)]
    assert np.isfinite(losses).all() and np.any(before != kernel)
    for variable in model.weight_table().values():
        assert np.isfinite(variable).all()


def test_label_smoothing(source, labels, tmp_path):
    model = make_model(**NO_DROPOUT)
    model.compile("sgd", label_smoothing=0.3, **EAGER)
    logits = model(source, labels=labels).logits
    expected = model.hf_compute_loss(labels, logits, label_smoothing=0.3)
    loss = model.test_on_batch(source, labels)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert abs(expected - model.hf_compute_loss(labels, logits)) > 1e-3
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.label_smoothing == 0.3


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_label_smoothing_out_of_range(smoothing):
    model = make_model(**NO_DROPOUT)
    with pytest.raises(ValueError, match=f"from 0 to below 1, got {smoothing}"):
        model.compile("sgd", label_smoothing=smoothing)


def test_label_smoothing_beside_another_loss_is_rejected():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for model in (
        make_model(**NO_DROPOUT),
        make_model(tf_led.TFLEDModel, **NO_DROPOUT),
    ):
        with pytest.raises(ValueError, match="`label_smoothing` is 0.1, but only"):
            model.compile("sgd", loss, label_smoothing=0.1)


def test_accuracy_counts_what_the_loss_counts(source, labels):
    model = make_model(**NO_DROPOUT)
    model.compile("sgd", metrics=["accuracy"], **EAGER)
    result = model.test_on_batch(source, labels, return_dict=True)
    best = np.argmax(model(source, labels=labels).logits, -1)
    counted = labels != -100
    np.testing.assert_allclose(result["accuracy"], (best == labels)[counted].mean())


@pytest.mark.slow
def test_accumulated_batches_equal_one(source, labels):
    """With unequal numbers of labels, in a graph."""
    one, two = make_model(**NO_DROPOUT), make_model(**NO_DROPOUT)
    one.compile(keras.optimizers.SGD(0.1), **EAGER)
    two.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=2))
    data = {**source, "labels": labels}
    loss = one.train_on_batch(data)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*sparse IndexedSlices")
        history = two.fit(data, batch_size=1, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], [loss], rtol=1e-5)
    tables = (one.weight_table(), two.weight_table())
    for path, variable in tables[0].items():
        np.testing.assert_allclose(variable, tables[1][path], atol=1e-5, err_msg=path)


def test_bfloat16_trains(source, labels):
    model = make_model(**NO_DROPOUT, options={"dtype": "mixed_bfloat16"})
    model.compile(keras.optimizers.SGD(0.02), **EAGER)
    losses = [model.train_on_batch(source, labels) for _ in range(4)]
    assert losses[-1] < 0.9 * losses[0]
    assert all(v.dtype == "float32" for v in model.weight_table().values())


def test_sample_weights_of_labels_among_the_inputs(source, labels):
    """Keras alone drops them in silence."""
    weights = weighted(labels)
    expected, _ = one_step({"x": source, "y": labels, "sample_weight": weights})
    both = {**source, "labels": labels}
    loss, _ = one_step({"x": both, "sample_weight": weights})
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    model = make_model(**NO_DROPOUT)
    model.compile("sgd", **EAGER)
    loss = model.test_on_batch(both, None, weights)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    data = tf.data.Dataset.from_tensors((both, None, weights))
    loss = model.evaluate(data, verbose=0)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
