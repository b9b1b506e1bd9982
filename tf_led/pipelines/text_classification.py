"""The pipeline that gives texts labels."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Unpack, overload

import numpy as np
import tensorflow as tf

from tf_led.data.global_attention_rules import choose_rule
from tf_led.models.tasks.sequence_classification import MULTI_LABEL, REGRESSION
from tf_led.pipelines.base import (
    LabelOptions,
    Pipeline,
    check_text,
    limit_of,
    make_inputs,
)
from tf_led.pipelines.long_documents import warn_of_cut
from tf_led.utils.annotations import Tokenizer
from tf_led.utils.validation import check_int

if TYPE_CHECKING:
    from tf_led.models.tasks.sequence_classification import (
        TFLEDForSequenceClassification,
    )

FUNCTIONS = ("sigmoid", "softmax", "none")


class TextClassificationPipeline(Pipeline):
    """Labels and scores of texts, as transformers 4.57's pipeline of this name.

    Args:
        model: TFLEDForSequenceClassification.
        tokenizer: LEDTokenizerFast, or another fast tokenizer.
        **options: see `tf_led.pipelines.pipeline`.

    Example:
        >>> from tf_led import LEDTokenizerFast, TFLEDForSequenceClassification
        >>> from tf_led.pipelines import TextClassificationPipeline
        >>> from tf_led.testing import tiny_config
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> model = TFLEDForSequenceClassification(tiny_config())
        >>> classify = TextClassificationPipeline(model, LEDTokenizerFast(vocab, []))
        >>> [sorted(result) for result in classify(["a", "aa"])]
        [['label', 'score'], ['label', 'score']]
    """

    option_names = ("top_k", "function_to_apply", "truncation", "global_tokens")

    def __init__(
        self,
        model: "TFLEDForSequenceClassification",
        tokenizer: Tokenizer,
        *,
        task: str = "text-classification",
        **options: Unpack[LabelOptions],
    ) -> None:
        super().__init__(model, tokenizer, task=task, **options)

    def check_options(self, options):
        """Raises ValueError for what is unknown or out of range; else gives them."""
        super().check_options(options)
        if options.get("top_k") is not None:
            check_int("top_k", options["top_k"], at_least=1)
        function = options.get("function_to_apply")
        if function is not None and function not in FUNCTIONS:
            raise ValueError(
                f"`function_to_apply` must be one of {', '.join(map(repr, FUNCTIONS))} "
                f"or None, got {function!r}."
            )
        return options

    @overload
    def __call__(
        self,
        inputs: str | list[Any] | tuple[Any, ...],
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Unpack[LabelOptions],
    ) -> list[Any]: ...

    @overload
    def __call__(
        self,
        inputs: dict[str, str],
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Unpack[LabelOptions],
    ) -> Any: ...

    @overload
    def __call__(
        self,
        inputs: Iterator[Any] | tf.data.Dataset,
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Unpack[LabelOptions],
    ) -> Iterator[Any]: ...

    def __call__(
        self,
        inputs: Any,
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Any,
    ) -> Any:
        """Labels each input.

        Args:
            inputs: str; dict of `text` and `text_pair`; a list of these; or a generator
                or `tf.data.Dataset` of them.
            batch_size: int, for this call.
            progress_bar: bool, for this call.
            **options: see `tf_led.pipelines.pipeline`.

        Returns:
            A list of dicts of `label` (str) and `score` (float): for a str one, for a
            list one an input. With `top_k` each is a list, the best first. For a dict
            without `top_k` the dict alone; for a stream a generator.
        """
        result = self.answer(inputs, batch_size, progress_bar, **options)
        is_one = isinstance(inputs, str)
        ranked = "top_k" in {**self.options, **options}
        return [result] if is_one and not ranked else result

    def read(self, item, index):
        """Reads one input: (text, pair or None)."""
        if isinstance(item, dict):
            if not {"text"} <= item.keys() <= {"text", "text_pair"}:
                raise ValueError(
                    "an input that is a dict must have the keys 'text' and, for pairs, "
                    f"'text_pair', got {', '.join(map(repr, item))}."
                )
            pair = item.get("text_pair")
            pair = pair if pair is None else check_text(pair, index, "text_pair")
            return check_text(item["text"], index, "text"), pair
        return check_text(item, index), None

    def length(self, item):
        """The characters of an input: int."""
        return sum(len(text) for text in item if text)

    def run(self, batch, options, batch_size, progress_bar):
        """Scores a batch: a list of dicts, or of lists of dicts."""
        limit = limit_of(self.model)
        rule = choose_rule(options.get("global_tokens", "first"), self.tokenizer)
        rows = [self._encode(*item, limit, options) for item in batch]
        logits = self.model(
            **make_inputs(rows, [*map(rule, rows)], self.tokenizer, self.model),
            use_cache=False,
            return_dict=True,
        ).logits
        scores = self._scores(tf.cast(logits, tf.float32), options)
        return [self._records(row, options) for row in scores.numpy()]

    def _encode(self, text, pair, limit, options):
        texts = (text,) if pair is None else (text, pair)
        encoding = self.tokenizer(*texts, verbose=False)
        num_tokens = len(encoding["input_ids"])
        if num_tokens > limit:
            if not options.get("truncation"):
                warn_of_cut("an input", num_tokens, limit)
            encoding = self.tokenizer(
                *texts, truncation=True, max_length=limit, verbose=False
            )
        return np.array(encoding["input_ids"], np.int32)

    def _scores(self, logits, options):
        function = options.get("function_to_apply")
        config = self.model.config
        if function is None:
            function = "softmax"
            if config.problem_type == MULTI_LABEL or config.num_labels == 1:
                function = "sigmoid"
            if config.problem_type == REGRESSION:
                function = "none"
        if function == "none":
            return logits
        return tf.sigmoid(logits) if function == "sigmoid" else tf.nn.softmax(logits)

    def _records(self, scores, options):
        names = self.model.config.id2label
        if "top_k" not in options:
            best = int(scores.argmax())
            return {"label": names[best], "score": float(scores[best])}
        order = np.argsort(-scores, kind="stable")[: options["top_k"]]
        return [{"label": names[int(i)], "score": float(scores[i])} for i in order]
