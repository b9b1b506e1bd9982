"""PyTorch's LED beside ours, with the same random weights of large spread."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import torch
from transformers import LEDForConditionalGeneration

import tf_led
from tf_led.testing import spread_weights, tiny_config

# Layouts that PyTorch can run: the largest window is a multiple of each, none is 2, and
# the number of positions is a multiple of the largest window.
LAYOUTS = {
    "one_window": {"attention_window": 4, "activation_function": "silu"},
    "falling_windows": {"attention_window": [8, 4], "encoder_attention_heads": 4},
    "wide_heads": {
        "d_model": 22,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 11,
        "attention_window": [4, 8],
        "activation_function": "relu",
    },
    "many_heads": {
        "d_model": 21,
        "encoder_attention_heads": 7,
        "attention_window": [6, 12, 4],
        "encoder_layers": 3,
        "decoder_layers": 1,
        "activation_function": "gelu_new",
    },
    "window_of_all": {
        "encoder_attention_heads": 1,
        "decoder_attention_heads": 6,
        "attention_window": 48,
        "encoder_layers": 1,
        "decoder_layers": 3,
    },
}


# What every run of ours is given; masks are filled in where a test gives none.
INPUTS = (
    "input_ids",
    "attention_mask",
    "global_attention_mask",
    "decoder_input_ids",
    "decoder_attention_mask",
)
CACHES = {"past_key_values", "cache"}  # transformers to 5.23, and from 5.24 on
EVERYTHING = {"output_attentions": True, "output_hidden_states": True}


class Pair(NamedTuple):
    """One set of weights: PyTorch's model, ours, and the arrays by PyTorch's names.

    `run` is our model as a graph that returns everything, traced once for all shapes:
    called eagerly, a model as small as this spends its time in TensorFlow's overhead.
    """

    theirs: LEDForConditionalGeneration
    ours: Any
    weights: dict
    run: Any

    @property
    def config(self):
        return self.ours.config

    @property
    def max_len(self):
        return self.config.max_encoder_position_embeddings


def make_config(layout):
    # 48 is a multiple of every window above.
    return tiny_config(**{"max_encoder_position_embeddings": 48, **layout})


def make_pair(layout, directory, seed=0):
    """Writes a checkpoint with PyTorch and reads it with ours."""
    weights = spread_weights(make_config(layout), seed)
    theirs = make_theirs(make_config(layout), weights)
    theirs.save_pretrained(directory)
    ours = tf_led.TFLEDForConditionalGeneration.from_pretrained(directory)
    return Pair(theirs, ours, weights, compile_run(ours))


def make_theirs(config, weights):
    """PyTorch's model with weights by its names, the tied ones given once."""
    theirs = LEDForConditionalGeneration(config).eval()
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    missing = theirs.load_state_dict(tensors, strict=False)
    assert not missing.unexpected_keys
    theirs.tie_weights()
    return theirs


def run_theirs(pair, inputs, **options):
    """PyTorch's outputs as arrays.

    Global attention probabilities are in our form (see docs/parity.md).
    """
    tensors = {name: torch.tensor(array) for name, array in inputs.items()}
    with torch.no_grad():
        outputs = pair.theirs(**tensors, **options)
    fields = to_arrays(outputs)
    global_probs = fields.get("encoder_global_attentions")
    if global_probs is not None:
        used = used_global_indices(inputs)[:, None, None]
        length = source_mask(inputs).shape[1]
        fields["encoder_global_attentions"] = tuple(
            np.where(used, layer[:, :, :length], 0) for layer in global_probs
        )
    return fields


def compile_run(model, head_masks=()):
    """Traces a model once for all inputs; `head_masks` names those that it gets too."""
    signature = {name: tf.TensorSpec([None, None], tf.int32, name) for name in INPUTS}
    signature |= {
        name: tf.TensorSpec([None, None], tf.float32, name) for name in head_masks
    }
    # AutoGraph has nothing to convert, and looks for it everywhere.
    return tf.function(
        lambda inputs: model(inputs, **EVERYTHING),
        input_signature=[signature],
        autograph=False,
    )


def run_ours(pair, inputs):
    """Our outputs as arrays, from the graph, with every mask given."""
    ids, decoder_ids = inputs["input_ids"], inputs["decoder_input_ids"]
    filled = {
        "attention_mask": np.ones_like(ids),
        "global_attention_mask": np.zeros_like(ids),
        "decoder_attention_mask": np.ones_like(decoder_ids),
        **inputs,
    }
    return to_arrays(pair.run(to_tensors(filled)))


def run_eagerly(pair, inputs, **options):
    """Our outputs as arrays, called as a user would."""
    return to_arrays(pair.ours(inputs, **options))


def to_tensors(inputs):
    return {
        name: tf.constant(array, tf.float32 if "head" in name else tf.int32)
        for name, array in inputs.items()
    }


def to_arrays(outputs):
    return {
        name: _to_numpy(value) for name, value in outputs.items() if name not in CACHES
    }


def _to_numpy(value):
    if isinstance(value, tuple | list):
        return tuple(_to_numpy(entry) for entry in value)
    return np.asarray(value)


def source_mask(inputs):
    """bool[B, S]: the tokens whose rows count."""
    tokens = inputs.get("input_ids", inputs.get("inputs_embeds"))
    default = np.ones(tokens.shape[:2], int)
    return inputs.get("attention_mask", default) > 0


def target_mask(inputs, length):
    """bool[B, T]: the decoder's tokens whose rows count."""
    default = np.ones([len(source_mask(inputs)), length], int)
    mask = inputs.get("decoder_attention_mask", default) > 0
    # Rows of a document that is all padding have nothing to look at.
    return mask & source_mask(inputs).any(axis=1, keepdims=True)


def used_global_indices(inputs):
    """bool[B, G]: which global token positions a row uses."""
    is_real = source_mask(inputs)
    mask = inputs.get("global_attention_mask", np.zeros(is_real.shape, int))
    counts = ((mask > 0) & is_real).sum(axis=1)
    return np.arange(counts.max()) < counts[:, None]
