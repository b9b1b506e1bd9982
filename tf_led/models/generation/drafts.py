"""Where the drafts of a call of `generate` come from."""

import keras
import tensorflow as tf

from tf_led.generation.assistant import AssistantDrafts
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.prompt_lookup import DEFAULT_NGRAM_SIZE, PromptLookup
from tf_led.models.generation.generation_inputs import GenerationInputs
from tf_led.models.generation.model_call_step import has_own_call
from tf_led.models.generation.start import encode_document, make_step
from tf_led.models.inputs import validation


def check_assistant(assistant, model, inputs):
    """Checks that a model can write drafts for another one.

    Args:
        assistant: what was given as `assistant_model`.
        model: the model that generates.
        inputs: GenerationInputs.

    Raises:
        TypeError: if it is no model that generates.
        ValueError: if its vocabulary is another, or there are no ids for it to read.
    """
    is_model = isinstance(assistant, keras.Model) and hasattr(assistant, "generate")
    if not is_model or has_own_call(type(assistant)):
        raise TypeError(
            "`assistant_model` must be a TFLEDForConditionalGeneration with the `call` "
            f"that it comes with, got {type(assistant).__name__}."
        )
    assistant.check_config()
    sizes = assistant.config.vocab_size, model.config.vocab_size
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"`assistant_model` has {sizes[0]} tokens, this model {sizes[1]}: take one "
            "with the same tokenizer."
        )
    if inputs.input_ids is None:
        given = "inputs_embeds" if inputs.encoder_outputs is None else "encoder_outputs"
        raise ValueError(
            "`assistant_model` reads the document, too: give `input_ids`, got "
            f"`{given}` alone."
        )


def make_drafts(options, inputs, step, assistant=None):
    """Chooses where drafts come from.

    Args:
        options: GenerationOptions.
        inputs: GenerationInputs.
        step: the step function of the model that generates.
        assistant: the model that writes them, or None.

    Returns:
        PromptLookup, AssistantDrafts, or None if none were requested.

    Raises:
        ValueError: if the step function cannot read several tokens; if the document is
            too long for the assistant.
    """
    if not options.draft_options:
        return None
    (name,) = options.draft_options
    count = getattr(options, name)
    if not getattr(step, "reads_several", False):
        given = (
            f"`{name}` is {count}"
            if assistant is None
            else "`assistant_model` is given"
        )
        raise ValueError(
            f"{given}, but a model with a `call` of its own reads one token after "
            "another. Leave it out."
        )
    if assistant is not None:
        step = _assistant_step(assistant, options, inputs)
        return AssistantDrafts(count, step)
    return PromptLookup(
        count,
        document_ids=inputs.input_ids,
        max_ngram_size=options.max_matching_ngram_size or DEFAULT_NGRAM_SIZE,
    )


def _assistant_step(assistant, options, inputs):
    """The assistant's step function, for which its encoder reads the document."""
    own = GenerationInputs(
        input_ids=_that_fit(inputs.input_ids, assistant.config),
        attention_mask=inputs.attention_mask,
        global_attention_mask=inputs.global_attention_mask,
    )
    plain = GenerationOptions(decoder_dtype=options.decoder_dtype)
    encoded = encode_document(assistant, plain, own)
    return make_step(assistant, plain, own, encoded.last_hidden_state)


def _that_fit(ids, config):
    return validation.validate_length(
        ids,
        ids.shape[1] or tf.shape(ids)[1],
        config.max_encoder_position_embeddings,
        "input_ids` of the `assistant_model",
        "max_encoder_position_embeddings",
    )
