"""Encoder and decoder joined, under every head."""

from typing import Any

import keras
import tensorflow as tf

from tf_led.models.backbone.decoder import TFLEDDecoder
from tf_led.models.backbone.encoder import TFLEDEncoder, token_embedding
from tf_led.models.backbone.layer_stack import choose
from tf_led.models.backbone.model_inputs import validate_inputs
from tf_led.models.config import LEDConfig, is_tied, split_config
from tf_led.models.inputs.named_inputs import NamedInputs
from tf_led.models.outputs import TFLEDSeq2SeqModelOutput
from tf_led.utils.annotations import TensorLike
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
        config: LEDConfig,
        max_global_tokens: int | None = None,
        attention_implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
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
        input_ids: TensorLike | None = None,
        attention_mask: TensorLike | None = None,
        decoder_input_ids: TensorLike | None = None,
        decoder_attention_mask: TensorLike | None = None,
        head_mask: TensorLike | None = None,
        decoder_head_mask: TensorLike | None = None,
        encoder_outputs: Any = None,
        global_attention_mask: TensorLike | None = None,
        past_key_values: Any = None,
        inputs_embeds: TensorLike | None = None,
        decoder_inputs_embeds: TensorLike | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        *,
        cross_attn_head_mask: TensorLike | None = None,
    ) -> TFLEDSeq2SeqModelOutput | tuple[Any, ...]:
        inputs = validate_inputs(
            self.config,
            self.compute_dtype,
            input_ids=input_ids,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            head_mask=head_mask,
            decoder_head_mask=decoder_head_mask,
            encoder_outputs=encoder_outputs,
            global_attention_mask=global_attention_mask,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            decoder_inputs_embeds=decoder_inputs_embeds,
            cross_attn_head_mask=cross_attn_head_mask,
        )
        output = self.run(
            inputs,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            training=training,
        )
        return_dict = choose(return_dict, self.config.return_dict)
        return output if return_dict else output.to_tuple()

    def run(
        self, inputs: Any, *, use_cache: bool | None = None, **options: Any
    ) -> TFLEDSeq2SeqModelOutput:
        """Encodes and decodes inputs that have been checked.

        Args:
            inputs: `ModelInputs`, as `validate_inputs` makes them.
            use_cache: bool, or None for the config's.
            **options: `output_attentions`, `output_hidden_states`: bool, or None for
                the config's; `training` bool.

        Returns:
            TFLEDSeq2SeqModelOutput.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.models.backbone.model_inputs import validate_inputs
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> ids = [[0, 5, 7, 2]]
            >>> inputs = validate_inputs(model.config, "float32", input_ids=ids)
            >>> model.led.run(inputs).last_hidden_state.shape
            TensorShape([1, 4, 12])
        """
        encoded = inputs.encoder_outputs
        if encoded is None:
            with tf.name_scope("encoder"):
                encoded = self.encoder.encode(inputs.document, **options)
        states = encoded.last_hidden_state
        with tf.name_scope("decoder"):
            decoded = self.decoder.decode(
                inputs.decoder, states, use_cache=use_cache, **options
            )
        return TFLEDSeq2SeqModelOutput(
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
