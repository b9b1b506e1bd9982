"""Metrics of training: token accuracy over labels, ROUGE over generated summaries."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import keras
import tensorflow as tf

from tf_led.ops.losses import IGNORED_LABEL, counted_labels, label_weights
from tf_led.training.steps import sum_over_replicas
from tf_led.utils.annotations import TensorLike, Tokenizer

if TYPE_CHECKING:
    from tf_led.generation.options.option_table import GenerationOptionTypes


@keras.saving.register_keras_serializable(package="tf_led")
class TokenAccuracy(keras.metrics.Mean):
    """The fraction of labels with the highest logit, over all batches and replicas.

    `compile(metrics=["accuracy"])` means this one where the model predicts tokens.
    Keras' own accuracy takes -100 and padding for labels that are always missed.

    Args:
        pad_token_id: int or None; labels of this id do not count, like those of -100.
        name: str.
        dtype: dtype or policy of the metric.

    Example:
        >>> from tf_led.training.metrics import TokenAccuracy
        >>> accuracy = TokenAccuracy(pad_token_id=1)
        >>> accuracy.update_state([[2, 0, -100, 1]], [[[0.0, 1.0, 3.0]] * 4])
        >>> float(accuracy.result())
        0.5
    """

    def __init__(
        self, pad_token_id: int | None = None, name: str = "accuracy", dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.pad_token_id = pad_token_id

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Counts the labels of one batch.

        Args:
            y_true: int[B, T]; -100 and `pad_token_id` do not count.
            y_pred: float[B, T, V].
            sample_weight: float[B] or float[B, T], or None.

        Example:
            >>> from tf_led.training.metrics import TokenAccuracy
            >>> accuracy = TokenAccuracy()
            >>> accuracy.update_state([[1, -100]], [[[0.0, 3.0], [0.0, 0.0]]])
            >>> float(accuracy.result())
            1.0
        """
        labels = tf.convert_to_tensor(y_true)
        counted = counted_labels(labels, self.pad_token_id)
        weights = label_weights(counted, sample_weight)
        best = tf.argmax(y_pred, axis=-1, output_type=labels.dtype)
        right = tf.reduce_sum(tf.where(best == labels, weights, 0.0))
        right, count = map(sum_over_replicas, (right, tf.reduce_sum(weights)))
        # Every replica writes down the same: it does not matter whose is read.
        super().update_state(tf.math.divide_no_nan(right, count), sample_weight=count)

    def get_config(self):
        """As `keras.metrics.Metric.get_config`."""
        return {**super().get_config(), "pad_token_id": self.pad_token_id}


NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def score_rouge(
    references: Sequence[str], summaries: Sequence[str], names: Sequence[str] = NAMES
) -> dict[str, float]:
    """Scores summaries against references by rouge-score.

    Args:
        references: list of str.
        summaries: list of str, as many.
        names: ROUGE variants. "rougeLsum" takes each line for a sentence.

    Returns:
        Dict from name to the mean F-measure, float from 0 to 1; 0 of no summaries.

    Raises:
        ValueError: if there are not as many of both.
        ImportError: without rouge-score (`pip install tf_led[train]`).

    Source: ROUGE: A Package for Automatic Evaluation of Summaries (ACL W04-1013).

    Example:
        >>> from tf_led.training.metrics import score_rouge
        >>> score_rouge(["a cat sat"], ["a cat ran"], names=["rouge2"])
        {'rouge2': 0.5}
    """
    if len(references) != len(summaries):
        raise ValueError(
            f"There are {len(references)} references for {len(summaries)} summaries."
        )
    scorer = _make_scorer(names)
    scores = list(map(scorer.score, references, summaries))
    count = max(1, len(scores))
    return {name: sum(s[name].fmeasure for s in scores) / count for name in names}


def _make_scorer(names):
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise ImportError(
            "ROUGE needs the package rouge-score: pip install tf_led[train]."
        ) from None
    return RougeScorer(list(names), use_stemmer=True)


class RougeCallback(keras.callbacks.Callback):
    """Generates summaries of validation documents after an epoch and scores them.

    It adds "val_rougeL" and so on to the epoch's logs: give it before the callbacks
    that are to see them (CSVLogger, TensorBoard, EarlyStopping, ModelCheckpoint).

    Args:
        batches: iterable of batches, run through once for each scoring: dicts of inputs
            with `labels` int[B, T], which are the references, or (inputs, labels).
        tokenizer: what turns ids into text by `batch_decode`.
        every: int >= 1, epochs from one scoring to the next.
        names: ROUGE variants, as for `score_rouge`.
        **options: of `generate`, such as `num_beams` and `max_new_tokens`.

    Raises:
        ValueError: if `every` is not an int of at least 1.
        ImportError: without rouge-score.

    Source: ROUGE: A Package for Automatic Evaluation of Summaries (ACL W04-1013).

    Example:
        >>> from tf_led.training.metrics import RougeCallback
        >>> RougeCallback([], tokenizer=None, num_beams=4).every
        1
    """

    def __init__(
        self,
        batches: Iterable[Any],
        tokenizer: Tokenizer,
        *,
        every: int = 1,
        names: Sequence[str] = NAMES,
        **options: "Unpack[GenerationOptionTypes]",
    ) -> None:
        super().__init__()
        if type(every) is not int or every < 1:
            raise ValueError(f"`every` must be an int of at least 1, got {every!r}.")
        _make_scorer(names)  # better now than after the first epoch
        self.batches = batches
        self.tokenizer = tokenizer
        self.every = every
        self.names = tuple(names)
        self.options = options

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Scores, and adds the scores to `logs`.

        Args:
            epoch: int, counted from 0.
            logs: dict that the callbacks after this one get too.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> from tf_led.training.metrics import RougeCallback
            >>> batches = [{"input_ids": [[0, 4, 2]], "labels": [[4, 2]]}]
            >>> callback = RougeCallback(batches, tokenizer, max_new_tokens=1)
            >>> callback.set_model(model)
            >>> logs = {}
            >>> callback.on_epoch_end(0, logs)
            >>> sorted(logs)
            ['val_rouge1', 'val_rouge2', 'val_rougeL', 'val_rougeLsum']
        """
        if (epoch + 1) % self.every:
            return
        references, summaries = [], []
        for batch in self.batches:
            inputs, labels = _split(batch)
            ids = self.model.generate(**inputs, **self.options)
            summaries += self._decode(ids)
            references += self._decode(labels)
        scores = score_rouge(references, summaries, self.names)
        logs.update({f"val_{name}": score for name, score in scores.items()})

    def _decode(self, ids):
        pad = self.model.config.pad_token_id
        ids = keras.ops.convert_to_numpy(ids)
        rows = [[int(i) for i in row if i not in (pad, IGNORED_LABEL)] for row in ids]
        return self.tokenizer.batch_decode(rows, skip_special_tokens=True)


def _split(batch):
    """Inputs of `generate`, and labels."""
    inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
    inputs = dict(inputs)
    if isinstance(labels, dict):
        labels = labels.get("labels")
    within = inputs.pop("labels", None)
    labels = within if labels is None else labels
    if labels is None:
        raise ValueError(
            f"A batch for ROUGE has no `labels`, only {', '.join(sorted(inputs))}: "
            "they are the references."
        )
    kept = ("input_ids", "attention_mask", "global_attention_mask")
    return {name: inputs[name] for name in kept if name in inputs}, labels
