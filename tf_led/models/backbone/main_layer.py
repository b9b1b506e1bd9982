"""Encoder and decoder joined, under every head."""

import keras

from tf_led.models.backbone.config import LEDConfig, is_tied, split_config
from tf_led.models.backbone.decoder import TFLEDDecoder
from tf_led.models.backbone.encoder import TFLEDEncoder, token_embedding
from tf_led.models.backbone.layer_stack import choose
from tf_led.models.backbone.outputs import (
    TFLEDEncoderBaseModelOutput,
    TFLEDSeq2SeqModelOutput,
)
from tf_led.models.inputs import validation as checks
from tf_led.models.inputs.named_inputs import NamedInputs, is_mapping
from tf_led.models.inputs.validation import input_error
from tf_led.ops.losses import shift_tokens_right
from tf_led.utils.versions import config_from_dict


@keras.saving.register_keras_serializable(package="tf_led")
class TFLEDMainLayer(NamedInputs, keras.layers.Layer):
    """LED without a head; `model.led` of every model.

    Call arguments and result: those of `TFLEDModel`.

    Args:
        config: LEDConfig; read, never changed.
        max_global_tokens: int or None, see `TFLEDEncoder`.
        attention_implementation: string, see `TFLEDPreTrainedModel`.
        **kwargs: of `keras.layers.Layer`.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> output = model.led(input_ids=[[0, 5, 7, 2]])
        >>> output.last_hidden_state.shape
        TensorShape([1, 4, 12])
    """

    def __init__(
        self,
        config,
        max_global_tokens=None,
        attention_implementation="auto",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.config = config
        self.shared = token_embedding(config, self.dtype_policy)
        table = self.shared if is_tied(config) else None
        if table is None:
            # As in PyTorch 5: encoder and decoder have tables of their own, and this
            # one is kept, saved and not used.
            self.shared.build((None, None))
            self.shared.trainable = False
        self.encoder = TFLEDEncoder(
            config,
            table,
            max_global_tokens,
            attention_implementation,
            name="encoder",
            dtype=self.dtype_policy,
        )
        self.decoder = TFLEDDecoder(
            config, table, name="decoder", dtype=self.dtype_policy
        )
        self.built = True

    def call(
        self,
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
        use_cache=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
        training=False,
        *,
        cross_attn_head_mask=None,
    ):
        options = {
            "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states,
            "return_dict": True,
            "training": training,
        }
        needs_decoder_ids = decoder_input_ids is None and decoder_inputs_embeds is None
        if needs_decoder_ids and input_ids is not None:
            decoder_input_ids = self._default_decoder_ids(input_ids)
        encoded = self._encode(
            encoder_outputs,
            past_key_values,
            input_ids=input_ids,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            head_mask=head_mask,
            **options,
        )
        if needs_decoder_ids and decoder_input_ids is None:
            raise input_error(
                "Without `input_ids` there is nothing to make decoder inputs from: "
                "give `decoder_input_ids`, `decoder_inputs_embeds` or, in training, "
                "`labels`."
            )
        decoded = self.decoder(
            input_ids=decoder_input_ids,
            inputs_embeds=decoder_inputs_embeds,
            attention_mask=decoder_attention_mask,
            encoder_hidden_states=encoded.last_hidden_state,
            encoder_attention_mask=attention_mask,
            head_mask=decoder_head_mask,
            encoder_head_mask=cross_attn_head_mask,
            past_key_values=past_key_values,
            use_cache=use_cache,
            **options,
        )
        output = TFLEDSeq2SeqModelOutput(
            last_hidden_state=decoded.last_hidden_state,
            past_key_values=decoded.past_key_values,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            cross_attentions=decoded.cross_attentions,
            encoder_last_hidden_state=encoded.last_hidden_state,
            encoder_hidden_states=encoded.hidden_states,
            encoder_attentions=encoded.attentions,
            encoder_global_attentions=encoded.global_attentions,
        )
        return_dict = choose(return_dict, self.config.return_dict)
        return output if return_dict else output.to_tuple()

    def _encode(self, encoder_outputs, past_key_values, **inputs):
        if encoder_outputs is not None:
            return as_encoder_output(encoder_outputs)
        has_input = not (
            inputs["input_ids"] is None and inputs["inputs_embeds"] is None
        )
        if past_key_values is not None and not has_input:
            # The cache holds all that the decoder needs of the document.
            return TFLEDEncoderBaseModelOutput()
        return self.encoder(**inputs)

    def _default_decoder_ids(self, input_ids):
        config = self.config
        ids = checks.as_ids(input_ids, "input_ids", config.vocab_size)
        length, limit = ids.shape[1], config.max_decoder_position_embeddings
        if length is not None and length > limit:
            raise input_error(
                "Without decoder inputs the decoder starts from the shifted "
                f"`input_ids`, but these are {length} tokens and it has {limit} "
                "positions (`max_decoder_position_embeddings`). Give "
                "`decoder_input_ids` or, in training, `labels`."
            )
        return shift_tokens_right(
            ids, config.pad_token_id, config.decoder_start_token_id
        )

    def get_config(self):
        return {
            **super().get_config(),
            "config": self.config.to_dict(),
            "max_global_tokens": self.encoder.max_global_tokens,
            "attention_implementation": self.encoder.attention_implementation,
        }

    @classmethod
    def from_config(cls, config):
        fields, options = split_config(config)
        return cls(config_from_dict(LEDConfig, fields), **options)


def as_encoder_output(outputs):
    """Takes an encoder's output as struct, mapping, tuple or bare hidden states."""
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
