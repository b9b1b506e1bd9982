"""What all pipelines share: inputs, batches, progress, order, types of options."""

import sys
import types
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_led.data.batching import stack
from tf_led.generation.options.option_table import GenerationOptionTypes
from tf_led.utils.annotations import Tokenizer
from tf_led.utils.validation import check_int

if TYPE_CHECKING:
    from transformers import GenerationConfig

    from tf_led.data.global_attention_rules import OccurrencesOf
    from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel


class Pipeline:
    """Texts in, results as transformers' pipelines give them.

    A subclass says how one input is read (`read`), and what comes of a batch (`run`).

    Args:
        model: a model of this package, built.
        tokenizer: LEDTokenizerFast, or another fast tokenizer of transformers.
        task: str.
        device: str such as "/GPU:0", where the model runs; None: TensorFlow chooses.
        batch_size: int, inputs at a time; results do not depend on it.
        progress_bar: bool, whether to show one on stderr; None: for lists with more
            inputs than a batch.
        **options: options of every call, which a call may override.

    Raises:
        ValueError: on an option that the task does not have.
    """

    def __init__(
        self,
        model: "TFLEDPreTrainedModel",
        tokenizer: Tokenizer,
        *,
        task: str,
        device: str | None = None,
        batch_size: int = 4,
        progress_bar: bool | None = None,
        **options: Any,
    ) -> None:
        check_int("batch_size", batch_size, at_least=1)
        self.model = model
        self.tokenizer = tokenizer
        self.task = task
        self.device = device
        self.batch_size = batch_size
        self.progress_bar = progress_bar
        self.options = self.check_options(options)

    def __repr__(self):
        return (
            f"{type(self).__name__}(task={self.task!r}, "
            f"model={type(self.model).__name__}, batch_size={self.batch_size})"
        )

    def check_options(self, options):
        """Raises ValueError for an option that the task does not have; else gives them.

        Args:
            options: dict.

        Returns:
            dict.
        """
        unknown = sorted(options.keys() - set(self.option_names))
        if unknown:
            raise ValueError(
                f"The pipeline {self.task!r} has no option "
                f"{', '.join(map(repr, unknown))}. It has "
                f"{', '.join(map(repr, self.option_names))}."
            )
        return options

    def answer(self, inputs, batch_size=None, progress_bar=None, **options):
        """Runs the pipeline on one input, a list of them, or a stream.

        Args:
            inputs: one input, a list, or a generator or `tf.data.Dataset` of inputs.
            batch_size: int, for this call; None for the pipeline's.
            progress_bar: bool, for this call; None for the pipeline's.
            **options: of the task.

        Returns:
            One result, a list of results, or a generator of results, in order.
        """
        size = self.batch_size if batch_size is None else batch_size
        check_int("batch_size", size, at_least=1)
        options = {**self.options, **self.check_options(options)}
        shown = self.progress_bar if progress_bar is None else progress_bar
        # One bar at a time: over inputs where they are shown, else over parts.
        within = (options, size, False if shown else shown)
        if isinstance(inputs, tf.data.Dataset):
            inputs = dataset_items(inputs)
        if isinstance(inputs, types.GeneratorType) or hasattr(inputs, "__next__"):
            items = (self.read(item, i) for i, item in enumerate(inputs))
            results = self._batches(items, *within)
            return track(results, None, "input", True) if shown else results
        if not isinstance(inputs, (list, tuple)):
            item = self.read(inputs, None)
            return next(self._batches(iter([item]), options, size, shown))
        items = [self.read(item, i) for i, item in enumerate(inputs)]
        # Inputs of similar length go together; the results are in the old order.
        order = np.argsort([-self.length(item) for item in items], kind="stable")
        results = [None] * len(items)
        many = shows_bar(shown, len(items), size)
        within = (options, size, False if many else shown)
        found = self._batches((items[i] for i in order), *within)
        for i, result in zip(
            order, track(found, len(items), "input", many), strict=True
        ):
            results[i] = result
        return results

    def _batches(self, items, options, size, shown):
        while batch := list(islice(items, size)):
            with tf.device(self.device):
                results = self.run(batch, options, size, shown)
            yield from results

    def length(self, item):
        """The length of an input that was read, by which lists are sorted: int."""
        return len(item)


def dataset_items(dataset):
    """Yields what a `tf.data.Dataset` of texts, batched or not, holds: str or dicts."""
    for element in dataset.as_numpy_iterator():
        if isinstance(element, dict):
            yield from dict_items(element)
        else:
            yield from texts_of(element)


def dict_items(element):
    columns = {name: list(texts_of(values)) for name, values in element.items()}
    for row in zip(*columns.values(), strict=True):
        yield dict(zip(columns, row, strict=True))


def texts_of(values):
    values = np.asarray(values, object).reshape(-1)
    for value in values:
        if not isinstance(value, bytes):
            raise TypeError(f"a dataset must hold strings, got {value!r:.60}.")
        yield value.decode("utf-8")


def check_text(text, index, name="inputs"):
    """Gives the text; names its place if it is no str (TypeError) or no UTF-8."""
    where = f"`{name}`" if index is None else f"`{name}[{index}]`"
    if not isinstance(text, str):
        raise TypeError(
            f"{where} must be a str, got {type(text).__name__} {text!r:.60}. Give a "
            "text, or a list, generator or tf.data.Dataset of texts."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{where} has {text[error.start]!r} at character {error.start}, which no "
            "text in UTF-8 has: half of a pair of surrogates. Give "
            "text.encode('utf-8', 'replace').decode('utf-8')."
        ) from None
    return text


def limit_of(model):
    """The most tokens that a model of scores reads: int.

    With the decoder's states as scores the decoder reads the document as well.
    """
    config = model.config
    limit = config.max_encoder_position_embeddings
    if getattr(model, "has_decoder", False):
        return min(limit, config.max_decoder_position_embeddings)
    return limit


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


def shows_bar(asked, number, at_once):
    """Whether to show a bar over a number of things: as asked, or where they are many.

    Args:
        asked: bool, or None.
        number: int.
        at_once: int, how many are done at a time.

    Returns:
        bool.
    """
    return number > at_once if asked is None else asked


def track(items, total, unit, shown):
    """Yields items, with a bar that counts them where `shown`.

    Args:
        items: iterable.
        total: int, or None if it is not known.
        unit: str, what an item is.
        shown: bool.

    Returns:
        Iterable of the items.

    Example:
        >>> from tf_led.pipelines.base import track
        >>> list(track([3, 5], 2, "part", shown=False))
        [3, 5]
    """
    if not shown:
        return items
    return tqdm(items, total=total, unit=unit, file=sys.stderr, leave=False)


GlobalTokens: TypeAlias = "str | Callable[[Any], Any] | OccurrencesOf"


class MakingOptions(TypedDict, total=False):
    """What `pipeline` takes for every task, beside the first four arguments."""

    framework: Literal["tf"] | None
    revision: str | None
    token: str | None
    device: int | str | None
    model_kwargs: dict[str, Any] | None
    batch_size: int
    progress_bar: bool | None


class WritingOptions(GenerationOptionTypes, total=False):
    """Of a task that writes: its own, and those of `generate`."""

    long_documents: Literal["split", "fuse", "cut"] | None
    global_tokens: GlobalTokens
    summary_tokens: int | None
    part_tokens: int | None
    return_parts: bool
    return_tensors: bool
    return_text: bool
    clean_up_tokenization_spaces: bool
    truncation: Any
    stop_sequence: str | None
    generation_config: "GenerationConfig | None"
    seed: Any
    src_lang: str | None
    tgt_lang: str | None


class AnswerOptions(TypedDict, total=False):
    """Of "question-answering"."""

    top_k: int
    doc_stride: int | None
    max_answer_len: int
    max_seq_len: int | None
    handle_impossible_answer: bool
    align_to_words: bool
    global_tokens: GlobalTokens


class LabelOptions(TypedDict, total=False):
    """Of "text-classification"."""

    top_k: int | None
    function_to_apply: Literal["sigmoid", "softmax", "none"] | None
    truncation: bool
    global_tokens: GlobalTokens


class MakingWriter(MakingOptions, WritingOptions, total=False):
    """All that `pipeline` takes for a task that writes."""


class MakingAnswerer(MakingOptions, AnswerOptions, total=False):
    """All that it takes for "question-answering"."""


class MakingClassifier(MakingOptions, LabelOptions, total=False):
    """All that it takes for "text-classification"."""


class MakingAny(MakingWriter, total=False):
    """All that it takes for a task that is not known where it is written."""

    doc_stride: int | None
    max_answer_len: int
    max_seq_len: int | None
    handle_impossible_answer: bool
    align_to_words: bool
    function_to_apply: Literal["sigmoid", "softmax", "none"] | None
