"""LED without a head."""

from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import keras

from tf_led.models.config import LEDConfig
from tf_led.models.inputs.call_arguments import CacheArguments, ModelOptions
from tf_led.models.outputs import TFLEDSeq2SeqModelOutput
from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel
from tf_led.utils.annotations import Inputs, TensorLike


@keras.saving.register_keras_serializable(package="tf_led")
class TFLEDModel(TFLEDPreTrainedModel):
    """LED's encoder and decoder, giving the decoder's hidden states.

    Call arguments, in this order; the first may also be a dict of all: `input_ids`
    int[B, S]; `attention_mask` int or bool[B, S], 0 for padding; `decoder_input_ids`
    int[B, T], by default `input_ids` shifted right; `decoder_attention_mask` int or
    bool[B, T] (with a cache [B, P + T]); `head_mask`, `decoder_head_mask` float[L, N];
    `encoder_outputs` of `get_encoder()`; `global_attention_mask` int[B, S], 1 for
    tokens that see and are seen by all, 0, or -1 for masked ones; `past_key_values` of
    an earlier call over P tokens; `inputs_embeds` float[B, S, D] and
    `decoder_inputs_embeds` float[B, T, D] instead of ids; `use_cache`,
    `output_attentions`, `output_hidden_states`, `return_dict`: bool, or None for the
    config's; `training` bool; `cross_attn_head_mask` float[L, N], by name only. Returns
    `TFLEDSeq2SeqModelOutput`.

    Args:
        config: LEDConfig; read, never changed. Every weight is made at once.
        **kwargs: see `TFLEDPreTrainedModel`.

    Raises:
        ValueError: on a config that LED cannot have; in a call on masks, ids or lengths
            that do not fit.

    Source: Longformer (arXiv 2004.05150), section 7; transformers' class of this name.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> output = model(input_ids=[[0, 5, 7, 2]], use_cache=False)
        >>> output.last_hidden_state.shape
        TensorShape([1, 4, 12])
    """

    def __init__(self, config: LEDConfig, **kwargs: Unpack[ModelOptions]) -> None:
        super().__init__(config, **kwargs)
        self.build()

    if TYPE_CHECKING:  # `call`, for who calls the model

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: Literal[False],
            **arguments: Unpack[CacheArguments],
        ) -> tuple[Any, ...]: ...

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: bool | None = None,
            **arguments: Unpack[CacheArguments],
        ) -> TFLEDSeq2SeqModelOutput: ...

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
        return self.led.call(
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
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=return_dict,
            training=training,
            cross_attn_head_mask=cross_attn_head_mask,
        )

    def weight_table(self) -> dict[str, keras.Variable]:
        """Lists the weights by their paths, without the leading `led/`.

        Returns:
            Dict from path to keras.Variable.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> table = TFLEDModel(tiny_config()).weight_table()
            >>> table["encoder/layers/0/fc1/kernel"].shape
            TensorShape([12, 17])
        """
        return {
            path.removeprefix("led/"): variable
            for path, variable in super().weight_table().items()
        }
