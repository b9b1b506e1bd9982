"""Warm-up requests, read back as TensorFlow Serving reads them."""

import numpy as np
import pytest
import tensorflow as tf

from tf_led import (
    TFLEDForQuestionAnswering,
    TFLEDForSequenceClassification,
    export_saved_model,
)
from tf_led.serving.endpoint import Input, TextCodec, make_endpoint, make_signatures
from tf_led.serving.warmup import WARMUP_FILE, write_warmup
from tf_led.testing import tiny_config

log = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")

IDS = Input("input_ids", tf.int64, [None, None])
MASKS = tuple(
    Input(name, tf.int64, [None, None], [[]])
    for name in ("attention_mask", "global_attention_mask")
)
COUNT = Input("max_new_tokens", tf.int32, [], 3)


@pytest.fixture
def endpoints():
    def generate(input_ids, **rest):
        return {"sequences": tf.cast(input_ids, tf.int32)}

    return {"generate": make_endpoint(generate, (IDS, *MASKS, COUNT))}


@pytest.fixture
def codec():
    def encode(texts):
        ids = tf.strings.length(texts)[:, None]
        return ids, tf.ones_like(ids)

    return TextCodec(
        encode, lambda ids: tf.strings.as_string(ids[:, 0]), lambda ids, mask: mask
    )


def written(path, *args):
    write_warmup(path, *args)
    return read(path)


def read(path):
    for record in tf.data.TFRecordDataset(str(path / WARMUP_FILE)):
        request = log.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        yield request.model_spec.signature_name, inputs


def test_each_signature_of_texts_gets_each_text(tmp_path, endpoints, codec):
    signatures = make_signatures(
        endpoints, "generate", texts=("generate",), codec=codec
    )
    found = [
        (name, inputs["text"].tolist())
        for name, inputs in written(tmp_path, signatures, ["a", "bc"])
    ]
    names = ["serving_default", "generate_text"]
    assert sorted(found) == sorted((n, [t]) for n in names for t in (b"a", b"bc"))


def test_without_texts_the_default_gets_ids_and_runs(tmp_path, endpoints):
    signatures = make_signatures(endpoints, "generate")
    ((name, inputs),) = written(tmp_path, signatures)
    assert name == "serving_default"
    assert set(inputs) == {"input_ids", "attention_mask", "global_attention_mask"}
    given = {key: tf.constant(value) for key, value in inputs.items()}
    answer = signatures[name](**given)["sequences"]
    np.testing.assert_array_equal(answer, inputs["input_ids"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "pooling"),
    [
        (TFLEDForSequenceClassification, "decoder"),  # wants an end token
        (TFLEDForQuestionAnswering, "encoder"),
    ],
)
def test_a_heads_request_is_one_that_it_takes(tmp_path, cls, pooling):
    model = cls(tiny_config(encoder_layers=1, decoder_layers=1), pooling=pooling)
    path = export_saved_model(model, tmp_path, warmup=True)
    ((name, inputs),) = read(path)
    loaded = tf.saved_model.load(str(path))
    given = {key: tf.constant(value) for key, value in inputs.items()}
    answer = loaded.signatures[name](**given)
    assert all(np.all(np.isfinite(value)) for value in answer.values())
