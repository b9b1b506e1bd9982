"""What both heads do alike: pooling, ways to run, what is rejected."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tests.models.heads import (
    FIELDS,
    HEADS,
    WITHOUT_DECODER,
    Answerer,
    Classifier,
    documents,
    get_head,
    labels_for,
    new_head,
    scores_of,
)
from tf_led.models.backbone.decoder import TFLEDDecoder
from tf_led.models.tasks import pooled_model as pooling
from tf_led.testing import tiny_config

HIDDEN = np.arange(3 * 5 * 2, dtype="float32").reshape(3, 5, 2)
REAL = np.array([[1, 1, 1, 1, 1], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)


def test_the_config_names_the_pooling():
    config = tiny_config()
    assert pooling.pooling_of(config) == "decoder"
    assert pooling.with_pooling(config, None) is config
    assert pooling.with_pooling(config, "decoder") is config
    changed = pooling.with_pooling(config, "encoder_mean")
    assert pooling.pooling_of(changed) == "encoder_mean"
    assert pooling.with_pooling(changed, None) is changed
    assert not hasattr(config, "pooling")
    assert changed.to_dict() == {**config.to_dict(), "pooling": "encoder_mean"}


def test_an_unknown_name_of_a_pooling_raises():
    pooling.check_pooling("encoder_mean", ("decoder", "encoder_mean"))
    with pytest.raises(ValueError, match="is 'mean'; this head has 'decoder', 'enc"):
        pooling.check_pooling("mean", ("decoder", "encoder_mean"))


def test_a_frozen_decoder_leaves_the_shared_embedding():
    decoder = TFLEDDecoder(tiny_config())
    pooling.freeze_decoder(decoder)
    left = [variable.path for variable in decoder.trainable_variables]
    assert len(left) == 1 and "shared" in left[0]


def test_first_real_token():
    """Left padding is passed over; a row without tokens stays finite."""
    states = pooling.first_states(HIDDEN, REAL)
    np.testing.assert_array_equal(states, HIDDEN[[0, 1, 2], [0, 2, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_mean_of_real_tokens(dtype):
    mean = pooling.mean_states(tf.constant(HIDDEN, dtype), tf.constant(REAL))
    assert mean.dtype == dtype
    expected = [HIDDEN[0].mean(0), HIDDEN[1, 2:4].mean(0), [0, 0]]
    np.testing.assert_array_equal(mean, expected)


def test_a_mean_of_many_is_not_rounded():
    """16,384 states of 1 sum up to more than float16 holds exactly, or at all."""
    ones = tf.ones([1, 16384, 3], "float16") * 7
    mean = pooling.mean_states(ones, tf.ones([1, 16384], "bool"))
    np.testing.assert_array_equal(mean, np.full([1, 3], 7))


ENDS = [[0, 2, 7, 2, 1], [2, 2, 9, 9, 9], [7, 7, 2, 7, 2]]


@pytest.mark.parametrize(
    ("ids", "end_ids", "last"),
    [
        (ENDS, [2], [3, 1, 4]),
        ([[2, 5, 3, 7, 7]] * 3, [2], [0, 0, 0]),
        ([[2, 5, 3, 7, 7]] * 3, [2, 3], [2, 2, 2]),
    ],
)
def test_last_end_token(ids, end_ids, last):
    states = pooling.last_end_states(HIDDEN, tf.constant(ids), end_ids)
    np.testing.assert_array_equal(states, HIDDEN[[0, 1, 2], last])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            [2, 2, 2, 7, 7],
            r"has 3 end tokens \(`eos_token_id` 2\), and another row has",
        ),
        (
            [7, 7, 7, 7, 2],
            r"has 2 end tokens \(`eos_token_id` 2\), and another row has",
        ),
        ([7, 7, 7, 7, 7], r"has 0 end tokens \(`eos_token_id` 2\)\. The document is"),
    ],
)
def test_other_numbers_of_end_tokens_are_rejected(row, message):
    ids = tf.constant([ENDS[0], row, ENDS[1]])
    with pytest.raises(ValueError, match=message):
        pooling.last_end_states(HIDDEN, ids, [2])

    @tf.function
    def in_graph(ids):
        return pooling.last_end_states(HIDDEN, ids, [2])

    with pytest.raises(tf.errors.InvalidArgumentError, match="end tokens"):
        in_graph(ids)


def test_xla_which_cannot_reject_gives_nan():
    @tf.function(jit_compile=True)
    def compiled(ids):
        return pooling.last_end_states(HIDDEN, ids, [2])

    assert np.isnan(compiled(tf.constant([ENDS[0], [2] * 5, ENDS[1]]))).all()
    np.testing.assert_array_equal(
        compiled(tf.constant(ENDS)), HIDDEN[[0, 1, 2], [3, 1, 4]]
    )


@pytest.mark.parametrize("pool", [pooling.first_states, pooling.mean_states])
def test_pooling_under_xla(pool):
    compiled = tf.function(pool, jit_compile=True)
    hidden, real = tf.constant(HIDDEN), tf.constant(REAL)
    np.testing.assert_allclose(compiled(hidden, real), pool(hidden, real), rtol=1e-6)


DECODER_FIELDS = {"past_key_values", "decoder_hidden_states", "cross_attentions"}


def test_the_pooling_is_the_arguments_or_the_configs():
    config = tiny_config(**FIELDS)
    plain = Classifier(config)
    assert plain.pooling == "decoder" and plain.config is config
    chosen = Classifier(config, pooling="encoder_mean")
    assert chosen.pooling == chosen.config.pooling == "encoder_mean"
    assert not hasattr(config, "pooling")
    assert Answerer(tiny_config(**FIELDS, pooling="encoder")).pooling == "encoder"


@pytest.mark.parametrize(
    ("cls", "pooling", "allowed"),
    [
        (Classifier, "encoder", "'decoder', 'encoder_first', 'encoder_mean'"),
        (Answerer, "encoder_mean", "'decoder', 'encoder'"),
    ],
)
def test_an_unknown_pooling_is_rejected(cls, pooling, allowed):
    message = f"`pooling` is '{pooling}'; this head has {allowed}"
    with pytest.raises(ValueError, match=message):
        cls(tiny_config(**FIELDS), pooling=pooling)
    with pytest.raises(ValueError, match=message):
        cls(tiny_config(**FIELDS, pooling=pooling))


@pytest.mark.filterwarnings("ignore:.* weights that the model does not:UserWarning")
def test_a_model_without_poolings_takes_none(tmp_path):
    get_head(*HEADS[0]).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="got 'pooling', which is neither"):
        tf_led.TFLEDForConditionalGeneration.from_pretrained(
            tmp_path, pooling="encoder"
        )


@pytest.mark.parametrize(("cls", "pooling"), WITHOUT_DECODER)
def test_without_a_decoder_there_is_nothing_of_it(cls, pooling):
    model = get_head(cls, pooling)
    everything = {"output_attentions": True, "output_hidden_states": True}
    output = model(documents(), **everything)
    assert not DECODER_FIELDS & set(output)
    assert len(output.encoder_hidden_states) == len(output.encoder_attentions) + 1 == 2
    assert output.encoder_global_attentions[0].shape == [2, 3, 7, 2]
    trained = [path for path, v in model.weight_table().items() if v.trainable]
    assert "led/shared/embeddings" in trained
    assert not any("decoder" in path for path in trained)


@pytest.mark.parametrize(("cls", "pooling"), WITHOUT_DECODER)
@pytest.mark.parametrize(
    "name",
    [
        "decoder_input_ids",
        "decoder_attention_mask",
        "decoder_head_mask",
        "decoder_inputs_embeds",
        "cross_attn_head_mask",
        "use_cache",
    ],
)
def test_inputs_of_a_decoder_that_is_not_run_are_rejected(cls, pooling, name):
    message = f"`{name}` is for the decoder, which `pooling` '{pooling}' does not"
    with pytest.raises(ValueError, match=message):
        get_head(cls, pooling)(documents(), **{name: np.ones([2, 7], int)})


@pytest.mark.parametrize("cls", [Classifier, Answerer])
def test_a_document_too_long_for_the_decoder_is_rejected(cls):
    """Eagerly and in a graph, with both limits and the way out."""
    model = get_head(cls, "decoder")
    ids = np.full([1, 33], 5)
    # A graph's message has its quotes escaped.
    message = r"has.*33.* has 32 positions .* encoder 64 .*`pooling` \\?'encoder"
    with pytest.raises(ValueError, match=message):
        model(input_ids=ids)

    spec = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[spec], autograph=False)
    def in_graph(ids):
        return list(model(input_ids=ids).values())[0]

    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        in_graph(ids)


@pytest.mark.large
@pytest.mark.parametrize("head", [HEADS[1], HEADS[4]], ids=["first", "spans"])
def test_16384_tokens(head):
    """The last of them is seen, across the whole document, by the global first."""
    fields = {"max_encoder_position_embeddings": 16384, "attention_window": 2048}
    model = new_head(*head, **fields)
    ids = np.random.default_rng(5).integers(3, 29, [1, 16384]).repeat(2, axis=0)
    ids[:, -1] = 11, 13
    is_global = (np.arange(16384) == 0).astype(int) * np.ones_like(ids)
    scores = scores_of(model(input_ids=ids, global_attention_mask=is_global))
    assert np.isfinite(scores).all()
    if head[0] is Answerer:
        assert scores.shape == (2, 16384, 2)
        scores = scores[:, 0]
    assert np.abs(scores[0] - scores[1]).max() > 0


@pytest.mark.parametrize(("cls", "pooling"), HEADS)
def test_every_document_stands_alone_and_padding_changes_nothing(cls, pooling):
    model, inputs = get_head(cls, pooling), documents()
    together = scores_of(model(inputs))
    for row, length in enumerate((7, 5)):
        alone = {name: array[row : row + 1] for name, array in inputs.items()}
        cut = {name: array[:, :length] for name, array in alone.items()}
        pads = {"input_ids": 1, "attention_mask": 0, "global_attention_mask": -1}
        longer = {
            name: np.pad(array, [(0, 0), (0, 4)], constant_values=pads[name])
            for name, array in alone.items()
        }
        for given in (alone, cut, longer):
            scores = scores_of(model(given))
            expected = together[row]
            if cls is Answerer:
                scores, expected = scores[:, :length], expected[:length]
            np.testing.assert_allclose(scores[0], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "pooling"), [HEADS[0], HEADS[4]])
def test_xla_gives_the_same_loss_and_gradients(cls, pooling):
    model = get_head(cls, pooling)
    variables = [v.value for v in model.trainable_variables]

    def step(inputs):
        with tf.GradientTape() as tape:
            loss = model(inputs).loss
        zero = tf.UnconnectedGradients.ZERO
        return loss, tape.gradient(loss, variables, unconnected_gradients=zero)

    inputs = {**documents(), **labels_for(cls)}
    inputs = {name: tf.constant(array) for name, array in inputs.items()}
    loss, gradients = step(inputs)
    compiled_loss, compiled = tf.function(step, jit_compile=True, autograph=False)(
        inputs
    )
    np.testing.assert_allclose(compiled_loss, loss, rtol=1e-5)
    for one, other in zip(gradients, compiled, strict=True):
        one, other = tf.convert_to_tensor(one), tf.convert_to_tensor(other)
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(("cls", "pooling"), HEADS)
def test_half_precision_is_finite_and_close(cls, pooling, policy):
    model = new_head(cls, pooling, options={"dtype": policy})
    inputs = documents()
    with tf.GradientTape() as tape:
        output = model({**inputs, **labels_for(cls)})
    assert output.loss.dtype == tf.float32
    full = get_head(cls, pooling)({**inputs, **labels_for(cls)}).loss
    np.testing.assert_allclose(output.loss, full, rtol=0.2)
    variables = [v.value for v in model.trainable_variables]
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(output.loss, variables, unconnected_gradients=zero)
    for gradient in gradients:
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()
    if pooling != "decoder":  # a document that is all padding
        inputs["attention_mask"][1] = 0
        assert np.isfinite(model(inputs)[0]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "pooling"), HEADS)
def test_files_keep_weights_and_pooling(cls, pooling, tmp_path):
    model = get_head(cls, pooling)
    expected = scores_of(model(documents()))
    model.save_pretrained(tmp_path / "checkpoint")
    model.save(tmp_path / "model.keras")
    for again in (
        cls.from_pretrained(tmp_path / "checkpoint"),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        assert type(again) is cls and again.pooling == pooling
        assert again.config.num_labels == 3
        np.testing.assert_array_equal(scores_of(again(documents())), expected)
    other = "decoder" if pooling != "decoder" else cls.poolings[1]
    again = cls.from_pretrained(tmp_path / "checkpoint", pooling=other)
    assert again.pooling == other


@pytest.mark.parametrize(("cls", "pooling"), HEADS)
def test_dummy_inputs(cls, pooling):
    model = get_head(cls, pooling)
    assert np.isfinite(scores_of(model(model.dummy_inputs))).all()
    assert set(model.input_signature) == {
        "input_ids",
        "attention_mask",
        "global_attention_mask",
    }


@pytest.mark.parametrize(("cls", "pooling"), WITHOUT_DECODER)
def test_embeddings_and_encoder_outputs_instead_of_ids(cls, pooling):
    model, inputs = get_head(cls, pooling), documents()
    expected = scores_of(model(inputs))
    ids = inputs.pop("input_ids")
    embeds = model.led.shared(ids)
    mine = scores_of(model(inputs_embeds=embeds, **inputs))
    np.testing.assert_allclose(mine, expected, atol=1e-5)
    encoded = model.get_encoder()(input_ids=ids, **inputs)
    for given in (encoded, encoded.to_tuple()):
        mine = scores_of(model(encoder_outputs=given, **inputs))
        np.testing.assert_allclose(mine, expected, atol=1e-5)


@pytest.mark.parametrize("cls", [Classifier, Answerer])
def test_a_tuple_instead_of_a_struct(cls):
    model = get_head(cls, "decoder")
    output = model(documents(), use_cache=False)
    plain = model(documents(), use_cache=False, return_dict=False)
    assert type(plain) is tuple and len(plain) == len(output)
    np.testing.assert_array_equal(plain[0], output[0])


@pytest.mark.parametrize(("cls", "pooling"), [HEADS[2], HEADS[3]])
def test_inside_a_functional_model(cls, pooling):
    model = get_head(cls, pooling)
    ids = keras.Input([None], dtype="int32")
    scores = list(model(ids).values())[0]
    functional = keras.Model(ids, scores)
    assert len(functional.trainable_variables) == len(model.trainable_variables)
    given = documents()["input_ids"]
    expected = list(model(input_ids=given).values())[0]
    np.testing.assert_allclose(functional(given), expected, atol=1e-5)


def test_a_larger_vocabulary_keeps_the_pooling():
    model = new_head(Classifier, "encoder_mean")
    expected = scores_of(model(documents()))
    model.resize_token_embeddings(31)
    assert model.pooling == "encoder_mean" and model.config.vocab_size == 31
    np.testing.assert_array_equal(scores_of(model(documents())), expected)


HEAD_KEYS = {
    Classifier: [
        f"classification_head.{layer}.{kind}"
        for layer in ("dense", "out_proj")
        for kind in ("bias", "weight")
    ],
    Answerer: ["qa_outputs.bias", "qa_outputs.weight"],
}


@pytest.mark.parametrize("cls", HEAD_KEYS)
@pytest.mark.parametrize("bare", [True, False])
def test_checkpoints_without_the_head(cls, bare, tmp_path):
    """The body is loaded, and what is new is told."""
    source = tf_led.TFLEDModel if bare else tf_led.TFLEDForConditionalGeneration
    body = source(tiny_config(**FIELDS))
    body.save_pretrained(tmp_path)
    with pytest.warns(UserWarning) as warned:
        head, report = cls.from_pretrained(tmp_path, output_loading_info=True)
    assert report["missing_keys"] == HEAD_KEYS[cls]
    assert report["unexpected_keys"] == ([] if bare else ["final_logits_bias"])
    assert HEAD_KEYS[cls][0] in str(warned[0].message)
    mine, theirs = (model.led.weights for model in (head, body))
    for one, other in zip(mine, theirs, strict=True):
        if "seed" not in one.path:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cls", HEAD_KEYS)
def test_a_heads_checkpoint_in_the_bare_model(cls, tmp_path):
    head = get_head(cls, "decoder")
    head.save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match=HEAD_KEYS[cls][0]):
        body, report = tf_led.TFLEDModel.from_pretrained(
            tmp_path, output_loading_info=True
        )
    assert report["unexpected_keys"] == HEAD_KEYS[cls]
    assert report["missing_keys"] == []
    for path, variable in body.weight_table().items():
        np.testing.assert_array_equal(variable, head.weight_table()[f"led/{path}"])
