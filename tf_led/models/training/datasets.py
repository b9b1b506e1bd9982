"""`prepare_tf_dataset` for every model."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_led.data.hf_dataset import make_tf_dataset
from tf_led.utils.annotations import Tokenizer

# What a call takes that is not one row for every example of a batch.
NOT_COLUMNS = {
    "head_mask",
    "decoder_head_mask",
    "cross_attn_head_mask",
    "encoder_outputs",
    "past_key_values",
    "use_cache",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "training",
}


def prepare_tf_dataset(
    model,
    dataset: Any,
    batch_size: int = 8,
    shuffle: bool = True,
    tokenizer: Tokenizer | None = None,
    collate_fn: Callable[..., Any] | None = None,
    collate_fn_args: dict[str, Any] | None = None,
    drop_remainder: bool | None = None,
    prefetch: bool = True,
) -> tf.data.Dataset:
    """Batches a Hugging Face dataset for `fit`, `evaluate` and `predict`.

    Columns that the model's call does not take are dropped. Without `collate_fn`
    the others are padded to the longest example of the batch: ids with the padding
    token, labels with -100, `attention_mask` (made where there is none) with 0 and
    `global_attention_mask` with -1.

    Args:
        dataset: `datasets.Dataset` of tokenized examples.
        batch_size: int.
        shuffle: bool, whether every epoch has an order of its own.
            `tf.random.set_seed` makes these orders repeat from run to run.
        tokenizer: whose padding token and side to use; by default the config's
            token, on the right. A `collate_fn` pads as it likes.
        collate_fn: callable from a list of examples to a dict of arrays [B, ...],
            for instance a data collator of transformers, or None.
        collate_fn_args: dict of further arguments of `collate_fn`, or None.
        drop_remainder: bool, whether to leave out the last examples where they are
            fewer than `batch_size`; None for the value of `shuffle`.
        prefetch: bool, whether the next batch is made while one is in use.

    Returns:
        `tf.data.Dataset` of (inputs, labels): a dict from name to int64[B, ...] or
        float32[B, ...], and the labels, a dict by name where the model has several. Of
        the inputs alone where there are no labels.

    Raises:
        ImportError: if `datasets` is not installed.
        TypeError: if `dataset` is not a `datasets.Dataset`.
        ValueError: if there is nothing to batch or no column to use, or on an
            argument that does not fit.

    Source: transformers 4.57, method of this name.

    Example:
        >>> import datasets
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> rows = {"input_ids": [[0, 5, 7, 2], [0, 9, 2]], "labels": [[5], [9, 2]]}
        >>> dataset = datasets.Dataset.from_dict(rows)
        >>> batches = model.prepare_tf_dataset(dataset, batch_size=2)
        >>> inputs, labels = batches.element_spec
        >>> sorted(inputs), labels.dtype
        (['attention_mask', 'input_ids'], tf.int64)
    """
    accepted = set(inspect.signature(model.call).parameters) - NOT_COLUMNS
    batches = make_tf_dataset(
        dataset,
        accepted,
        pad_token_id=model.config.pad_token_id,
        batch_size=batch_size,
        shuffle=shuffle,
        tokenizer=tokenizer,
        collate_fn=collate_fn,
        collate_fn_args=collate_fn_args,
        drop_remainder=drop_remainder,
        prefetch=False,
    )
    names = [name for name in model.label_names if name in batches.element_spec]
    if names:
        batches = batches.map(functools.partial(_split_labels, names))
    return batches.prefetch(tf.data.AUTOTUNE) if prefetch else batches


def _split_labels(names, batch):
    """(inputs, labels), the labels by name where there are several."""
    inputs = {name: batch[name] for name in batch if name not in names}
    if len(names) == 1:
        return inputs, batch[names[0]]
    return inputs, {name: batch[name] for name in names}
