"""The types of the pipelines' options, for editors and type checkers.

A test holds them against what the pipelines take.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from tf_led.generation.options.option_types import GenerationOptionTypes

if TYPE_CHECKING:
    from transformers import GenerationConfig

    from tf_led.data.global_attention_rules import OccurrencesOf

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
