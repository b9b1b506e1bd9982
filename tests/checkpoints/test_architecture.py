"""Foreign checkpoints, written by transformers' own classes, are recognised."""

import pytest
import transformers

from tf_led.checkpoints.architecture import describe, foreign_architecture

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
