"""LED without a head."""

import keras

from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel


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

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.build()

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

    def weight_table(self):
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
