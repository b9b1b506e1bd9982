"""PyTorch's names for LED's weights and ours: one table, its inverse derived from it.

A row is `PyTorch pattern: (our path, transform)`; `{}` stands for the layer number.
Names are those of the bare model. A model with a head puts `led.` (ours: `led/`) in
front of them and has the rows of `HEADS` beside them.
"""

import re

import numpy as np


def keep(array):
    """Ours is laid out as PyTorch's."""
    return array


def transpose(array):
    """PyTorch keeps kernels as [out, in], Keras as [in, out]. Its own inverse."""
    return np.transpose(array)


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


BODY = {
    **_embedding("shared"),
    **_embedding("encoder.embed_positions"),
    **_norm("encoder.layernorm_embedding"),
    **_encoder_layer(),
    **_embedding("decoder.embed_positions"),
    **_norm("decoder.layernorm_embedding"),
    **_decoder_layer(),
}
HEADS = {
    "final_logits_bias": ("final_logits_bias", keep),
    **_linear("classification_head.dense", "classification_head/dense"),
    **_linear("classification_head.out_proj", "classification_head/out_proj"),
    **_linear("qa_outputs", "qa_outputs"),
}
# Of a model with `tie_word_embeddings=False` only.
UNTIED = {
    **_embedding("encoder.embed_tokens"),
    **_embedding("decoder.embed_tokens"),
    "lm_head.weight": ("lm_head/kernel", transpose),
}
# To all other models these are further names of `shared`: a file may hold any of them,
# each equal to it.
TIED = tuple(UNTIED)
SHARED = "shared/embeddings"
# PyTorch's LED loads silently without these; they are then zeros.
ZERO_IF_ABSENT = ("final_logits_bias",)

_HEAD_PATHS = {ours for ours, _ in HEADS.values()}
_FROM_PYTORCH = BODY | HEADS
_TO_PYTORCH = {ours: (key, f) for key, (ours, f) in (_FROM_PYTORCH | UNTIED).items()}
_LAYER = re.compile(r"(?<=layers[./])(0|[1-9][0-9]{0,5})(?=[./])")
_OLD_SUFFIX = {"gamma": "weight", "beta": "bias"}


def bare(name):
    """Returns a name, PyTorch's or ours, as the bare model has it: without `led`."""
    return name[4:] if name[:4] in ("led.", "led/") else name


def to_ours(key):
    """Finds our path for one of PyTorch's names.

    Args:
        key: str, a key of a state dict, with or without `led.`; `gamma` and `beta`,
            which old files have for `weight` and `bias` of a norm, are understood.

    Returns:
        (path, transform), the path without `led/`; None if LED has no such weight. The
        tied names (`lm_head.weight`, ...) lead to the shared embeddings.

    Example:
        >>> from tf_led.checkpoints.names.pytorch import to_ours
        >>> to_ours("led.encoder.layers.3.fc1.weight")[0]
        'encoder/layers/3/fc1/kernel'
    """
    name = bare(key)
    if name in TIED:
        return SHARED, keep
    if name != key and name in HEADS:  # `led.final_logits_bias` is nobody's name
        return None
    return _look_up(name, _FROM_PYTORCH) or _look_up(_modern(name), _FROM_PYTORCH)


def to_pytorch(path):
    """Finds PyTorch's name for one of our paths.

    Args:
        path: str, with or without `led/`.

    Returns:
        (key, transform), the key with `led.` where the path has `led/`; None if the
        path is not one of LED's.

    Example:
        >>> from tf_led.checkpoints.names.pytorch import to_pytorch
        >>> to_pytorch("led/encoder/layers/3/fc1/kernel")[0]
        'led.encoder.layers.3.fc1.weight'
    """
    row = _look_up(bare(path), _TO_PYTORCH)
    if row and bare(path) != path:
        return f"led.{row[0]}", row[1]
    return row


def is_telling(path):
    """Whether a weight under this path of ours says that the model is a LED."""
    return bare(path) != SHARED and path not in _HEAD_PATHS


def _look_up(name, table):
    number = _LAYER.search(name)
    row = table.get(_LAYER.sub("{}", name, count=1))
    if row is None or ("{}" in row[0]) != (number is not None):
        return None
    return row[0].replace("{}", number[0] if number else ""), row[1]


def _modern(name):
    """Puts today's suffix on a norm's weight of an old file."""
    stem, _, last = name.rpartition(".")
    is_norm = "layer_norm" in stem or "layernorm" in stem
    return f"{stem}.{_OLD_SUFFIX.get(last, last)}" if is_norm else name
