"""`pipeline`: from a task and a checkpoint to what does the task."""

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from tf_led.pipelines.base import (
    MakingAnswerer,
    MakingAny,
    MakingClassifier,
    MakingWriter,
)
from tf_led.pipelines.question_answering import QuestionAnsweringPipeline
from tf_led.pipelines.text2text import (
    SummarizationPipeline,
    Text2TextGenerationPipeline,
    TranslationPipeline,
)
from tf_led.pipelines.text_classification import TextClassificationPipeline
from tf_led.utils import bundled
from tf_led.utils.annotations import PathLike, Tokenizer

if TYPE_CHECKING:
    from transformers import LEDConfig

    from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel
    from tf_led.models.tasks.conditional_generation import TFLEDForConditionalGeneration
    from tf_led.models.tasks.question_answering import TFLEDForQuestionAnswering
    from tf_led.models.tasks.sequence_classification import (
        TFLEDForSequenceClassification,
    )

# Task: the pipeline, and the model's class in `tf_led.models.tasks`.
TASKS = {
    "summarization": (SummarizationPipeline, "TFLEDForConditionalGeneration"),
    "text2text-generation": (
        Text2TextGenerationPipeline,
        "TFLEDForConditionalGeneration",
    ),
    "translation": (TranslationPipeline, "TFLEDForConditionalGeneration"),
    "question-answering": (QuestionAnsweringPipeline, "TFLEDForQuestionAnswering"),
    "text-classification": (
        TextClassificationPipeline,
        "TFLEDForSequenceClassification",
    ),
}
ALIASES = {"sentiment-analysis": "text-classification"}
HOMES = {
    "TFLEDForConditionalGeneration": "conditional_generation",
    "TFLEDForQuestionAnswering": "question_answering",
    "TFLEDForSequenceClassification": "sequence_classification",
}


@overload
def pipeline(
    task: Literal["summarization"],
    model: "TFLEDForConditionalGeneration | PathLike | None" = None,
    config: "LEDConfig | PathLike | None" = None,
    tokenizer: Tokenizer | PathLike | None = None,
    **options: Unpack[MakingWriter],
) -> SummarizationPipeline: ...


@overload
def pipeline(
    task: Literal["text2text-generation"],
    model: "TFLEDForConditionalGeneration | PathLike | None" = None,
    config: "LEDConfig | PathLike | None" = None,
    tokenizer: Tokenizer | PathLike | None = None,
    **options: Unpack[MakingWriter],
) -> Text2TextGenerationPipeline: ...


@overload
def pipeline(
    task: Literal["translation"],
    model: "TFLEDForConditionalGeneration | PathLike | None" = None,
    config: "LEDConfig | PathLike | None" = None,
    tokenizer: Tokenizer | PathLike | None = None,
    **options: Unpack[MakingWriter],
) -> TranslationPipeline: ...


@overload
def pipeline(
    task: Literal["question-answering"],
    model: "TFLEDForQuestionAnswering | PathLike | None" = None,
    config: "LEDConfig | PathLike | None" = None,
    tokenizer: Tokenizer | PathLike | None = None,
    **options: Unpack[MakingAnswerer],
) -> QuestionAnsweringPipeline: ...


@overload
def pipeline(
    task: Literal["text-classification", "sentiment-analysis"],
    model: "TFLEDForSequenceClassification | PathLike | None" = None,
    config: "LEDConfig | PathLike | None" = None,
    tokenizer: Tokenizer | PathLike | None = None,
    **options: Unpack[MakingClassifier],
) -> TextClassificationPipeline: ...


@overload
def pipeline(
    task: str,
    model: "TFLEDPreTrainedModel | PathLike | None" = None,
    config: "LEDConfig | PathLike | None" = None,
    tokenizer: Tokenizer | PathLike | None = None,
    **options: Unpack[MakingAny],
) -> Any: ...


def pipeline(
    task: str,
    model: "TFLEDPreTrainedModel | PathLike | None" = None,
    config: "LEDConfig | PathLike | None" = None,
    tokenizer: Tokenizer | PathLike | None = None,
    *,
    framework: Literal["tf"] | None = None,
    revision: str | None = None,
    token: str | None = None,
    device: int | str | None = None,
    model_kwargs: dict[str, Any] | None = None,
    batch_size: int = 4,
    progress_bar: bool | None = None,
    **options: Any,
) -> Any:
    """Makes a pipeline: texts in, results out.

    Tasks, arguments and results are those of transformers 4.57's pipelines; version 5
    of transformers has no such pipelines for summaries and translations. What LED needs
    beside is done: the task's usual tokens have global attention, and a document may be
    longer than the model's limit.

    Options of the pipeline or of a call of it:

    - Tasks that write: `long_documents`, "split", "fuse" or "cut", what happens to a
      text beyond the limit (see `summarize_document`): "split" for summaries and
      translations, else "cut", with a warning. `summary_tokens`, `part_tokens` and
      `return_parts` (bool: adds `parts`, a list of dicts, to a result), with "split".
      `return_tensors` (bool: ids instead of text), `clean_up_tokenization_spaces`
      (bool), `truncation` (bool: "cut" without a warning), `stop_sequence` (str: its
      first token ends a text). Everything else goes to `generate`; where a checkpoint
      says nothing, `num_beams` is 4 and `max_new_tokens` 256, as in transformers.
    - "question-answering": `top_k`, `max_answer_len` (15 tokens), `max_seq_len` (tokens
      of a part; the model's limit), `doc_stride` (tokens that parts share; 128, or
      half of `max_seq_len`), `handle_impossible_answer`, `align_to_words`.
    - "text-classification": `top_k` (None for all labels), `function_to_apply`
      ("sigmoid", "softmax", "none"), `truncation` (bool: no warning where a text is
      cut).
    - All: `global_tokens`, "first" (of questions "question"), "none", or a function
      from ids, int[S], to a mask, bool[S].

    Args:
        task: "summarization", "text2text-generation", "translation" (or
            "translation_en_to_de" and so on), "question-answering" or
            "text-classification" ("sentiment-analysis").
        model: a directory, a Hub id, or a model; None for the bundled one, which
            summarises.
        config: LEDConfig, in place of the checkpoint's.
        tokenizer: a directory, a Hub id, or a tokenizer; None for the model's.
        framework: None or "tf".
        revision: str, of the Hub.
        token: of the Hub.
        device: None, -1 or "cpu" for the CPU, an int n for "/GPU:n", or a name as in
            `tf.device`.
        model_kwargs: dict, more arguments of `from_pretrained`.
        batch_size: int, inputs at a time; results do not depend on it.
        progress_bar: bool, whether to show one on stderr; None: for lists with more
            inputs than a batch, and documents of many parts.
        **options: see above.

    Returns:
        A pipeline: call it with a text, a list of texts, or a generator or
        `tf.data.Dataset` of texts.

    Raises:
        ValueError: on an unknown task or option, or a model of another task.
        FileNotFoundError: if there is no such checkpoint.

    Example:
        >>> import tf_led
        >>> summarize = tf_led.pipeline("summarization")
        >>> list(summarize("Returns the names of all files in a folder.")[0])
        ['summary_text']
    """
    name = base_task(task)
    if framework not in (None, "tf"):
        raise ValueError(f"`framework` must be 'tf' or None, got {framework!r}.")
    make, head = TASKS[name]
    place = {"revision": revision, "token": token}
    place = {key: value for key, value in place.items() if value is not None}
    device = device_name(device)
    if model is None:
        model = bundled_model(task)
    if tokenizer is None:
        tokenizer = tokenizer_place(model)
    tokenizer = load_tokenizer(tokenizer, place)
    more = dict(model_kwargs or {}, **place)
    if config is not None:
        more["config"] = config
    model = load_model(model, head, task, device, more)
    return make(
        model,
        tokenizer,
        task=task,
        device=device,
        batch_size=batch_size,
        progress_bar=progress_bar,
        **options,
    )


def base_task(task):
    """The name of a task in TASKS, from an alias or a pair of languages."""
    name = ALIASES.get(task, task)
    parts = str(name).split("_")
    if len(parts) == 4 and parts[0] == "translation" and parts[2] == "to":
        name = "translation"
    if name not in TASKS:
        raise ValueError(
            f"`task` must be one of {', '.join(map(repr, TASKS))}, got {task!r}."
        )
    return name


def bundled_model(task):
    """The directory of the bundled model, announced on stderr."""
    if task != "summarization":
        raise ValueError(
            f"The bundled model summarises; for {task!r} name a checkpoint: `model`."
        )
    print(f"tf_led: {bundled.announcement()}", file=sys.stderr, flush=True)
    return str(bundled.FOLDER)


def tokenizer_place(model):
    """Where the tokenizer of a model is: its directory or Hub id."""
    if isinstance(model, (str, os.PathLike)):
        return model
    name = getattr(model, "name_or_path", None)
    if name:
        return name
    raise ValueError(
        f"`model` is a {type(model).__name__} that does not know its checkpoint: give "
        "its `tokenizer` too."
    )


def load_tokenizer(tokenizer, place):
    if not isinstance(tokenizer, (str, os.PathLike)):
        return tokenizer
    from tf_led.tokenization.led_tokenizer import LEDTokenizerFast

    return LEDTokenizerFast.from_pretrained(tokenizer, **place)


def load_model(model, head, task, device, options):
    """Loads a checkpoint as the class of the task; a model is checked alone."""
    import importlib

    import tensorflow as tf

    cls = getattr(importlib.import_module(f"tf_led.models.tasks.{HOMES[head]}"), head)
    if not isinstance(model, (str, os.PathLike)):
        if not isinstance(model, cls):
            raise ValueError(
                f"`model` must be a {head} for {task!r}, got {type(model).__name__}."
            )
        if options:
            raise ValueError(
                f"{', '.join(map(repr, options))} belong to loading a checkpoint, and "
                "`model` is a model already."
            )
        return model
    with tf.device(device):
        loaded, report = cls.from_pretrained(model, output_loading_info=True, **options)
    if report["missing_keys"]:
        raise ValueError(
            f"{str(model)!r} lacks {len(report['missing_keys'])} weights of a {head}, "
            f"{report['missing_keys'][0]} among them: it is not a checkpoint for "
            f"{task!r}."
        )
    return loaded


def device_name(device):
    """What `tf.device` takes, from what transformers' pipelines take."""
    if device is None or (isinstance(device, str) and device.startswith("/")):
        return device
    if device in (-1, "cpu"):
        return "/CPU:0"
    if isinstance(device, int) and not isinstance(device, bool) and device >= 0:
        return f"/GPU:{device}"
    if isinstance(device, str) and device.partition(":")[0] in ("cuda", "gpu"):
        return f"/GPU:{device.partition(':')[2] or 0}"
    raise ValueError(
        "`device` must be None, -1, a GPU's number or a name as '/GPU:0', got "
        f"{device!r}."
    )
