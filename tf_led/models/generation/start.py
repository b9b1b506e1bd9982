"""What a call of `generate` starts with: the encoded document, and who reads tokens."""

import tensorflow as tf

from tf_led.models.backbone.model_inputs import DocumentInputs
from tf_led.models.generation.decode_step import DecodeStep, UncachedStep
from tf_led.models.generation.model_call_step import ModelCallStep, has_own_call
from tf_led.models.inputs import validation
from tf_led.ops.attention import is_grouped


def encode_document(model, options, inputs):
    """Encodes the document, unless that has been done.

    Args:
        model: TFLEDForConditionalGeneration.
        options: GenerationOptions.
        inputs: GenerationInputs.

    Returns:
        TFLEDEncoderBaseModelOutput.
    """
    if inputs.encoder_outputs is not None:
        return inputs.encoder_outputs
    document = DocumentInputs(
        input_ids=inputs.input_ids,
        inputs_embeds=inputs.inputs_embeds,
        attention_mask=inputs.attention_mask,
        global_attention_mask=inputs.global_attention_mask,
        head_mask=inputs.head_mask,
    )
    return model.led.encoder.encode(
        document,
        output_attentions=_is_wanted(options, "output_attentions"),
        output_hidden_states=_is_wanted(options, "output_hidden_states"),
    )


def make_step(model, options, inputs, encoder_hidden, keywords=None):
    """Makes the step function of the decoding loop.

    Args:
        model: TFLEDForConditionalGeneration.
        options: GenerationOptions.
        inputs: GenerationInputs.
        encoder_hidden: float[B, S, D].
        keywords: dict of arguments of a model's own `call`.

    Returns:
        The step function, see `StepOutput`: the decoder's, or the model's own `call`.

    Raises:
        ValueError: on an option that a model with its own `call` does not take.
    """
    if has_own_call(type(model)):
        _check_no_dtype(options)
        return ModelCallStep(
            model, encoder_hidden, inputs, options=options, keywords=keywords
        )
    config = model.config
    sizes = (config.decoder_layers, config.decoder_attention_heads)
    step = DecodeStep if options.use_cache else UncachedStep
    dtype = options.decoder_dtype or model.compute_dtype
    return step(
        model.get_decoder(),
        model.prepare_scores(dtype),
        tf.cast(encoder_hidden, model.compute_dtype),
        inputs.attention_mask,
        head_mask=validation.validate_head_mask(
            inputs.decoder_head_mask, "decoder_head_mask", *sizes
        ),
        cross_head_mask=validation.validate_head_mask(
            inputs.cross_attn_head_mask, "cross_attn_head_mask", *sizes
        ),
        keep_attentions=options.needs_from_step("attentions"),
        keep_hidden=options.needs_from_step("hidden_states"),
        dtype=dtype,
        few_kernels=is_grouped(model.led.encoder.attention_implementation),
    )


def _check_no_dtype(options):
    if options.decoder_dtype is not None:
        raise ValueError(
            f"`decoder_dtype` is {options.decoder_dtype!r}, but a model with a `call` "
            "of its own computes as it does. Leave it out."
        )


def _is_wanted(options, name):
    return bool(options.return_dict_in_generate and getattr(options, name))
