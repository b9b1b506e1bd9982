"""A `tf.data.Dataset` of batches for `fit`, from whatever holds the examples."""

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tf_led.data.batching import NAMES, BatchMaker, BatchPlan
from tf_led.data.encode import encode_examples
from tf_led.data.global_attention_rules import choose_rule
from tf_led.data.records import Keys
from tf_led.utils.annotations import PathLike, Tokenizer

if TYPE_CHECKING:
    from transformers import LEDConfig


def make_dataset(
    examples: PathLike | Iterable[Any],
    tokenizer: Tokenizer,
    *,
    batch_size: int,
    max_source_length: int | None = None,
    max_target_length: int | None = None,
    config: "LEDConfig | None" = None,
    source_prefix: str = "",
    document_key: str = "document",
    summary_key: str | None = "summary",
    question_key: str | None = None,
    separator: str | None = None,
    global_tokens: str | Callable[[np.ndarray], Any] = "first",
    pad_to_multiple_of: int = 1,
    pad_labels_to_multiple_of: int = 1,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = False,
    num_shards: int = 1,
    shard: int = 0,
    cache_dir: PathLike | None = None,
    strict: bool = False,
) -> tf.data.Dataset:
    r"""Tokenises examples, groups them by length and pads them into batches.

    Args:
        examples: path of a JSONL file, or an iterable of dicts, as a Hugging Face
            dataset has them, or of (document, summary) pairs.
        tokenizer: LEDTokenizerFast.
        batch_size: int, of all workers together.
        max_source_length: int, tokens of a document, special ones included; what is
            beyond is cut. None for as many as the model of `config` has positions.
        max_target_length: int, the same for a summary.
        config: LEDConfig of the model, needed for lengths that are not given.
        source_prefix: str, put before every document.
        document_key: str, where in a record the document is.
        summary_key: str, where the summary is, or None: there are no labels then.
        question_key: str, where the question is, which is put before the document; or
            None.
        separator: str, a token put between documents where there is a list of them.
        global_tokens: "first", "question", "separators" (which includes the first), or
            a callable from int[S] to bool[S]: the tokens that see the whole document.
        pad_to_multiple_of: int, such as the model's attention window: documents are
            padded to one of a few lengths.
        pad_labels_to_multiple_of: int, the same for labels.
        shuffle: bool, whether each pass goes through the examples in an order of its
            own, documents of similar length together.
        seed: int; the same one gives the same orders, pass by pass.
        drop_remainder: bool, whether to leave out a last batch that is not full.
        num_shards: int, how many workers share each batch.
        shard: int, which of them this is.
        cache_dir: folder to keep the ids in, and to read them from when the same data,
            tokenizer and limits come again.
        strict: bool, whether the first bad record is an error; otherwise bad records
            are left out, with a warning each.

    Returns:
        `tf.data.Dataset` of dicts of int32[B, S] (`input_ids`, `attention_mask`,
        `global_attention_mask`) and int32[B, T] (`labels`, padded with -100; absent if
        `summary_key` is None).

    Raises:
        DataError: if no example is left, or on a bad record if `strict`; it names file,
            line and reason.
        OSError: if a file cannot be read or written.
        ValueError: on an argument that does not fit.

    Example:
        >>> from tf_led import LEDTokenizerFast
        >>> from tf_led.data import make_dataset
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> batches = make_dataset(
        ...     [("aaaa", "a"), ("a", "aa")],
        ...     LEDTokenizerFast(vocab, []),
        ...     batch_size=2,
        ...     max_source_length=7,
        ...     max_target_length=5,
        ...     shuffle=False,
        ... )
        >>> next(iter(batches))["labels"].numpy().tolist()
        [[0, 4, 2, -100], [0, 4, 4, 2]]
    """
    max_source_length = _length(max_source_length, "source", "encoder", config)
    max_target_length = _length(max_target_length, "target", "decoder", config)
    keys = Keys(document_key, summary_key, question_key, separator)
    check_shard(shard, num_shards)
    rule = choose_rule(global_tokens, tokenizer, separator)
    check_question(global_tokens, question_key)
    encoded = encode_examples(
        examples,
        tokenizer,
        max_source_length=max_source_length,
        max_target_length=max_target_length,
        source_prefix=source_prefix,
        keys=keys,
        strict=strict,
        cache_dir=cache_dir,
    )
    maker = BatchMaker(
        encoded,
        tokenizer.pad_token_id,
        rule,
        pad_to_multiple_of=pad_to_multiple_of,
        pad_labels_to_multiple_of=pad_labels_to_multiple_of,
        max_source_length=max_source_length,
        max_target_length=max_target_length,
    )
    plan = BatchPlan(
        encoded.sources.lengths,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
    )
    names = NAMES if summary_key is not None else NAMES[:-1]
    return every_epoch(plan, maker, names, num_shards=num_shards, shard=shard)


def _length(given, side, half, config):
    """The limit that was given, or as many tokens as the model has positions."""
    if given is not None:
        return given
    if config is None:
        raise ValueError(
            f"`max_{side}_length` is None and so is `config`: give the length, or "
            "config=model.config for as many tokens as the model has positions."
        )
    return getattr(config, f"max_{half}_position_embeddings")


def every_epoch(plan, maker, names=NAMES, *, num_shards=1, shard=0):
    """Batches whose n-th pass is epoch n of the plan.

    Args:
        plan: BatchPlan.
        maker: BatchMaker.
        names: which of `NAMES` a batch has.
        num_shards: int, how many workers share each batch.
        shard: int, which of them this is.

    Returns:
        `tf.data.Dataset`.
    """
    passes = itertools.count()

    def batches(_):
        # Runs with the first batch of a pass: an iterator that is made and never used,
        # as Keras makes them, does not count as an epoch.
        epoch = tf.numpy_function(lambda: np.int64(next(passes)), [], tf.int64)
        return _steps(plan, maker, names, epoch, 0, len(plan), (shard,), num_shards)

    dataset = tf.data.Dataset.from_tensors(0).flat_map(batches)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(plan)))
    return dataset.prefetch(2)


def one_epoch(
    plan, maker, names=NAMES, *, epoch, first=0, stop=None, num_shards=1, shards=(0,)
):
    """The batches of one epoch, or some of them: where training went on and stopped.

    Args:
        plan: BatchPlan.
        maker: BatchMaker.
        names: which of `NAMES` a batch has.
        epoch: int from 0.
        first: int, the first batch.
        stop: int, the batch to stop before; None for the number of them.
        num_shards: int, how many parts each batch is cut into.
        shards: which of them to give, one after the other, before the next batch.

    Returns:
        `tf.data.Dataset`.
    """
    stop = len(plan) if stop is None else stop
    epoch = tf.constant(epoch, tf.int64)
    steps = _steps(plan, maker, names, epoch, first, stop, shards, num_shards)
    return steps.prefetch(2)


def check_shard(shard, num_shards):
    """Raises ValueError for a shard that does not exist.

    Args:
        shard: int from 0.
        num_shards: int, how many parts there are.

    Raises:
        ValueError: naming both.
    """
    if num_shards < 1 or not 0 <= shard < num_shards:
        raise ValueError(
            f"`shard` must be at least 0 and below `num_shards`, got {shard} of "
            f"{num_shards}."
        )


def check_question(global_tokens, question_key):
    """Raises ValueError for the rule of questions where records have none.

    Args:
        global_tokens: the rule, as for `make_dataset`.
        question_key: str or None.

    Raises:
        ValueError: naming both.
    """
    if global_tokens == "question" and question_key is None:
        raise ValueError(
            "`global_tokens` is 'question', but `question_key` is None: name the key "
            "of the question in a record."
        )


def _steps(plan, maker, names, epoch, first, stop, shards, num_shards):
    def fetch(epoch, number):
        step, place = divmod(int(number), len(shards))
        batch = maker(plan.rows(epoch, step), shards[place], num_shards)
        return [batch[name] for name in names]

    def load(number):
        arrays = tf.numpy_function(fetch, [epoch, number], [tf.int32] * len(names))
        return {
            name: tf.ensure_shape(array, [None, None])
            for name, array in zip(names, arrays, strict=True)
        }

    return tf.data.Dataset.range(first * len(shards), stop * len(shards)).map(load)
