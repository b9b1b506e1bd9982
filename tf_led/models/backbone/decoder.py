"""The decoder: attention to its own tokens so far, and to the document."""

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.layers.decoder_attention import KeyValue
from tf_led.layers.decoder_layer import DecoderLayer
from tf_led.layers.initializers import Normal
from tf_led.models.backbone.encoder import token_embedding
from tf_led.models.backbone.layer_stack import LayerStack, choose, per_layer
from tf_led.models.backbone.model_inputs import (
    validate_decoder_inputs,
    validate_states,
)
from tf_led.models.config import LEDConfig, check_supported, split_config
from tf_led.models.inputs.named_inputs import NamedInputs, static_or_dynamic
from tf_led.models.outputs import TFLEDDecoderOutput
from tf_led.ops.control_flow import chain_gradients, control_dependency
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.masks import causal_mask
from tf_led.utils.annotations import Inputs, TensorLike
from tf_led.utils.versions import config_from_dict


@keras.saving.register_keras_serializable(package="tf_led")
class TFLEDDecoder(NamedInputs, LayerStack, keras.layers.Layer):
    """LED's decoder; `model.get_decoder()` gives a model's own.

    Call arguments, in this order: `input_ids` int[B, T] or `inputs_embeds` float[B, T,
    D]; `attention_mask` int or bool[B, P + T], 0 for padding; `encoder_hidden_states`
    float[B, S, D]; `encoder_attention_mask` int or bool[B, S]; `head_mask` float[L, N];
    `encoder_head_mask` float[L, N], of the cross-attention; `past_key_values` of an
    earlier call over P tokens; `use_cache`, `output_attentions`,
    `output_hidden_states`, `return_dict`: bool or None for the config's; `training`
    bool. Returns `TFLEDDecoderOutput`.

    Args:
        config: LEDConfig; read, never changed.
        embed_tokens: `TokenEmbedding` to share, or None for one of its own.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: on a config that LED cannot have.

    Source: BART (arXiv 1910.13461), as LED has it (arXiv 2004.05150, section 7).

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.models.backbone.decoder import TFLEDDecoder
        >>> from tf_led.testing import tiny_config
        >>> decoder = TFLEDDecoder(tiny_config())
        >>> states = tf.zeros([1, 5, 12])
        >>> output = decoder(input_ids=[[2, 7]], encoder_hidden_states=states)
        >>> output.last_hidden_state.shape
        TensorShape([1, 2, 12])
    """

    def __init__(
        self,
        config: LEDConfig,
        embed_tokens: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_supported(config)
        self.config = config
        self.embed_tokens = embed_tokens or token_embedding(config, self.dtype_policy)
        self.embed_positions = keras.layers.Embedding(
            config.max_decoder_position_embeddings,
            config.d_model,
            embeddings_initializer=Normal(config.init_std),
            name="embed_positions",
            dtype=self.dtype_policy,
        )
        self.layernorm_embedding = sublayers.layer_norm(
            "layernorm_embedding", self.dtype_policy
        )
        self.add_layers(self._make_layer() for _ in range(config.decoder_layers))
        self.seed_generator = keras.random.SeedGenerator()
        self.build()

    def _make_layer(self):
        config = self.config
        return DecoderLayer(
            config.d_model,
            config.decoder_attention_heads,
            config.decoder_ffn_dim,
            activation=config.activation_function,
            dropout_rate=config.dropout,
            attention_dropout=config.attention_dropout,
            activation_dropout=config.activation_dropout,
            init_std=config.init_std,
            dtype=self.dtype_policy,
        )

    def build(self, input_shape=None):
        if not self.embed_tokens.built:
            self.embed_tokens.build((None, None))
        self.embed_positions.build((None,))
        self.layernorm_embedding.build((None, None, self.config.d_model))
        self.build_layers()
        self.built = True

    if TYPE_CHECKING:  # `call`, for who calls the layer

        def __call__(
            self, input_ids: Inputs | None = None, *inputs: Any, **arguments: Any
        ) -> TFLEDDecoderOutput: ...

    def call(
        self,
        input_ids: TensorLike | None = None,
        inputs_embeds: TensorLike | None = None,
        attention_mask: TensorLike | None = None,
        encoder_hidden_states: TensorLike | None = None,
        encoder_attention_mask: TensorLike | None = None,
        head_mask: TensorLike | None = None,
        encoder_head_mask: TensorLike | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> TFLEDDecoderOutput | tuple[Any, ...]:
        states, document_mask = encoder_hidden_states, encoder_attention_mask
        if states is not None:
            states, document_mask = validate_states(
                self.config,
                self.compute_dtype,
                states,
                document_mask,
                "encoder_hidden_states",
            )
        inputs = validate_decoder_inputs(
            self.config,
            self.compute_dtype,
            input_ids=input_ids,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            head_mask=head_mask,
            cross_head_mask=encoder_head_mask,
            past_key_values=past_key_values,
            document=states,
            document_mask=document_mask,
        )
        output = self.decode(
            inputs,
            states,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            training=training,
        )
        return_dict = choose(return_dict, self.config.return_dict)
        return output if return_dict else output.to_tuple()

    def decode(
        self,
        inputs: Any,
        document: Any,
        *,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        training: bool = False,
    ) -> TFLEDDecoderOutput:
        """Decodes inputs that have been checked.

        Args:
            inputs: `DecoderInputs`, as `validate_decoder_inputs` makes them.
            document: float[B, S, D] of the encoder; None for none, or where the cache
                holds it.
            use_cache: bool, or None for the config's.
            output_attentions: bool, or None for the config's.
            output_hidden_states: bool, or None for the config's.
            training: bool.

        Returns:
            TFLEDDecoderOutput.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.models.backbone.decoder import TFLEDDecoder
            >>> from tf_led.models.backbone.model_inputs import DecoderInputs
            >>> from tf_led.testing import tiny_config
            >>> decoder = TFLEDDecoder(tiny_config())
            >>> inputs = DecoderInputs(tf.constant([[2, 7]]))
            >>> decoder.decode(inputs, tf.zeros([1, 5, 12])).last_hidden_state.shape
            TensorShape([1, 2, 12])
        """
        config, past = self.config, inputs.past_key_values
        output_attentions = choose(output_attentions, config.output_attentions)
        seed = self.draw_seed(training)
        past_len = 0 if past is None else static_or_dynamic(past[0][0], 2)
        hidden = self._embed(inputs, past_len, fold_seed(seed, 0))
        self_attention_mask = _self_attention_mask(
            hidden, past_len, inputs.attention_mask
        )
        cross_attention_mask = tf.constant(True)
        if inputs.document_mask is not None:
            cross_attention_mask = inputs.document_mask[:, None, None, :]
        if past is not None and len(past[0]) == 4:
            document = None  # its keys are in the cache
        cache = []
        use_cache = choose(use_cache, config.use_cache) and not training

        def run_layer(
            index, layer, hidden, document, head_mask, cross_head_mask, *past, seed
        ):
            keys = layer.extend_keys(hidden, KeyValue(*past[:2]) if past else None)
            cross = None
            if document is not None:
                cross = layer.encoder_attn.project(control_dependency(document, hidden))
            cross = KeyValue(*past[2:]) if len(past) == 4 else cross
            cache.append((*keys, *(cross or ())))
            return layer(
                hidden,
                keys,
                self_attention_mask,
                cross_keys=cross,
                cross_attention_mask=cross_attention_mask,
                head_mask=head_mask,
                cross_head_mask=cross_head_mask,
                seed=seed,
            )

        per_layer_inputs = zip(
            _one_after_another(document, self.num_layers),
            per_layer(inputs.head_mask, self.num_layers),
            per_layer(inputs.cross_head_mask, self.num_layers),
            past or [()] * self.num_layers,
            strict=True,
        )
        hidden, states, attentions = self.run_layers(
            run_layer,
            hidden,
            extras=[[*given, *keys] for *given, keys in per_layer_inputs],
            seed=fold_seed(seed, 1),
            drop_rate=config.decoder_layerdrop,
            output_attentions=output_attentions,
            keeps_nothing=not use_cache,
        )
        self_probs, cross_probs = attentions or (None, (None,))
        keep_states = choose(output_hidden_states, config.output_hidden_states)
        return TFLEDDecoderOutput(
            last_hidden_state=hidden,
            past_key_values=tuple(cache) if use_cache else None,
            hidden_states=states if keep_states else None,
            attentions=self_probs,
            cross_attentions=None if cross_probs[0] is None else cross_probs,
        )

    def _embed(self, inputs, position, seed):
        embeds = inputs.inputs_embeds
        if embeds is None:
            embeds = self.embed_tokens(inputs.input_ids)
        return self.embed_at(embeds, position, seed)

    def embed_at(
        self, embeds: TensorLike, position: TensorLike, seed: TensorLike | None = None
    ) -> tf.Tensor:
        """Adds positions to embeddings, normalises, drops out.

        Args:
            embeds: float[B, T, D].
            position: int or int32[], of the first.
            seed: int32[2] for dropout, or None for none.

        Returns:
            float[B, T, D].

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.models.backbone.decoder import TFLEDDecoder
            >>> from tf_led.testing import tiny_config
            >>> decoder = TFLEDDecoder(tiny_config())
            >>> decoder.embed_at(tf.zeros([1, 3, 12]), position=5).shape
            TensorShape([1, 3, 12])
        """
        end = position + static_or_dynamic(embeds, 1)
        hidden = embeds + self.embed_positions(tf.range(position, end))
        hidden = self.layernorm_embedding(hidden)
        return dropout(hidden, self.config.dropout, seed)

    def embed_token(self, token_ids: TensorLike, position: TensorLike) -> tf.Tensor:
        """Embeds one token per hypothesis, all at one position.

        Args:
            token_ids: int32[B, K].
            position: int or int32[].

        Returns:
            float[B, K, D].

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.models.backbone.decoder import TFLEDDecoder
            >>> from tf_led.testing import tiny_config
            >>> decoder = TFLEDDecoder(tiny_config())
            >>> decoder.embed_token(tf.constant([[5, 7]]), position=3).shape
            TensorShape([1, 2, 12])
        """
        position = tf.convert_to_tensor(position, tf.int32)
        embeds = self.embed_tokens(token_ids) + self.embed_positions(position)
        return self.layernorm_embedding(embeds)

    def get_config(self):
        return {**super().get_config(), "config": self.config.to_dict()}

    @classmethod
    def from_config(cls, config):
        fields, options = split_config(config)
        return cls(config_from_dict(LEDConfig, fields), **options)


def _one_after_another(document, num_layers):
    """The document for each layer to read, each passed on by the one before.

    So their gradients, [B, S, D] each, are added on the way back from the last layer to
    the first, and not kept for one sum at the end.
    """
    documents = [document]
    while len(documents) < num_layers:
        documents.append(None if document is None else chain_gradients(documents[-1]))
    return documents


def _self_attention_mask(hidden, past_len, attention_mask):
    """What decoder tokens see of each other: bool[B or 1, 1, T, P + T]."""
    target_len = static_or_dynamic(hidden, 1)
    causal = causal_mask(target_len, past_len + target_len)[None, None]
    if attention_mask is None:
        return causal
    return causal & attention_mask[:, None, None, :]
