"""A model as a SavedModel in a folder of versions, as TensorFlow Serving reads it."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

import keras
import tensorflow as tf
from transformers import GenerationConfig

from tf_led.checkpoints.disk.atomic import new_version
from tf_led.data.global_attention_rules import GRAPH_RULES
from tf_led.generation.options.option_table import GenerationOptionTypes
from tf_led.serving.endpoint import TextCodec, make_signatures, write_saved_model
from tf_led.serving.warmup import import_log, write_warmup
from tf_led.tokenization.graph.tokenizer import GraphTokenizer
from tf_led.utils.annotations import PathLike, Tokenizer

if TYPE_CHECKING:
    from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel


class ExportOptions(GenerationOptionTypes, total=False):
    """Options of `generate`, for editors and type checkers, and the default seed."""

    seed: int | None


class ExportArguments(ExportOptions, total=False):
    """What `model.export` takes by name, for editors and type checkers."""

    tokenizer: Tokenizer | None
    generation_config: GenerationConfig | None
    global_attention: str | Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    xla: bool
    quantize: Literal["int8"] | None
    warmup: bool | Sequence[str]


def export_saved_model(
    model: "TFLEDPreTrainedModel",
    path: PathLike,
    tokenizer: Tokenizer | None = None,
    generation_config: GenerationConfig | None = None,
    *,
    global_attention: str | Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = "first",
    xla: bool = False,
    quantize: Literal["int8"] | None = None,
    warmup: bool | Sequence[str] = False,
    **options: Unpack[ExportOptions],
) -> Path:
    """Writes a model for TensorFlow Serving, into `path/1`, then `path/2` and so on.

    TensorFlow alone loads it, in any language. Its signatures, of any batch size and
    length:

    - `generate_text`: `text` string[B] -> `generated_text` string[B]; needs a
      tokenizer. A text is cut to the positions that the encoder has.
    - `generate`: `input_ids`, `attention_mask`, `global_attention_mask` int32[B, S] ->
      `sequences` int32[B, T].
    - `encode`: the same -> `last_hidden_state` float[B, S, D].
    - `forward`: the same and `decoder_input_ids`, `decoder_attention_mask` int32[B, T]
      -> `logits` float[B, T, V], or `last_hidden_state` of a model without a head.
    - A head's own: `classify` -> `logits`, `answer` -> `start_logits`, `end_logits`.
    - `serving_default`: the first of `generate_text`, `generate`, the head's own and
      `forward` that there is, without options.

    Each that takes ids is there with `_int64` after its name too. Masks may be left
    out. So may the options that generation takes as inputs, scalars whose defaults are
    fixed here: `max_new_tokens` (which can be lowered only), with beams
    `length_penalty`, with sampling `temperature` and `seed` (negative: drawn for each
    request). With `num_return_sequences` above 1 there are as many results a row.

    Args:
        model: any model of this package.
        path: directory, made if it is not there. What it holds stays.
        tokenizer: LEDTokenizer or LEDTokenizerFast, or None.
        generation_config: transformers' GenerationConfig, or None for the model's.
        global_attention: "first", "none", or a function of ids and attention mask,
            int64[B, S] both, to a mask bool[B, S], in TensorFlow: the tokens of a text
            that see all others.
        xla: bool, whether to add `generate_xla` and `generate_text_xla`, which XLA
            compiles anew for each shape that it meets.
        quantize: None, or "int8" for weights of a quarter of the size.
        warmup: bool, or a list of texts: whether to have TensorFlow Serving make
            requests (with these texts) before it takes any. Needs the extra `serving`.
        **options: of `generate`, and `seed`, the default of that input.

    Returns:
        Path of the numbered folder. It appears when it is whole; several processes may
        export to one `path`.

    Raises:
        ValueError: on an option that is not offered or contradicts another.
        NotADirectoryError: if `path` is a file.
        ImportError: if `warmup` lacks tensorflow-serving-api.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration, export_saved_model
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> written = export_saved_model(model, "served", max_new_tokens=3)
        >>> str(written)
        'served/1'
        >>> import tensorflow as tf
        >>> loaded = tf.saved_model.load(str(written))
        >>> loaded.generate(tf.constant([[0, 5, 2]]))["sequences"].dtype
        tf.int32
    """
    codec = _make_codec(model, tokenizer, global_attention)
    if warmup:
        _check_warmup(warmup, codec)
        import_log()
    if quantize is not None:
        model = _quantized_copy(model, quantize)
    endpoints = _endpoints(model, generation_config, xla, options)
    signatures = make_signatures(
        endpoints, model.default_endpoint, texts=model.text_endpoints, codec=codec
    )
    with new_version(path) as version:
        variables = [variable.value for variable in model.variables]
        write_saved_model(version.path, signatures, variables)
        if warmup:
            texts = None if warmup is True else list(warmup)
            ids = model.dummy_inputs["input_ids"].numpy()
            write_warmup(version.path, signatures, texts, ids)
    return version.path


def _make_codec(model, tokenizer, global_attention):
    mark_global = global_attention
    if not callable(mark_global):
        mark_global = GRAPH_RULES.get(global_attention)
    if mark_global is None:
        raise ValueError(
            f"`global_attention` is {global_attention!r}; allowed are "
            f"{', '.join(map(repr, GRAPH_RULES))} and a function of ids and mask."
        )
    if tokenizer is None:
        return None
    _check_tokenizer(model, tokenizer)
    graph_tokenizer = GraphTokenizer(tokenizer)
    limit = model.config.max_encoder_position_embeddings

    def encode(texts):
        batch = graph_tokenizer(texts, max_length=limit)
        return batch["input_ids"], batch["attention_mask"]

    def decode(ids):
        return graph_tokenizer.decode(
            tf.where(ids < 0, graph_tokenizer.pad_token_id, ids)
        )

    return TextCodec(encode, decode, mark_global)


def _check_tokenizer(model, tokenizer):
    if not model.text_endpoints:
        raise ValueError(
            f"`tokenizer` is given, but a {type(model).__name__} serves no texts. "
            "Leave it out, and tokenise before the request."
        )
    if len(tokenizer) > model.config.vocab_size:
        raise ValueError(
            f"`tokenizer` has {len(tokenizer)} tokens, the model's vocabulary "
            f"{model.config.vocab_size}: they do not belong together."
        )


def _check_warmup(warmup, codec):
    is_texts = isinstance(warmup, (list, tuple)) and all(
        isinstance(text, str) for text in warmup
    )
    if warmup is not True and not is_texts:
        raise ValueError(f"`warmup` must be a bool or a list of texts, got {warmup!r}.")
    if warmup is not True and codec is None:
        raise ValueError(
            f"`warmup` has {len(warmup)} texts, which need a `tokenizer`. Give one, or "
            "set `warmup=True` for a request of ids."
        )


def _endpoints(model, generation_config, xla, options):
    if model.can_generate():
        return model.endpoints(generation_config, xla=xla, **options)
    requested = {**options, "generation_config": generation_config, "xla": xla or None}
    given = sorted(name for name in requested if requested[name] is not None)
    if given:
        raise ValueError(
            f"export_saved_model got {', '.join(map(repr, given))}, but a "
            f"{type(model).__name__} does not generate. Leave it out."
        )
    return model.endpoints()


def _quantized_copy(model, mode):
    """A model of the same weights, quantised; the user's own stays as it is."""
    if mode != "int8":
        raise ValueError(f"`quantize` is {mode!r}; allowed are None and 'int8'.")
    copy = type(model).from_config(model.get_config())
    table = copy.weight_table()
    for path, weight in model.weights_to_save().items():  # LoRA adapters merged
        table[path].assign(keras.ops.convert_to_numpy(weight))
    with warnings.catch_warnings():
        # Keras says so of each LayerNormalization, and there is nothing to be done.
        warnings.filterwarnings("ignore", "Layer .* does not have a `quantize` method")
        copy.quantize(mode)
    return copy
