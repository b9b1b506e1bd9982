"""The names of LED's weights: PyTorch's names beside our paths, one row each."""

from tf_led.checkpoints.names import allenai, tensorflow
from tf_led.checkpoints.names.table import NameTable, keep, transpose


def _linear(source, ours):
    return {
        f"{source}.weight": (f"{ours}/kernel", transpose),
        f"{source}.bias": (f"{ours}/bias", keep),
    }


def _norm(name):
    ours = name.replace(".", "/")
    return {
        f"{name}.weight": (f"{ours}/gamma", keep),
        f"{name}.bias": (f"{ours}/beta", keep),
    }


def _embedding(name):
    return {f"{name}.weight": (f"{name.replace('.', '/')}/embeddings", keep)}


def _encoder_layer(source="encoder.layers.{}", ours="encoder/layers/{}"):
    rows = _linear(f"{source}.self_attn.output", f"{ours}/self_attn/output")
    for part in ("query", "key", "value", "query_global", "key_global", "value_global"):
        inner = f"{source}.self_attn.longformer_self_attn.{part}"
        rows |= _linear(inner, f"{ours}/self_attn/{part}")
    for part in ("fc1", "fc2"):
        rows |= _linear(f"{source}.{part}", f"{ours}/{part}")
    for part in ("self_attn_layer_norm", "final_layer_norm"):
        rows |= _norm(f"{source}.{part}")
    return rows


def _decoder_layer(source="decoder.layers.{}", ours="decoder/layers/{}"):
    rows = {}
    for attention in ("self_attn", "encoder_attn"):
        rows |= _norm(f"{source}.{attention}_layer_norm")
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            inner = f"{source}.{attention}.{part}"
            rows |= _linear(inner, f"{ours}/{attention}/{part}")
    for part in ("fc1", "fc2"):
        rows |= _linear(f"{source}.{part}", f"{ours}/{part}")
    return rows | _norm(f"{source}.final_layer_norm")


LED_NAMES = NameTable(
    model="LED",
    prefix="led",
    body={
        **_embedding("shared"),
        **_embedding("encoder.embed_positions"),
        **_norm("encoder.layernorm_embedding"),
        **_encoder_layer(),
        **_embedding("decoder.embed_positions"),
        **_norm("decoder.layernorm_embedding"),
        **_decoder_layer(),
    },
    heads={
        "final_logits_bias": ("final_logits_bias", keep),
        **_linear("classification_head.dense", "classification_head/dense"),
        **_linear("classification_head.out_proj", "classification_head/out_proj"),
        **_linear("qa_outputs", "qa_outputs"),
    },
    shared="shared/embeddings",
    untied={
        **_embedding("encoder.embed_tokens"),
        **_embedding("decoder.embed_tokens"),
        "lm_head.weight": ("lm_head/kernel", transpose),
    },
    # PyTorch's LED loads without a warning where this is missing.
    zero_if_absent=("final_logits_bias",),
    dialects=(tensorflow.DIALECT, allenai.DIALECT),
    keras_models={
        "final_logits_bias": "tfled_for_conditional_generation",
        "classification_head": "tfled_for_sequence_classification",
        "qa_outputs": "tfled_for_question_answering",
        "": "tfled_model",
    },
)
