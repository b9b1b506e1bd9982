"""Rows of ids as the model's inputs."""

import numpy as np
import tensorflow as tf

from tf_led.data.batching import stack


def make_inputs(rows, global_masks, tokenizer, model):
    """Pads rows on the right and stacks them.

    Args:
        rows: list of B int[S].
        global_masks: list of B bool[S].
        tokenizer: whose padding token fills rows up; where it has none, the model's.
        model: a model of this package.

    Returns:
        Dict of `input_ids`, `attention_mask` and `global_attention_mask`, int32[B, S].
    """
    pad = tokenizer.pad_token_id
    pad = model.config.pad_token_id if pad is None else pad
    length = max(map(len, rows))
    arrays = {
        "input_ids": stack(rows, length, pad),
        "attention_mask": stack([np.ones(len(row)) for row in rows], length, 0),
        "global_attention_mask": stack(global_masks, length, 0),
    }
    return {name: tf.constant(array) for name, array in arrays.items()}
