"""A Hugging Face dataset as a `tf.data.Dataset` of batches."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tf_led.data.collate import PaddingCollator
from tf_led.utils.versions import rows_format

# Other names under which datasets hold labels.
LABEL_NAMES = ("label", "label_ids")
DOCUMENTS = ("input_ids", "inputs_embeds")


def make_tf_dataset(
    dataset,
    accepted,
    *,
    pad_token_id,
    batch_size=8,
    shuffle=True,
    tokenizer=None,
    collate_fn=None,
    collate_fn_args=None,
    drop_remainder=None,
    prefetch=True,
):
    """Batches a Hugging Face dataset, keeping only the columns that a model takes.

    Args:
        dataset: `datasets.Dataset` of tokenized examples, in any format; a transform
            set on it is applied.
        accepted: names of the columns to keep. `label` and `label_ids` count as
            `labels`.
        pad_token_id: int, for ids where there is no `tokenizer`.
        batch_size: int.
        shuffle: bool, whether every pass goes through the examples in an order of its
            own. `tf.random.set_seed` makes these orders repeat from run to run.
        tokenizer: whose padding token and side to use, or None.
        collate_fn: callable from a list of examples to a dict of arrays [B, ...], to
            use instead of `PaddingCollator`, or None.
        collate_fn_args: dict of further arguments of `collate_fn`, or None.
        drop_remainder: bool, whether to leave out the last examples where they are
            fewer than `batch_size`; None for the value of `shuffle`.
        prefetch: bool, whether the next batch is made while one is in use.

    Returns:
        `tf.data.Dataset` of dicts from name to int64[B, ...] or float32[B, ...].

    Raises:
        ImportError: if `datasets` is not installed.
        TypeError: if `dataset` is not a `datasets.Dataset`, or `collate_fn` returns no
            dict.
        ValueError: if there is nothing to batch or no column to use, or on an argument
            that does not fit.

    Example:
        >>> import datasets
        >>> from tf_led.data.hf_dataset import make_tf_dataset
        >>> rows = datasets.Dataset.from_dict({"input_ids": [[0, 5, 2], [0, 2]]})
        >>> batches = make_tf_dataset(
        ...     rows, ["input_ids"], pad_token_id=1, batch_size=2, shuffle=False
        ... )
        >>> next(iter(batches))["input_ids"].numpy().tolist()
        [[0, 5, 2], [0, 2, 1]]
    """
    _check_dataset(dataset)
    drop_remainder = shuffle if drop_remainder is None else drop_remainder
    _check_sizes(len(dataset), batch_size, drop_remainder)
    collate = _choose_collator(collate_fn, collate_fn_args, tokenizer, pad_token_id)
    source = _Source(dataset, set(accepted), collate)
    specs = _batch_specs(source, batch_size if drop_remainder else None)
    batches = tf.data.Dataset.range(len(dataset))
    if shuffle:
        batches = batches.shuffle(len(dataset))
    batches = batches.batch(batch_size, drop_remainder=drop_remainder)
    batches = batches.map(lambda rows: _fetch_in_graph(source, rows, specs))
    return batches.prefetch(tf.data.AUTOTUNE) if prefetch else batches


class _Source:
    """Reads rows of a dataset and collates them."""

    def __init__(self, dataset, accepted, collate):
        self.accepted = accepted
        self.collate = collate
        self.columns = dataset.column_names
        self.dataset = dataset
        if dataset.format["type"] != "custom":  # a transform, which may make columns
            kept = list(self._keep(dict.fromkeys(self.columns), renamed=False))
            self.dataset = dataset.select_columns(kept).with_format(rows_format())

    def read(self, rows):
        """Makes the batch of some rows: dict from accepted name to array."""
        columns = self._keep(self.dataset[rows])
        self._check_columns(columns)
        examples = [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
        batch = self.collate(examples)
        if not isinstance(batch, Mapping):
            raise TypeError(
                f"`collate_fn` must return a dict of arrays, got "
                f"{type(batch).__name__}."
            )
        batch = {name: np.asarray(array) for name, array in self._keep(batch).items()}
        self._check_columns(batch)
        return batch

    def _keep(self, columns, renamed=True):
        """The columns that the model takes, labels by the name it has for them."""
        kept = {name: columns[name] for name in columns if name in self.accepted}
        for alias in LABEL_NAMES:
            if alias in columns and "labels" in self.accepted - set(kept):
                kept["labels" if renamed else alias] = columns[alias]
        return kept

    def _check_columns(self, columns):
        if not set(columns) & set(DOCUMENTS) & self.accepted:
            raise ValueError(
                f"`dataset` has the columns {', '.join(map(repr, self.columns))}, of "
                f"which the model takes {', '.join(map(repr, columns)) or 'none'}: "
                "there is no `input_ids` or `inputs_embeds`. Tokenize first, for "
                "instance with dataset.map(tokenizer, input_columns=...)."
            )


def _choose_collator(collate_fn, collate_fn_args, tokenizer, pad_token_id):
    if collate_fn is not None:
        options = collate_fn_args or {}
        return lambda examples: collate_fn(examples, **options)
    if collate_fn_args:
        raise ValueError(
            f"`collate_fn_args` is {collate_fn_args!r} without a `collate_fn` to give "
            "them to."
        )
    if tokenizer is None:
        return PaddingCollator(pad_token_id)
    if tokenizer.pad_token_id is None:
        raise ValueError(
            f"`tokenizer` ({type(tokenizer).__name__}) has no padding token: set "
            "tokenizer.pad_token."
        )
    return PaddingCollator(tokenizer.pad_token_id, tokenizer.padding_side)


def _batch_specs(source, batch_size):
    """Shapes and dtypes of a batch, from one of the first examples."""
    specs = {}
    num_rows = min(2, len(source.dataset))
    for name, array in source.read(list(range(num_rows))).items():
        if array.ndim == 0 or len(array) != num_rows:
            raise ValueError(
                f"`collate_fn` made `{name}` of shape {list(array.shape)} out of "
                f"{num_rows} examples; its first axis must be theirs."
            )
        is_float = array.dtype.kind == "f"
        shape = [batch_size, *[None] * (array.ndim - 1)]
        if array.ndim > 2 and is_float:  # embeddings: their width is the model's
            shape[-1] = array.shape[-1]
        dtype = tf.float32 if is_float else tf.int64
        specs[name] = tf.TensorSpec(shape, dtype, name)
    return specs


def _fetch_in_graph(source, rows, specs):
    def fetch(rows):
        batch = source.read(rows.tolist())
        return [_cast(name, batch.get(name), spec) for name, spec in specs.items()]

    dtypes = [spec.dtype for spec in specs.values()]
    arrays = tf.numpy_function(fetch, [rows], dtypes)
    return {
        name: tf.ensure_shape(array, spec.shape)
        for array, (name, spec) in zip(arrays, specs.items(), strict=True)
    }


def _cast(name, array, spec):
    if array is None or (array.dtype.kind == "f" and spec.dtype.is_integer):
        got = "nothing" if array is None else f"{array.dtype} values"
        raise ValueError(
            f"`{name}` holds {spec.dtype.name} values in the first batch and {got} in "
            "a later one. Look for missing values in the dataset."
        )
    return array.astype(spec.dtype.as_numpy_dtype)


def _check_dataset(dataset):
    try:
        import datasets
    except ImportError:
        raise ImportError(
            "prepare_tf_dataset reads datasets of the library `datasets`, which is not "
            "installed: pip install datasets. Without it, build a tf.data.Dataset."
        ) from None
    if isinstance(dataset, datasets.Dataset):
        return
    hint = "Tokenize the examples and give the `datasets.Dataset`."
    if isinstance(dataset, datasets.DatasetDict):
        hint = f"Choose one of its splits, {', '.join(map(repr, dataset))}."
    raise TypeError(
        f"`dataset` must be a datasets.Dataset, got {type(dataset).__name__}. {hint}"
    )


def _check_sizes(num_rows, batch_size, drop_remainder):
    is_int = isinstance(batch_size, (int, np.integer))
    if not is_int or isinstance(batch_size, bool) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be an int of at least 1, got {batch_size}."
        )
    if num_rows == 0:
        raise ValueError("`dataset` has no rows: there is nothing to batch.")
    if drop_remainder and num_rows < batch_size:
        raise ValueError(
            f"`dataset` has {num_rows} rows, fewer than `batch_size` {batch_size}, and "
            "the remainder is dropped (`drop_remainder`, which is `shuffle` unless "
            "given): no batch is left. Give drop_remainder=False or smaller batches."
        )
