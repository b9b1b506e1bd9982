"""Matching keys with variables: tied names, twins, other architectures, odd dtypes."""

import numpy as np
import pytest
import transformers
from safetensors.numpy import save_file

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.load import load_weights

EMBEDDINGS = "led.shared.weight"
TIED = [
    "led.encoder.embed_tokens.weight",
    "led.decoder.embed_tokens.weight",
    "lm_head.weight",
]
BART_SIZES = (
    "vocab_size",
    "d_model",
    "encoder_layers",
    "decoder_layers",
    "encoder_attention_heads",
    "decoder_attention_heads",
    "encoder_ffn_dim",
    "decoder_ffn_dim",
)


@pytest.mark.parametrize("number", range(8))
def test_any_subset_of_the_tied_names(write, state, variables, same, number):
    chosen = [key for i, key in enumerate(TIED) if number >> i & 1]
    path = write({key: state[EMBEDDINGS] for key in chosen})
    assert load_weights(variables, path).unexpected_keys == []
    same(variables)


@pytest.mark.parametrize("key", TIED)
def test_one_tied_name_alone_stands_for_the_shared_embeddings(
    write, state, variables, same, key
):
    path = write({EMBEDDINGS: None, key: state[EMBEDDINGS]})
    assert load_weights(variables, path).missing_keys == []
    same(variables)


@pytest.mark.parametrize("key", TIED)
def test_untied_embeddings_are_refused(write, state, variables, untouched, key):
    other = state[EMBEDDINGS].copy()
    other[17, 5] += 1e-3
    with pytest.raises(CheckpointError, match="untied") as caught:
        load_weights(variables, write({key: other}))
    assert EMBEDDINGS in str(caught.value) and key in str(caught.value)
    untouched(variables)


def test_tied_embeddings_with_nan_are_still_tied(write, state, variables):
    odd = state[EMBEDDINGS].copy()
    odd[3, 3] = np.nan
    with pytest.warns(UserWarning, match="1 weights with NaN or infinite numbers: "):
        load_weights(variables, write({EMBEDDINGS: odd, TIED[2]: odd}))
    assert np.isnan(variables["led/shared/embeddings"].numpy()[3, 3])


@pytest.mark.parametrize(
    ("key", "twin"),
    [
        (
            "led.encoder.layernorm_embedding.weight",
            "led.encoder.layernorm_embedding.gamma",
        ),
        ("led.decoder.layers.0.fc1.bias", "decoder.layers.0.fc1.bias"),
        ("led.shared.weight", "shared.weight"),
    ],
)
def test_one_weight_under_two_names(write, state, variables, untouched, key, twin):
    with pytest.raises(CheckpointError, match="holds one weight as") as caught:
        load_weights(variables, write({twin: state[key]}))
    assert f"`{key}`" in str(caught.value) and f"`{twin}`" in str(caught.value)
    untouched(variables)


@pytest.mark.parametrize("cls", ["BartForConditionalGeneration", "BartModel"])
def test_a_bart_of_the_same_sizes(torch_model, tmp_path, variables, untouched, cls):
    sizes = {key: getattr(torch_model.config, key) for key in BART_SIZES}
    config = transformers.BartConfig(**sizes, max_position_embeddings=30)
    bart = getattr(transformers, cls)(config)
    bart.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="holds no LED: it seems to be a BART"):
        load_weights(variables, tmp_path)
    untouched(variables)


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("bert.encoder.layer.0.attention.self.query.bias", "a BERT"),
        ("model/encoder/layers.0/self_attn/k_proj/kernel:0", "a BART"),
        ("fc.weight", "its weights are `fc.weight`"),
    ],
)
@pytest.mark.parametrize(
    "common",
    [
        {},
        {"shared.weight": np.ones((29, 12)), "final_logits_bias": np.ones((1, 29))},
        {"lm_head.weight": np.ones((29, 12))},
    ],
)
def test_another_architecture(tmp_path, variables, untouched, key, label, common):
    path = tmp_path / "model.safetensors"
    save_file({key: np.zeros(3), **common}, path)
    with pytest.raises(CheckpointError, match=f"holds no LED: .*{label}") as caught:
        load_weights(variables, path)
    assert str(path) in str(caught.value)
    untouched(variables)


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool"])
def test_quantised_weights_are_refused(write, state, variables, untouched, dtype):
    key = "led.encoder.layers.1.fc1.weight"
    with pytest.raises(CheckpointError, match=f"`{key}` is {dtype}"):
        load_weights(variables, write({key: state[key].astype(dtype)}))
    untouched(variables)


def test_integers_that_are_no_weights_are_only_unexpected(write, variables, same):
    with pytest.warns(UserWarning, match="num_batches_tracked"):
        load_weights(variables, write({"num_batches_tracked": np.arange(3)}))
    same(variables)
