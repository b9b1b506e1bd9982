"""The inputs of a call of `generate`, apart from its options."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.options.option_table import DecodingOptionTypes
from tf_led.models.backbone.model_inputs import (
    as_encoder_output,
    validate_document,
    validate_states,
)
from tf_led.models.inputs import validation
from tf_led.models.inputs.named_inputs import is_mapping
from tf_led.models.outputs import TFLEDEncoderBaseModelOutput
from tf_led.utils.annotations import TensorLike


class GenerationInputs(NamedTuple):
    """The model's inputs of one call of `generate`; see a model's call."""

    input_ids: Any = None
    attention_mask: Any = None
    global_attention_mask: Any = None
    inputs_embeds: Any = None
    encoder_outputs: Any = None
    head_mask: Any = None
    decoder_head_mask: Any = None
    cross_attn_head_mask: Any = None
    decoder_input_ids: Any = None
    decoder_attention_mask: Any = None

    def document(self):
        """What describes the document: int32[B, S] ids, or hidden states."""
        for value in (self.input_ids, self.inputs_embeds):
            if value is not None:
                return value
        return self.encoder_outputs.last_hidden_state


class GenerateArguments(DecodingOptionTypes, total=False):
    """What `generate` takes by name, for editors and type checkers."""

    input_ids: TensorLike | None
    attention_mask: TensorLike | None
    global_attention_mask: TensorLike | None
    inputs_embeds: TensorLike | None
    encoder_outputs: Any
    head_mask: TensorLike | None
    decoder_head_mask: TensorLike | None
    cross_attn_head_mask: TensorLike | None
    decoder_input_ids: TensorLike | None
    decoder_attention_mask: TensorLike | None


def take_inputs(inputs, kwargs):
    """Splits the arguments of `generate` into inputs and options.

    Args:
        inputs: int[B, S], a dict of inputs, or None.
        kwargs: dict of inputs and options by name.

    Returns:
        GenerationInputs and a dict of what remains, the options.

    Raises:
        ValueError: if an input is given twice, or none is given, or one that only the
            encoder reads beside `encoder_outputs`.
    """
    given = {name: kwargs[name] for name in GenerationInputs._fields if name in kwargs}
    options = {name: kwargs[name] for name in kwargs if name not in given}
    if is_mapping(inputs):
        _check_mapping(inputs, given)
        given.update(inputs)
    elif inputs is not None:
        _check_once("input_ids", given)
        given["input_ids"] = inputs
    _check_not_text(given.get("input_ids"))
    taken = GenerationInputs(**given)
    if taken.encoder_outputs is not None:
        _check_encoder_inputs(taken)
        encoded = as_encoder_output(taken.encoder_outputs)
        return taken._replace(encoder_outputs=encoded), options
    if (taken.input_ids is None) == (taken.inputs_embeds is None):
        raise ValueError(
            "`generate` needs the documents: give either `input_ids` (the first "
            "argument) or `inputs_embeds`, or `encoder_outputs`."
        )
    return taken, options


def _check_not_text(ids):
    """Raises TypeError for texts in the place of ids."""
    first = ids[0] if isinstance(ids, (list, tuple)) and ids else ids
    if isinstance(first, str):
        raise TypeError(
            f"`generate` takes token ids, got the text {first!r:.60}. Call "
            'tf_led.pipeline("summarization", model, tokenizer=tokenizer)(text), or '
            'give what the tokenizer makes of it: tokenizer(text, return_tensors="tf").'
        )


def _check_encoder_inputs(inputs):
    """With the encoder's outputs given it does not run, and nobody reads these."""
    for name in ("inputs_embeds", "global_attention_mask", "head_mask"):
        if getattr(inputs, name) is not None:
            raise ValueError(
                f"`{name}` was given beside `encoder_outputs`, with which the encoder "
                f"does not run: leave `{name}` out, or give the document instead of "
                "`encoder_outputs`."
            )


def convert_inputs(inputs, config, dtype="float32"):
    """Checks and casts the inputs, once; masks padding where there is no mask.

    Args:
        inputs: GenerationInputs.
        config: LEDConfig.
        dtype: str, what embeddings and states are cast to.

    Returns:
        GenerationInputs of tensors. Without an attention mask, padding ids in
        `input_ids` are masked.

    Raises:
        ValueError: on ids, masks or lengths that do not fit.
    """
    if inputs.encoder_outputs is None:
        document = validate_document(
            config,
            dtype,
            input_ids=inputs.input_ids,
            inputs_embeds=inputs.inputs_embeds,
            attention_mask=inputs.attention_mask,
            global_attention_mask=inputs.global_attention_mask,
            head_mask=inputs.head_mask,
        )
        inputs = inputs._replace(**document._asdict())
    else:
        inputs = _convert_states(inputs, config, dtype)
    if inputs.attention_mask is None:
        mask = tf.cast(default_mask(inputs, config), tf.bool)
        inputs = inputs._replace(attention_mask=mask)
    if inputs.decoder_input_ids is None:
        return inputs
    prompt = _as_prompt(inputs.decoder_input_ids, config)
    validation.validate_batch(prompt, inputs.document())
    prompt_mask = validation.validate_mask(
        inputs.decoder_attention_mask, "decoder_attention_mask", prompt.shape
    )
    return inputs._replace(decoder_input_ids=prompt, decoder_attention_mask=prompt_mask)


def _convert_states(inputs, config, dtype):
    """The same where the encoder has run already."""
    encoded, ids = inputs.encoder_outputs, inputs.input_ids
    states, mask = validate_states(
        config,
        dtype,
        encoded.last_hidden_state,
        inputs.attention_mask,
        "encoder_outputs",
    )
    if ids is not None:
        ids = validation.validate_ids(ids, "input_ids", config.vocab_size)
    encoded = TFLEDEncoderBaseModelOutput({**encoded, "last_hidden_state": states})
    return inputs._replace(encoder_outputs=encoded, input_ids=ids, attention_mask=mask)


def default_mask(inputs, config):
    """PyTorch's default in `generate`: padding is masked unless it also ends.

    Args:
        inputs: GenerationInputs.
        config: LEDConfig.

    Returns:
        int32 or bool[B, S].
    """
    document = inputs.document()
    eos_ids = config.eos_token_id
    eos_ids = eos_ids if isinstance(eos_ids, (list, tuple)) else [eos_ids]
    pad_id = config.pad_token_id
    if inputs.input_ids is None or pad_id is None or pad_id in eos_ids:
        return tf.ones(tf.shape(document)[:2], tf.int32)
    return document != pad_id


def _as_prompt(ids, config):
    """Checks decoder ids; ids known while tracing stay known, see `prepare_prompt`."""
    ids = tf.convert_to_tensor(ids)
    known = tf.get_static_value(ids)
    if known is None:
        return validation.validate_ids(ids, "decoder_input_ids", config.vocab_size)
    with tf.init_scope():
        known = validation.validate_ids(
            known, "decoder_input_ids", config.vocab_size
        ).numpy()
    return tf.constant(known)


def _check_mapping(inputs, given):
    unknown = sorted(set(inputs) - set(GenerationInputs._fields))
    if unknown:
        raise ValueError(
            f"The inputs hold {', '.join(map(repr, unknown))}, which `generate` does "
            f"not take. It takes {', '.join(GenerationInputs._fields)}."
        )
    for name in inputs:
        _check_once(name, given)


def _check_once(name, given):
    if name in given:
        raise ValueError(
            f"`{name}` is given twice: in the first argument and by name. Give it once."
        )
