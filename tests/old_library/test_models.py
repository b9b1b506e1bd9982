"""What the old library's tests of its TF models, LED's among them, promise users."""

import inspect
import json
import warnings

import numpy as np
import pytest
import tensorflow as tf

from tests.old_library.conftest import BATCH, SIZES, SOURCE_LEN, TARGET_LEN, VOCAB

pytestmark = pytest.mark.slow

LAYERS, HEADS, WIDTH = SIZES["encoder_layers"], 3, SIZES["d_model"]
EVERYTHING = {"output_hidden_states": True, "output_attentions": True}


def first(outputs):
    return np.asarray(outputs[0])


def assert_same(ours, expected):
    np.testing.assert_allclose(first(ours), first(expected), atol=1e-5)


# Saving and loading


def test_a_saved_model_answers_the_same(model, inputs, tmp_path):
    expected = model(inputs)
    model.save_pretrained(tmp_path)
    assert_same(type(model).from_pretrained(tmp_path)(inputs), expected)


def test_shards_of_a_few_bytes_hold_the_whole_model(model, inputs, tmp_path):
    expected = model(inputs)
    model.save_pretrained(tmp_path, max_shard_size="9kB")
    assert len([*tmp_path.glob("*.index.json")]) == 1
    assert len([*tmp_path.glob("*-of-*")]) > 2
    assert_same(type(model).from_pretrained(tmp_path)(inputs), expected)


def test_safetensors_and_the_other_format_hold_the_same(model, inputs, tmp_path):
    expected = model(inputs)
    model.save_pretrained(tmp_path, safe_serialization=True)
    assert (tmp_path / "model.safetensors").is_file()
    assert_same(type(model).from_pretrained(tmp_path)(inputs), expected)


def test_a_config_makes_the_model_again(model, inputs):
    values = model.get_config()
    json.dumps(values)  # Keras writes it as JSON
    again = type(model).from_config(values)
    again(inputs)
    again.set_weights(model.get_weights())
    assert_same(again(inputs), model(inputs))


def test_a_config_object_makes_a_model_as_well(model):
    again = type(model).from_config(model.config)
    assert again.config.d_model == WIDTH


def test_weights_of_another_shape_are_rejected_unless_told(library, inputs, tmp_path):
    model = library.Model(library.config())
    model(inputs)  # before which the old classes have no weights
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError):
        library.Model.from_pretrained(tmp_path, vocab_size=VOCAB - 6)
    with warnings.catch_warnings():  # ours is a warning, the old one a line of a log
        warnings.simplefilter("ignore", UserWarning)
        again = library.Model.from_pretrained(
            tmp_path, vocab_size=VOCAB - 6, ignore_mismatched_sizes=True
        )
    assert again.config.vocab_size == VOCAB - 6


# Calling


def test_the_order_of_the_arguments(model):
    names = [
        name for name in inspect.signature(model.call).parameters if name != "self"
    ]
    assert names[:6] == [
        "input_ids",
        "attention_mask",
        "decoder_input_ids",
        "decoder_attention_mask",
        "head_mask",
        "decoder_head_mask",
    ]
    assert type(model).main_input_name == "input_ids"


def test_keywords_and_a_dict_are_the_same(model, inputs):
    assert_same(model(**inputs), model(inputs))


def test_numpy_arrays_and_tensors_are_the_same(model, inputs):
    tensors = {name: tf.constant(array) for name, array in inputs.items()}
    assert_same(model(tensors), model(inputs))


def test_int64_ids_are_taken(model, inputs):
    wide = {name: array.astype("int64") for name, array in inputs.items()}
    assert_same(model(wide), model(inputs))


def test_two_calls_are_the_same(model, inputs):
    np.testing.assert_array_equal(first(model(inputs)), first(model(inputs)))


def test_a_tuple_has_the_fields_in_order(model, inputs):
    expected = model(inputs, **EVERYTHING)
    flat = model(inputs, return_dict=False, **EVERYTHING)
    assert isinstance(flat, tuple)
    np.testing.assert_allclose(flat[0], expected[0], atol=1e-5)


def test_embeddings_stand_in_for_ids(model, inputs):
    table = np.asarray(model.get_input_embeddings().weights[0])
    embedded = {
        "inputs_embeds": table[inputs["input_ids"]],
        "decoder_inputs_embeds": table[inputs["decoder_input_ids"]],
    }
    masks = {k: v for k, v in inputs.items() if k.endswith("mask")}
    given = {**masks, "decoder_input_ids": None, **embedded}
    assert_same(model(None, **given), model(inputs))


def test_a_graph_answers_the_same(generator, inputs):
    run = tf.function(lambda batch: generator(batch)[0])
    np.testing.assert_allclose(run(inputs), first(generator(inputs)), atol=1e-5)


@pytest.mark.old_differs("has global attention that XLA cannot compile")
def test_xla_answers_the_same(generator, inputs):
    run = tf.function(lambda batch: generator(batch)[0], jit_compile=True)
    np.testing.assert_allclose(run(inputs), first(generator(inputs)), atol=1e-4)


def test_a_cached_step_is_a_whole_pass(library, inputs):
    decoder = library.Model(library.config()).get_decoder()
    ids, more = inputs["decoder_input_ids"][:1], np.array([[5, 7, 11]], "int32")
    past = decoder(ids, use_cache=True).past_key_values
    mask = np.ones([1, TARGET_LEN + 3], "int32")
    cached = decoder(more, attention_mask=mask, past_key_values=past)[0]
    whole = decoder(np.concatenate([ids, more], 1), attention_mask=mask)[0]
    np.testing.assert_allclose(cached, whole[:, -3:], rtol=1e-3, atol=1e-5)


# What comes out


def test_shapes_of_the_attention(model, inputs):
    inputs["global_attention_mask"][:, 1] = 1
    out = model(inputs, output_attentions=True, use_cache=False)
    assert len(out.encoder_attentions) == len(out.decoder_attentions) == LAYERS
    # A global token first, then the window.
    assert out.encoder_attentions[0].shape[:3] == (BATCH, HEADS, SOURCE_LEN)
    assert out.encoder_attentions[0].shape[3] == 2 + SIZES["attention_window"] + 1
    assert out.encoder_global_attentions[0].shape[3] == 2
    assert out.decoder_attentions[0].shape == (BATCH, HEADS, TARGET_LEN, TARGET_LEN)
    assert out.cross_attentions[0].shape == (BATCH, HEADS, TARGET_LEN, SOURCE_LEN)


@pytest.mark.parametrize("where", ["argument", "config"])
def test_hidden_states_are_there_when_requested(library, inputs, where):
    requested = {"output_hidden_states": True}
    config = library.config(**(requested if where == "config" else {}))
    out = library.Model(config)(inputs, **(requested if where == "argument" else {}))
    assert (
        len(out.encoder_hidden_states) == len(out.decoder_hidden_states) == LAYERS + 1
    )
    assert out.encoder_hidden_states[0].shape == (BATCH, SOURCE_LEN, WIDTH)
    assert out.decoder_hidden_states[0].shape == (BATCH, TARGET_LEN, WIDTH)


def test_attention_is_there_when_the_config_says_so(library, inputs):
    config = library.config(output_attentions=True)
    assert len(library.Model(config)(inputs).encoder_attentions) == LAYERS


def test_embeddings_and_bias_are_found(library, generator, model):
    layer = library.keras.layers.Layer
    assert isinstance(model.get_input_embeddings(), layer)
    assert isinstance(generator.get_output_embeddings(), layer)
    bias = generator.get_bias()
    assert {tuple(value.shape) for value in bias.values()} == {(1, VOCAB)}
    bare = library.Model(library.config())
    assert bare.get_output_embeddings() is None and bare.get_bias() is None


@pytest.mark.parametrize("size", [VOCAB - 6, VOCAB + 8, None])
def test_resizing_keeps_the_tokens_that_stay(library, inputs, size):
    model = library.Generator(library.config())
    model(inputs)  # before which the old classes have no weights
    before = np.asarray(model.get_input_embeddings().weights[0])
    model.resize_token_embeddings(size)
    after = np.asarray(model.get_input_embeddings().weights[0])
    kept = min(size or VOCAB, VOCAB)
    assert len(after) == (size or VOCAB) == model.config.vocab_size
    np.testing.assert_array_equal(after[:kept], before[:kept])
    ids = {k: np.minimum(v, kept - 1) for k, v in inputs.items()}
    assert model(ids).logits.shape == (BATCH, TARGET_LEN, size or VOCAB)


# Training


def labelled(inputs):
    labels = np.roll(inputs["decoder_input_ids"], -1, axis=1)
    rest = {k: v for k, v in inputs.items() if k != "decoder_input_ids"}
    return {**rest, "labels": labels}


def test_the_loss_is_the_same_by_keyword_and_in_a_dict(generator, inputs):
    batch = labelled(inputs)
    by_dict, by_keyword = generator(batch).loss, generator(**batch).loss
    assert np.ravel(by_dict) == pytest.approx(np.ravel(by_keyword))
    assert np.size(by_dict) == 1


@pytest.mark.parametrize("form", ["in the dict", "apart", "dataset", "dataset, apart"])
def test_fit_takes_labels_wherever_they_are(library, inputs, form):
    model = library.Generator(library.config(dropout=0.0))
    del inputs["global_attention_mask"]  # the old classes cannot train with one
    batch = labelled(inputs)
    model.compile(optimizer=library.keras.optimizers.SGD(0.0))
    expected = float(np.ravel(model(batch).loss)[0])
    rest = {k: v for k, v in batch.items() if k != "labels"}
    given = (rest, batch["labels"]) if form.endswith("apart") else (batch,)
    if form.startswith("dataset"):
        rows = given if len(given) > 1 else given[0]
        given = (tf.data.Dataset.from_tensor_slices(rows).batch(BATCH),)
    size = None if form.startswith("dataset") else BATCH
    history = model.fit(*given, batch_size=size, epochs=1, verbose=0, shuffle=False)
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.old_differs("cannot train with a global token")
def test_fit_trains_with_global_attention(library, inputs):
    model = library.Generator(library.config(dropout=0.0))
    batch = labelled(inputs)
    model.compile(optimizer=library.keras.optimizers.Adam(1e-2))
    history = model.fit(batch, batch_size=BATCH, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_mixed_precision_trains_in_float16(library, inputs):
    del inputs["global_attention_mask"]
    try:
        library.keras.mixed_precision.set_global_policy("mixed_float16")
        model = library.Generator(library.config())
        assert model(labelled(inputs)).logits.dtype in (tf.float16, tf.float32)
    finally:
        library.keras.mixed_precision.set_global_policy("float32")
