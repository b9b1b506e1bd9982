"""Foreign checkpoints, written by transformers' own classes, are recognised."""

import numpy as np
import pytest
import transformers
from safetensors.numpy import save_file

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.load import load_weights
from tf_led.checkpoints.names.match import describe, foreign_architecture

TINY = {"vocab_size": 11, "max_position_embeddings": 8}
BART = {
    **TINY,
    "d_model": 6,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 1,
    "decoder_attention_heads": 1,
    "encoder_ffn_dim": 5,
    "decoder_ffn_dim": 5,
}
BERT = {
    **TINY,
    "hidden_size": 6,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 5,
    "pad_token_id": 1,
}
T5 = {
    "vocab_size": 11,
    "d_model": 6,
    "d_kv": 3,
    "d_ff": 5,
    "num_layers": 1,
    "num_heads": 2,
}
GPT2 = {"vocab_size": 11, "n_positions": 8, "n_embd": 6, "n_layer": 1, "n_head": 1}
LLAMA = {**BERT, "num_key_value_heads": 1}
FOREIGN = [
    ("BartForConditionalGeneration", BART, "BART"),
    ("BartModel", BART, "BART"),
    ("BertModel", BERT, "BERT"),
    ("RobertaForMaskedLM", BERT, "BERT or RoBERTa"),
    ("LongformerModel", {**BERT, "attention_window": [2]}, "Longformer"),
    ("T5ForConditionalGeneration", T5, "T5"),
    ("GPT2LMHeadModel", GPT2, "GPT-2"),
    ("LlamaForCausalLM", LLAMA, "Llama"),
]


@pytest.fixture(scope="session")
def keys_of():
    def make(name, options):
        cls = getattr(transformers, name)
        return list(cls(cls.config_class(**options)).state_dict())

    return make


@pytest.mark.parametrize(("name", "options", "label"), FOREIGN)
def test_transformers_models(keys_of, name, options, label):
    assert label in foreign_architecture(keys_of(name, options))


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("model/encoder/layers.0/self_attn/k_proj/kernel:0", "BART"),
        ("tf_bert/bert/encoder/layer_._0/attention/self/query/bias:0", "BERT"),
        ("base_model.model.led.decoder.layers.0.fc1.lora_A.weight", "LoRA"),
    ],
)
def test_other_tellings(key, label):
    assert label in foreign_architecture([key])


def test_leds_own_names_give_nothing_away(torch_model):
    keys = list(torch_model.state_dict()) + list(torch_model.led.state_dict())
    assert foreign_architecture(keys) is None
    heads = ["classification_head.dense.weight", "qa_outputs.bias"]
    assert foreign_architecture(heads) is None


def test_the_unknown_is_described_by_its_names():
    assert describe(["conv1.weight", "fc.bias"]) == (
        "its weights are `conv1.weight`, `fc.bias`"
    )
    assert describe([f"w{i}" for i in range(9)]).endswith("`w2` and 6 more")


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
def test_untied_embeddings_are_errors(write, state, variables, untouched, key):
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
def test_quantised_weights_are_errors(write, state, variables, untouched, dtype):
    key = "led.encoder.layers.1.fc1.weight"
    with pytest.raises(CheckpointError, match=f"`{key}` is {dtype}"):
        load_weights(variables, write({key: state[key].astype(dtype)}))
    untouched(variables)


def test_integers_that_are_no_weights_are_only_unexpected(write, variables, same):
    with pytest.warns(UserWarning, match="num_batches_tracked"):
        load_weights(variables, write({"num_batches_tracked": np.arange(3)}))
    same(variables)
