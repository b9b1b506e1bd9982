"""The arguments of a call: checked and cast once, where they enter."""

from typing import Any, NamedTuple

from tf_led.models.inputs import validation
from tf_led.models.inputs.named_inputs import is_mapping, static_or_dynamic
from tf_led.models.inputs.validation import input_error
from tf_led.models.outputs import TFLEDEncoderBaseModelOutput
from tf_led.ops.losses import shift_tokens_right


class DocumentInputs(NamedTuple):
    """What the encoder reads, checked: ids or embeddings, and masks or None."""

    input_ids: Any = None  # int32[B, S]
    inputs_embeds: Any = None  # float[B, S, D]
    attention_mask: Any = None  # bool[B, S], True for real tokens
    global_attention_mask: Any = None  # int32[B, S] of 1 global, 0 local, -1 masked
    head_mask: Any = None  # float32[L, N]


class DecoderInputs(NamedTuple):
    """What the decoder reads beside the document, checked."""

    input_ids: Any = None  # int32[B, T]
    inputs_embeds: Any = None  # float[B, T, D]
    attention_mask: Any = None  # bool[B, P + T]
    head_mask: Any = None  # float32[L, N], of self-attention
    cross_head_mask: Any = None  # float32[L, N], of cross-attention
    past_key_values: Any = None  # L tuples of 2 or 4 float[B, N, P or S, H]
    document_mask: Any = None  # bool[B, S], True for the document's real tokens


class ModelInputs(NamedTuple):
    """What a model reads, checked.

    `encoder_outputs` is None where the encoder has to run; it has no fields where a
    cache holds all that the decoder needs of the document.
    """

    document: DocumentInputs
    decoder: DecoderInputs
    encoder_outputs: Any = None


def validate_document(
    config,
    dtype,
    *,
    input_ids=None,
    inputs_embeds=None,
    attention_mask=None,
    global_attention_mask=None,
    head_mask=None,
):
    """Checks and casts what the encoder reads.

    Args:
        config: LEDConfig.
        dtype: str, what embeddings are cast to.
        input_ids: int[B, S], or None if there are embeddings.
        inputs_embeds: float[B, S, D], or None if there are ids.
        attention_mask: int or bool[B, S], or None.
        global_attention_mask: int[B, S], or None.
        head_mask: float[L, N] or [N], or None.

    Returns:
        DocumentInputs.

    Raises:
        ValueError: on ids, masks or lengths that do not fit.
    """
    names = ("input_ids", "inputs_embeds")
    ids, embeds = _ids_or_embeds(config, dtype, input_ids, inputs_embeds, names)
    name, tokens = (names[0], ids) if embeds is None else (names[1], embeds)
    tokens = validation.validate_length(
        tokens,
        static_or_dynamic(tokens, 1),
        config.max_encoder_position_embeddings,
        name,
        "max_encoder_position_embeddings",
    )
    shape = [static_or_dynamic(tokens, 0), static_or_dynamic(tokens, 1)]
    document = DocumentInputs(
        attention_mask=validation.validate_mask(
            attention_mask, "attention_mask", shape
        ),
        global_attention_mask=validation.validate_global_mask(
            global_attention_mask, "global_attention_mask", shape
        ),
        head_mask=validation.validate_head_mask(
            head_mask,
            "head_mask",
            config.encoder_layers,
            config.encoder_attention_heads,
        ),
    )
    if embeds is not None:
        tokens = validation.clear_masked(tokens, document.attention_mask)
    return document._replace(**{name: tokens})


def validate_decoder_inputs(
    config,
    dtype,
    *,
    input_ids=None,
    inputs_embeds=None,
    attention_mask=None,
    head_mask=None,
    cross_head_mask=None,
    past_key_values=None,
    document=None,
    document_mask=None,
):
    """Checks and casts what the decoder reads beside the document's states.

    Args:
        config: LEDConfig.
        dtype: str, what embeddings are cast to.
        input_ids: int[B, T], or None if there are embeddings.
        inputs_embeds: float[B, T, D], or None if there are ids.
        attention_mask: int or bool[B, P + T], or None.
        head_mask: float[L, N] or [N], or None.
        cross_head_mask: float[L, N] or [N], or None.
        past_key_values: what an earlier call over P tokens returned, or None.
        document: checked tensor [B, S, ...] of the document, or None if there is none.
        document_mask: int or bool[B, S], or None. It is checked only where the cache
            holds the document; with `document` it has been.

    Returns:
        DecoderInputs.

    Raises:
        ValueError: on ids, masks, a cache or lengths that do not fit.
    """
    past = _validate_past(past_key_values, config.decoder_layers)
    past_len = 0 if past is None else static_or_dynamic(past[0][0], 2)
    names = ("decoder_input_ids", "decoder_inputs_embeds")
    ids, embeds = _ids_or_embeds(config, dtype, input_ids, inputs_embeds, names)
    tokens = ids if embeds is None else embeds
    tokens = validation.validate_length(
        tokens,
        past_len + static_or_dynamic(tokens, 1),
        config.max_decoder_position_embeddings,
        names[0],
        "max_decoder_position_embeddings",
    )
    if past is not None and len(past[0]) == 4:
        document = past[0][2]  # [B, N, S, H]
        shape = [static_or_dynamic(document, 0), static_or_dynamic(document, 2)]
        document_mask = validation.validate_mask(document_mask, "attention_mask", shape)
    if document is not None:
        tokens = validation.validate_batch(tokens, document)
    shape = [static_or_dynamic(tokens, 0), past_len + static_or_dynamic(tokens, 1)]
    sizes = (config.decoder_layers, config.decoder_attention_heads)
    inputs = DecoderInputs(
        attention_mask=validation.validate_mask(
            attention_mask, "decoder_attention_mask", shape
        ),
        head_mask=validation.validate_head_mask(head_mask, "decoder_head_mask", *sizes),
        cross_head_mask=validation.validate_head_mask(
            cross_head_mask, "cross_attn_head_mask", *sizes
        ),
        past_key_values=past,
        document_mask=document_mask,
    )
    if embeds is None:
        return inputs._replace(input_ids=tokens)
    mask = inputs.attention_mask
    mask = None if mask is None else mask[:, past_len:]
    return inputs._replace(inputs_embeds=validation.clear_masked(tokens, mask))


def validate_states(config, dtype, states, attention_mask, name):
    """Checks and casts the encoder's states as a user hands them in, and their mask.

    Args:
        config: LEDConfig.
        dtype: str, what the states are cast to.
        states: float[B, S, D].
        attention_mask: int or bool[B, S], or None.
        name: str, what messages call the states.

    Returns:
        float[B, S, D], and bool[B, S] or None.

    Raises:
        ValueError: on states or a mask that do not fit.
    """
    states = validation.validate_embeds(states, name, config.d_model, dtype)
    shape = [static_or_dynamic(states, 0), static_or_dynamic(states, 1)]
    mask = validation.validate_mask(attention_mask, "attention_mask", shape)
    return validation.clear_masked(states, mask), mask


def validate_inputs(
    config,
    dtype,
    *,
    input_ids=None,
    attention_mask=None,
    decoder_input_ids=None,
    decoder_attention_mask=None,
    head_mask=None,
    decoder_head_mask=None,
    encoder_outputs=None,
    global_attention_mask=None,
    past_key_values=None,
    inputs_embeds=None,
    decoder_inputs_embeds=None,
    cross_attn_head_mask=None,
    start=None,
):
    """Checks and casts what a call of a model is given.

    Args:
        config: LEDConfig.
        dtype: str, what embeddings and states are cast to.
        input_ids: as in a call of `TFLEDModel`, like all that follow.
        attention_mask: likewise.
        decoder_input_ids: likewise.
        decoder_attention_mask: likewise.
        head_mask: likewise.
        decoder_head_mask: likewise.
        encoder_outputs: likewise.
        global_attention_mask: likewise.
        past_key_values: likewise.
        inputs_embeds: likewise.
        decoder_inputs_embeds: likewise.
        cross_attn_head_mask: likewise.
        start: callable of `config` and the checked `input_ids` (or None) that makes the
            ids from which a decoder starts that is given nothing; None for
            `shifted_document`.

    Returns:
        ModelInputs.

    Raises:
        ValueError: on what does not fit, or does not fit together.
    """
    document, encoder_outputs = _read_document(
        config,
        dtype,
        encoder_outputs,
        past_key_values,
        input_ids=input_ids,
        inputs_embeds=inputs_embeds,
        attention_mask=attention_mask,
        global_attention_mask=global_attention_mask,
        head_mask=head_mask,
    )
    if decoder_input_ids is None and decoder_inputs_embeds is None:
        start = shifted_document if start is None else start
        decoder_input_ids = start(config, document.input_ids)
    if document.attention_mask is not None:
        attention_mask = document.attention_mask
    decoder = validate_decoder_inputs(
        config,
        dtype,
        input_ids=decoder_input_ids,
        inputs_embeds=decoder_inputs_embeds,
        attention_mask=decoder_attention_mask,
        head_mask=decoder_head_mask,
        cross_head_mask=cross_attn_head_mask,
        past_key_values=past_key_values,
        document=_first_given(
            None if encoder_outputs is None else encoder_outputs.last_hidden_state,
            document.input_ids,
            document.inputs_embeds,
        ),
        document_mask=attention_mask,
    )
    return ModelInputs(document, decoder, encoder_outputs)


def _read_document(config, dtype, encoder_outputs, past_key_values, **inputs):
    """The document's inputs, and the encoder's outputs as far as it need not run."""
    given = (inputs["input_ids"], inputs["inputs_embeds"])
    is_given = any(value is not None for value in given)
    if encoder_outputs is None and (is_given or past_key_values is None):
        return validate_document(config, dtype, **inputs), None
    if encoder_outputs is None:
        # The cache holds all that the decoder needs of the document.
        return DocumentInputs(), TFLEDEncoderBaseModelOutput()
    encoded = as_encoder_output(encoder_outputs)
    states, mask = validate_states(
        config,
        dtype,
        encoded.last_hidden_state,
        inputs["attention_mask"],
        "encoder_outputs",
    )
    ids = inputs["input_ids"]
    if ids is not None:
        ids = validation.validate_ids(ids, "input_ids", config.vocab_size)
    encoded = TFLEDEncoderBaseModelOutput({**encoded, "last_hidden_state": states})
    return DocumentInputs(input_ids=ids, attention_mask=mask), encoded


def shifted_document(config, input_ids):
    """Starts the decoder from the document, shifted right.

    Args:
        config: LEDConfig.
        input_ids: int32[B, S], or None.

    Returns:
        int32[B, S].

    Raises:
        ValueError: if there are no ids, or more than the decoder has positions.
    """
    if input_ids is None:
        raise input_error(
            "Without `input_ids` there is nothing to make decoder inputs from: "
            "give `decoder_input_ids`, `decoder_inputs_embeds` or, in training, "
            "`labels`."
        )
    length, limit = input_ids.shape[1], config.max_decoder_position_embeddings
    if length is not None and length > limit:
        raise input_error(
            "Without decoder inputs the decoder starts from the shifted "
            f"`input_ids`, but these are {length} tokens and it has {limit} "
            "positions (`max_decoder_position_embeddings`). Give "
            "`decoder_input_ids` or, in training, `labels`."
        )
    return shift_tokens_right(
        input_ids, config.pad_token_id, config.decoder_start_token_id
    )


def as_encoder_output(outputs):
    """Takes an encoder's output as struct, mapping, tuple or bare hidden states.

    Args:
        outputs: what a call of the encoder returned, or its fields.

    Returns:
        TFLEDEncoderBaseModelOutput.

    Raises:
        ValueError: on other fields, or too many.
    """
    names = TFLEDEncoderBaseModelOutput.fields()
    if not is_mapping(outputs):
        outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        if not 1 <= len(outputs) <= len(names):
            raise input_error(
                f"`encoder_outputs` has {len(outputs)} entries; expected 1 to "
                f"{len(names)}: {', '.join(names)}."
            )
        outputs = dict(zip(names, outputs, strict=False))
    if not {names[0]} <= set(outputs) <= set(names):
        raise input_error(
            f"`encoder_outputs` has the fields {list(outputs)}; expected "
            f"last_hidden_state, and perhaps {', '.join(names[1:])}."
        )
    return TFLEDEncoderBaseModelOutput(outputs)


def _first_given(*values):
    return next((value for value in values if value is not None), None)


def _ids_or_embeds(config, dtype, ids, embeds, names):
    """Exactly one of the two, checked; the other is None."""
    if (ids is None) == (embeds is None):
        given = "both" if ids is not None else "neither"
        raise input_error(f"Give either `{names[0]}` or `{names[1]}`, got {given}.")
    if ids is not None:
        return validation.validate_ids(ids, names[0], config.vocab_size), None
    return None, validation.validate_embeds(embeds, names[1], config.d_model, dtype)


def _validate_past(past_key_values, num_layers):
    if past_key_values is None:
        return None
    sizes = [
        len(layer) if isinstance(layer, (tuple, list)) else 0
        for layer in past_key_values
    ]
    if len(sizes) != num_layers or set(sizes) - {2, 4}:
        raise input_error(
            f"`past_key_values` has {len(sizes)} entries of sizes {sizes}; "
            f"expected {num_layers} of 4 tensors, as an earlier call returned them."
        )
    return past_key_values
