"""What `export_saved_model` writes; what it does is tested in tests/serving."""

import functools
import os
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tf_led import (
    TFLEDForConditionalGeneration,
    TFLEDForQuestionAnswering,
    TFLEDForSequenceClassification,
    TFLEDModel,
    export_saved_model,
)
from tf_led.testing import fill_spread, tiny_config

SMALL = {"encoder_layers": 1, "decoder_layers": 1}
IDS = np.array([[0, 5, 7, 2], [0, 11, 13, 2]], "int32")


def make(cls=TFLEDForConditionalGeneration, **fields):
    return cls(tiny_config(**SMALL, **fields))


# For tests that only look.
get = functools.cache(make)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model, where it was exported twice, and what changed in between."""
    model = make()
    fill_spread(model)
    folder = tmp_path_factory.mktemp("exported")
    first = export_saved_model(model, folder, max_new_tokens=5, do_sample=True)
    second = export_saved_model(model, folder, max_new_tokens=5, quantize="int8")
    return model, first, second


def read(path):
    message = saved_model_pb2.SavedModel()
    message.ParseFromString((path / "saved_model.pb").read_bytes())
    return message.meta_graphs[0]


@pytest.mark.slow
def test_versions_are_numbered_and_what_is_there_stays(exported):
    _, first, second = exported
    assert (first.name, second.name) == ("1", "2")
    assert sorted(os.listdir(first.parent)) == ["1", "2"]


def test_signatures_have_the_names_types_and_open_shapes_of_the_docs(exported):
    signatures = read(exported[1]).signature_def
    names = {"encode", "forward", "generate"}
    both = names | {f"{name}_int64" for name in names}
    assert set(signatures) - {"__saved_model_init_op"} == both | {"serving_default"}
    for name, kind in [("generate", tf.int32), ("generate_int64", tf.int64)]:
        inputs = signatures[name].inputs
        for key in ("input_ids", "attention_mask", "global_attention_mask"):
            assert tf.dtypes.as_dtype(inputs.pop(key).dtype) == kind
        found = {k: tf.dtypes.as_dtype(v.dtype).name for k, v in inputs.items()}
        assert found == {
            "max_new_tokens": "int32",
            "seed": "int32",
            "temperature": "float32",
        }
    for signature in signatures.values():
        for tensor in [*signature.inputs.values(), *signature.outputs.values()]:
            assert all(dim.size == -1 for dim in tensor.tensor_shape.dim[:2])


def test_the_default_signature_takes_rows_alone(exported):
    signatures = read(exported[1]).signature_def
    expected = {"input_ids", "attention_mask", "global_attention_mask"}
    assert set(signatures["serving_default"].inputs) == expected


def test_each_weight_is_there_once_and_none_in_the_graph(exported):
    model, path, _ = exported
    reader = tf.train.load_checkpoint(str(path / "variables/variables"))
    held = sum(
        int(np.prod(shape)) * reader.get_variable_to_dtype_map()[name].size
        for name, shape in reader.get_variable_to_shape_map().items()
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    )
    assert held == sum(v.value.numpy().nbytes for v in model.variables)
    graph = read(path).graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    sizes = [tf.make_ndarray(n.attr["value"].tensor).size for n in nodes if is_const(n)]
    assert len(sizes) > 10 and max(sizes) < min(29 * 12, 12 * 17)


def is_const(node):
    return node.op == "Const" and node.attr["dtype"].type != tf.string.as_datatype_enum


@pytest.mark.slow
def test_int8_weights_are_a_fraction_and_near(exported):
    model, plain, path = exported
    table = model.led.shared.embeddings
    assert table.dtype == "float32"  # the user's own stays as it is
    reader = tf.train.load_checkpoint(str(path / "variables/variables"))
    kinds = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    large = [n for n, shape in shapes.items() if len(shape) == 2 and "OBJECT" not in n]
    is_int8 = [kinds[name] == tf.int8 for name in large]
    # The tables of positions and the bias on the logits stay floats.
    assert sum(is_int8) >= 15 and is_int8.count(False) <= 3
    given = {
        "input_ids": tf.constant(IDS),
        "decoder_input_ids": tf.constant(IDS),
    }
    exact = model(IDS, decoder_input_ids=IDS).logits
    loaded = tf.saved_model.load(str(path))
    answer = loaded.forward(**given)["logits"]
    correlation = np.corrcoef(np.ravel(exact), np.ravel(answer))[0, 1]
    assert 0.95 < correlation < 1 - 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "name", "fields"),
    [
        (TFLEDModel, "forward", ["last_hidden_state"]),
        (TFLEDForSequenceClassification, "classify", ["logits"]),
        (TFLEDForQuestionAnswering, "answer", ["start_logits", "end_logits"]),
    ],
)
def test_every_model_serves_its_own(tmp_path, cls, name, fields):
    model = get(cls)
    path = export_saved_model(model, tmp_path)
    loaded = tf.saved_model.load(str(path))
    more = {"decoder_input_ids": IDS} if name == "forward" else {}
    given = {key: tf.constant(v) for key, v in {"input_ids": IDS, **more}.items()}
    answer = getattr(loaded, name)(**given)
    expected = model(input_ids=IDS, **more)
    assert sorted(answer) == sorted(fields)
    for field in fields:
        np.testing.assert_allclose(answer[field], expected[field], atol=1e-4)
    default = loaded.signatures["serving_default"].structured_outputs
    assert sorted(default) == sorted(fields)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"global_attention": "last"}, "`global_attention` is 'last'; allowed are"),
        ({"quantize": "int2"}, "`quantize` is 'int2'"),
        ({"warmup": ["a"]}, "`warmup` has 1 texts, which need a `tokenizer`"),
        ({"warmup": "a"}, "`warmup` must be a bool or a list of texts, got 'a'"),
        ({"seed": 3}, "`seed` is 3, but nothing is sampled"),
        ({"seed": -1, "do_sample": True}, "`seed` must be an int from 0 on.* got -1"),
        ({"seed": True, "do_sample": True}, "`seed` must be .* got True"),
        ({"return_dict_in_generate": True}, "`return_dict_in_generate` is True"),
        ({"num_beans": 3}, "`num_beans` .*Did you mean `num_beams`"),
        ({"max_new_tokens": 33}, "`max_length` .* is 34, .* 32 positions"),
    ],
)
def test_what_cannot_be_is_rejected_before_anything_is_written(
    tmp_path, options, message
):
    options = {"max_new_tokens": 5, **options}
    with pytest.raises(ValueError, match=message):
        export_saved_model(get(), tmp_path / "served", **options)
    assert not (tmp_path / "served").exists()


def test_options_of_generation_need_a_model_that_generates(tmp_path):
    with pytest.raises(ValueError, match="'num_beams', 'xla', but a TFLEDModel does"):
        export_saved_model(get(TFLEDModel), tmp_path / "served", num_beams=2, xla=True)


def test_options_that_need_python_are_rejected(tmp_path):
    with pytest.raises(ValueError, match="`max_time` needs Python at every token"):
        export_saved_model(get(), tmp_path, max_new_tokens=5, max_time=1.0)
    assert os.listdir(tmp_path) == []


def test_a_tokenizer_needs_a_model_of_texts_and_of_its_size(tmp_path):
    with pytest.raises(ValueError, match="a TFLEDModel serves no texts"):
        export_saved_model(get(TFLEDModel), tmp_path, tokenizer=["a"])
    with pytest.raises(ValueError, match="has 30 tokens, the model's vocabulary 29"):
        export_saved_model(get(), tmp_path, tokenizer=["a"] * 30)


def test_a_warmup_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=r"tf_led\[serving\].*`warmup=False`"):
        export_saved_model(get(), tmp_path, max_new_tokens=5, warmup=True)
    assert os.listdir(tmp_path) == []
