"""The types of a call's arguments by name, for editors and type checkers.

`return_dict` is not among them: it decides what a call returns, so that the overloads
of each model name it. A test holds these against the models' `call`.
"""

from typing import Any, TypedDict

from tf_led.utils.annotations import TensorLike


class ModelOptions(TypedDict, total=False):
    """What every model's constructor takes beside the config."""

    max_global_tokens: int | None
    attention_implementation: str
    name: str | None
    dtype: Any
    trainable: bool


class CallArguments(TypedDict, total=False):
    """What a call of every model takes beside `input_ids`."""

    attention_mask: TensorLike | None
    decoder_input_ids: TensorLike | None
    decoder_attention_mask: TensorLike | None
    head_mask: TensorLike | None
    decoder_head_mask: TensorLike | None
    cross_attn_head_mask: TensorLike | None
    encoder_outputs: Any
    global_attention_mask: TensorLike | None
    inputs_embeds: TensorLike | None
    decoder_inputs_embeds: TensorLike | None
    use_cache: bool | None
    output_attentions: bool | None
    output_hidden_states: bool | None
    training: bool


class CacheArguments(CallArguments, total=False):
    """The same of a model that reads a cache: `TFLEDModel`."""

    past_key_values: Any


class LanguageModelArguments(CacheArguments, total=False):
    """The same of `TFLEDForConditionalGeneration`."""

    labels: TensorLike | None


class ClassifierArguments(CallArguments, total=False):
    """The same of `TFLEDForSequenceClassification`."""

    labels: TensorLike | None


class AnswerArguments(CallArguments, total=False):
    """The same of `TFLEDForQuestionAnswering`."""

    start_positions: TensorLike | None
    end_positions: TensorLike | None
