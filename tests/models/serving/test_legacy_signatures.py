import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_led import TFLEDForConditionalGeneration, TFLEDModel
from tf_led.models.serving.legacy_signatures import legacy_signatures
from tf_led.testing import fill_spread, tiny_config

LM = TFLEDForConditionalGeneration
# Name of the export: class, decoder layers, what the config says besides.
MODELS = {
    "one": (TFLEDModel, 1, {"output_hidden_states": True, "output_attentions": True}),
    "three": (LM, 3, {}),
}
KINDS = ("self_key", "self_value", "cross_key", "cross_value")
# Runs every signature of every export on every set of inputs, with TensorFlow alone.
CLIENT = """
import sys
for name in ("tf_led", "transformers"):
    sys.modules[name] = None
import numpy as np
import tensorflow as tf
answers = {}
inputs = dict(np.load("inputs.npz"))
for line in sys.argv[1:]:
    name, path = line.split("=")
    loaded = tf.saved_model.load(path)
    for signature, dtype in [("serving_default", "int32"), ("int64_serving", "int64")]:
        for number in ("0", "1"):
            given = {
                key.split("/")[1]: tf.constant(value, dtype)
                for key, value in inputs.items()
                if key.startswith(number)
            }
            for key, value in loaded.signatures[signature](**given).items():
                answers[f"{name}/{signature}/{number}/{key}"] = value.numpy()
np.savez("answers.npz", **answers)
"""


def make_model(name):
    cls, decoder_layers, fields = MODELS[name]
    model = cls(tiny_config(encoder_layers=1, decoder_layers=decoder_layers, **fields))
    fill_spread(model)
    return model


def make_inputs(batch, source_len, target_len, seed):
    """Documents padded on the right, some with global tokens; padded targets."""
    rng = np.random.default_rng(seed)
    source = np.arange(source_len) < rng.integers(2, source_len + 1, (batch, 1))
    target = np.arange(target_len) < rng.integers(1, target_len + 1, (batch, 1))
    return {
        "input_ids": rng.integers(3, 29, (batch, source_len)),
        "attention_mask": source.astype(int),
        "global_attention_mask": rng.integers(0, 2, (batch, source_len)) * source,
        "decoder_input_ids": rng.integers(3, 29, (batch, target_len)),
        "decoder_attention_mask": target.astype(int),
    }


INPUTS = [make_inputs(2, 7, 3, seed=3), make_inputs(3, 11, 5, seed=5)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What a process that has TensorFlow alone gets from the exports."""
    folder = tmp_path_factory.mktemp("exports")
    make_model("one").save_pretrained(folder / "one", saved_model=True, version=7)
    make_model("three").save_pretrained(folder / "three", saved_model=True)
    np.savez(
        folder / "inputs.npz",
        **{f"{n}/{key}": given[key] for n, given in enumerate(INPUTS) for key in given},
    )
    paths = ["one=one/saved_model/7", "three=three/saved_model/1"]
    subprocess.run(
        [sys.executable, "-c", CLIENT, *paths],
        cwd=folder,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return dict(np.load(folder / "answers.npz"))


def expected_answers(name, number):
    """The fields of an eager call, one by one."""
    output = make_model(name)(INPUTS[number])
    expected = {}
    for field, value in output.items():
        if field == "past_key_values":
            for layer, tensors in enumerate(value):
                for kind, tensor in zip(KINDS, tensors, strict=True):
                    expected[f"{field}_{layer}_{kind}"] = tensor
        elif isinstance(value, tuple):
            expected.update({f"{field}_{i}": item for i, item in enumerate(value)})
        else:
            expected[field] = value
    return expected


@pytest.mark.slow
@pytest.mark.parametrize("signature", ["serving_default", "int64_serving"])
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", MODELS)
def test_tensorflow_alone_gets_what_the_model_gives(answers, name, number, signature):
    prefix = f"{name}/{signature}/{number}/"
    given = {
        key.removeprefix(prefix): value
        for key, value in answers.items()
        if key.startswith(prefix)
    }
    expected = expected_answers(name, number)
    assert given.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(given[key], expected[key], atol=2e-4, err_msg=key)


def test_every_layer_has_outputs_of_its_own(answers):
    names = {
        name: {key.split("/")[3] for key in answers if key.startswith(name)}
        for name in MODELS
    }
    cache = [f"past_key_values_{i}_{kind}" for i in range(3) for kind in KINDS]
    assert names["three"] == {"logits", "encoder_last_hidden_state", *cache}
    assert names["one"] == {
        "last_hidden_state",
        "encoder_last_hidden_state",
        "encoder_hidden_states_0",
        "encoder_hidden_states_1",
        "encoder_attentions_0",
        "encoder_global_attentions_0",
        "decoder_hidden_states_0",
        "decoder_hidden_states_1",
        "decoder_attentions_0",
        "cross_attentions_0",
        *cache[:4],
    }


def test_the_input_signature_is_open_in_batch_and_length():
    specs = make_model("one").input_signature
    assert specs.keys() == INPUTS[0].keys()
    for name, spec in specs.items():
        assert spec == tf.TensorSpec([None, None], tf.int32, name)


def test_signatures_follow_the_specs_that_are_given():
    model = make_model("one")
    specs = {"input_ids": tf.TensorSpec([1, 7], tf.int32)}
    signatures = legacy_signatures(model, specs)
    assert list(signatures) == ["serving_default", "int64_serving"]
    ids = INPUTS[0]["input_ids"][:1]
    expected = model(input_ids=ids).last_hidden_state
    for function, dtype in zip(signatures.values(), ["int32", "int64"], strict=True):
        (spec,) = function.structured_input_signature[0][0].values()
        assert (spec.shape, spec.dtype.name) == ((1, 7), dtype)
        answer = function(input_ids=tf.constant(ids, dtype))["last_hidden_state"]
        assert function.structured_outputs["last_hidden_state"].shape == (1, 7, 12)
        np.testing.assert_allclose(answer, expected, atol=1e-4)


def test_serving_is_one_function_that_traces_once():
    model = make_model("one")
    assert isinstance(model.serving, tf.types.experimental.PolymorphicFunction)
    assert model.serving is model.serving


def test_an_output_without_names_is_rejected():
    with pytest.raises(TypeError, match="`output` is a tuple"):
        make_model("one").serving_output((tf.zeros([1]),))


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([3], r"`input_signature` must be a dict.*got \[3\]"),
        ({"input_ids": 3}, "got {'input_ids': 3}"),
        ({"inputs": tf.TensorSpec([1, 7], tf.int32)}, "The inputs hold 'inputs'"),
    ],
)
def test_bad_specs_are_rejected(specs, message):
    with pytest.raises(ValueError, match=message):
        legacy_signatures(make_model("one"), specs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 2}, "`version` is 2 and .* give saved_model=True"),
        ({"signatures": 5}, "`signatures` is 5, but only .* give saved_model=True"),
        ({"saved_model": True, "version": 0}, "`version` must be .* got 0"),
        ({"saved_model": True, "version": "1"}, "`version` must be .* got '1'"),
        ({"saved_model": True, "colour": "red"}, "save_pretrained got 'colour'"),
    ],
)
def test_a_bad_save_is_rejected(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make_model("one").save_pretrained(tmp_path / "saved", **options)
    assert not (tmp_path / "saved").exists()


def embed_signature(model):
    """A signature that is quick to trace: the embeddings of some ids."""
    spec = tf.TensorSpec([None], tf.int32, name="ids")
    return tf.function(
        lambda ids: {"rows": model.led.shared(ids)}, input_signature=[spec]
    )


def test_signatures_of_ones_own_stand_in_a_folder_for_each_version(tmp_path):
    for version in (1, 11):
        model = make_model("one")
        model.led.shared._embeddings.assign_add(tf.fill([29, 12], float(version)))
        signature = embed_signature(model)
        signatures = signature if version == 1 else {"embed": signature}
        model.save_pretrained(
            tmp_path, saved_model=True, version=version, signatures=signatures
        )
    assert sorted(os.listdir(tmp_path / "saved_model")) == ["1", "11"]
    for version, name in [(1, "serving_default"), (11, "embed")]:
        loaded = tf.saved_model.load(str(tmp_path / "saved_model" / str(version)))
        assert list(loaded.signatures) == [name]
        rows = loaded.signatures[name](ids=tf.constant([5]))["rows"]
        expected = make_model("one").led.shared(tf.constant([5])) + version
        np.testing.assert_allclose(rows, expected, rtol=1e-5)
    # The checkpoint beside them is the last one saved.
    reloaded = TFLEDModel.from_pretrained(tmp_path).led.shared.embeddings
    tf.debugging.assert_equal(
        tf.convert_to_tensor(reloaded), model.led.shared.embeddings
    )


def test_a_save_that_is_cut_off_leaves_the_old_one(tmp_path, monkeypatch):
    model = make_model("one")
    signature = embed_signature(model)
    model.save_pretrained(tmp_path, saved_model=True, signatures=signature)
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    save = tf.saved_model.save

    def save_and_fail(*args):
        save(*args)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", save_and_fail)
    model.led.shared._embeddings.assign(tf.zeros([29, 12]))
    with pytest.raises(OSError, match="No space left"):
        model.save_pretrained(tmp_path, saved_model=True, signatures=signature)
    assert len(held) >= 3
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or path.read_bytes() == held.pop(path)
    assert not held


def test_another_format_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="`format` is 'onnx'"):
        make_model("one").export(tmp_path / "export", format="onnx")
    assert not (tmp_path / "export").exists()


def test_an_export_says_what_it_wrote_if_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "tf_led.models.serving.legacy_signatures.export_saved_model",
        lambda model, path, **options: path / str(options["max_new_tokens"]),
    )
    model = make_model("one")
    assert model.export(tmp_path, max_new_tokens=3) == tmp_path / "3"
    assert capsys.readouterr().out == ""
    model.export(tmp_path, verbose=True, max_new_tokens=5)
    assert capsys.readouterr().out == f"Wrote {tmp_path / '5'}.\n"
