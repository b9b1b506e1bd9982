from types import SimpleNamespace

import keras
import numpy as np
import pytest
from transformers import LEDForConditionalGeneration

import tf_led
from tf_led.testing import dense_led_forward, fill_spread, spread_weights, tiny_config

IDS = np.random.default_rng(3).integers(3, 29, [2, 23])


def test_config_takes_overrides():
    config = tiny_config(attention_window=[6, 10], my_own_field="kept")
    assert config.attention_window == [6, 10]
    assert (config.vocab_size, config.d_model, config.my_own_field) == (29, 12, "kept")


def test_names_and_shapes_are_pytorchs():
    config = tiny_config(
        encoder_layers=3, encoder_attention_heads=2, max_decoder_position_embeddings=13
    )
    theirs = LEDForConditionalGeneration(config).state_dict()
    tied = {"led.encoder.embed_tokens.weight", "led.decoder.embed_tokens.weight"}
    expected = {
        name: tuple(tensor.shape)
        for name, tensor in theirs.items()
        if name not in tied | {"lm_head.weight"}
    }
    assert {n: a.shape for n, a in spread_weights(config).items()} == expected


def test_the_seed_decides():
    config = tiny_config()
    first, again, other = (spread_weights(config, seed) for seed in (0, 0, 1))
    for name, array in first.items():
        assert array.dtype == "float32"
        np.testing.assert_array_equal(array, again[name])
        assert not np.array_equal(array, other[name])


def test_attention_is_far_from_uniform():
    config = tiny_config()
    probs = dense_led_forward(spread_weights(config), config, IDS)
    peaks = [m.max(axis=-1).mean() for m in probs["encoder_attentions"]]
    assert min(peaks) > 0.5  # uniform: 0.2, for a window of 5
    peaks = [m.max(axis=-1).mean() for m in probs["cross_attentions"]]
    assert min(peaks) > 0.15  # uniform: 0.04, for 23 tokens


def test_the_output_depends_on_the_document_and_the_global_mask():
    config = tiny_config()
    weights = spread_weights(config)

    def logits(ids, mask=None):
        return dense_led_forward(
            weights,
            config,
            ids,
            decoder_input_ids=np.array([[2, 7, 5]] * 2),
            global_attention_mask=mask,
        )["logits"]

    mask = np.zeros_like(IDS)
    mask[:, 0] = 1
    base = logits(IDS)
    assert np.abs(logits(IDS[:, ::-1]) - base).max() > 0.5
    assert np.abs(logits(IDS, mask) - base).max() > 0.5


def make_model(**paths):
    table = {path: keras.Variable(np.zeros(shape)) for path, shape in paths.items()}
    return SimpleNamespace(config=tiny_config(), weight_table=lambda: table)


def test_fills_a_model_through_its_table():
    model = make_model(**{
        "led/shared/embeddings": (29, 12),
        "led/encoder/layers/1/self_attn/query_global/kernel": (12, 12),
        "led/encoder/layers/1/self_attn/output/kernel": (12, 12),
        "led/encoder/layers/1/fc1/kernel": (12, 17),
        "led/decoder/layers/0/self_attn/q_proj/bias": (12,),
        "led/decoder/layernorm_embedding/gamma": (12,),
        "led/decoder/layernorm_embedding/beta": (12,),
        "final_logits_bias": (1, 29),
    })  # fmt: skip
    weights = fill_spread(model, seed=5)
    layer = "led.encoder.layers.1."
    expected = [
        weights["led.shared.weight"],
        weights[layer + "self_attn.longformer_self_attn.query_global.weight"].T,
        weights[layer + "self_attn.output.weight"].T,
        weights[layer + "fc1.weight"].T,
        weights["led.decoder.layers.0.self_attn.q_proj.bias"],
        weights["led.decoder.layernorm_embedding.weight"],
        weights["led.decoder.layernorm_embedding.bias"],
        weights["final_logits_bias"],
    ]
    for variable, array in zip(model.weight_table().values(), expected, strict=True):
        np.testing.assert_array_equal(variable, array)


def test_fills_a_bare_model():
    model = make_model(**{"shared/embeddings": (29, 12)})
    weights = fill_spread(model)
    (shared,) = model.weight_table().values()
    np.testing.assert_array_equal(shared, weights["led.shared.weight"])


def test_rejects_a_foreign_weight():
    with pytest.raises(ValueError, match="'led/pooler/kernel'"):
        fill_spread(make_model(**{"led/pooler/kernel": (12, 12)}))


def test_other_heads_are_filled_too():
    config = tiny_config(num_labels=5)
    model = tf_led.TFLEDForSequenceClassification(config)
    weights = fill_spread(model, seed=3)
    body = spread_weights(config, seed=3)
    for name, array in body.items():
        np.testing.assert_array_equal(weights[name], array)
    head = [f"classification_head.{layer}" for layer in ("dense", "out_proj")]
    names = {f"{layer}.{kind}" for layer in head for kind in ("weight", "bias")}
    assert set(weights) - set(body) == names
    kernel = model.classification_head.out_proj.kernel
    np.testing.assert_array_equal(kernel, weights[f"{head[1]}.weight"].T)
    assert kernel.shape == (12, 5) and np.std(kernel) > 0.2
