"""The encoder: embeddings and layers of windowed and global attention."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.layers.encoder_layer import EncoderLayer
from tf_led.layers.initializers import Normal
from tf_led.layers.token_embedding import TokenEmbedding
from tf_led.models.backbone.layer_stack import LayerStack, choose, per_layer
from tf_led.models.backbone.model_inputs import DocumentInputs, validate_document
from tf_led.models.config import (
    LEDConfig,
    check_bound,
    check_supported,
    split_config,
    window_radii,
)
from tf_led.models.inputs.named_inputs import NamedInputs, static_or_dynamic
from tf_led.models.inputs.validation import input_error, raise_where
from tf_led.models.outputs import TFLEDEncoderBaseModelOutput
from tf_led.ops.control_flow import in_xla
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.global_attention import count_global_tokens, find_global_tokens
from tf_led.utils.annotations import Inputs, TensorLike
from tf_led.utils.versions import config_from_dict


@keras.saving.register_keras_serializable(package="tf_led")
class TFLEDEncoder(NamedInputs, LayerStack, keras.layers.Layer):
    """LED's encoder; `model.get_encoder()` gives a model's own.

    Call arguments, in this order: `input_ids` int[B, S] or `inputs_embeds` float[B, S,
    D]; `attention_mask` int or bool[B, S], 0 for padding; `global_attention_mask`
    int[B, S], 1 for global tokens, -1 for masked ones; `head_mask` float[L, N];
    `output_attentions`, `output_hidden_states`, `return_dict`: bool or None for the
    config's; `training` bool. Returns `TFLEDEncoderBaseModelOutput`.

    Args:
        config: LEDConfig; read, never changed.
        embed_tokens: `TokenEmbedding` to share, or None for one of its own.
        max_global_tokens: int or None, a bound on the global tokens of a row. Only
            attention probabilities under XLA need one: there their width must be
            static. A row with more raises when they are requested; under XLA, which
            cannot raise, its batch gives NaN.
        attention_implementation: string, see `TFLEDPreTrainedModel`.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: on a config that LED cannot have, or on an implementation that is
            not known.

    Source: Longformer (arXiv 2004.05150), sections 3 and 7.

    Example:
        >>> from tf_led.models.backbone.encoder import TFLEDEncoder
        >>> from tf_led.testing import tiny_config
        >>> encoder = TFLEDEncoder(tiny_config())
        >>> encoder(input_ids=[[0, 5, 7, 2]]).last_hidden_state.shape
        TensorShape([1, 4, 12])
    """

    def __init__(
        self,
        config: LEDConfig,
        embed_tokens: keras.layers.Layer | None = None,
        max_global_tokens: int | None = None,
        attention_implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_supported(config)
        check_bound(max_global_tokens)
        self.config = config
        self.max_global_tokens = max_global_tokens
        self.attention_implementation = attention_implementation
        self.embed_tokens = embed_tokens or token_embedding(config, self.dtype_policy)
        self.embed_positions = keras.layers.Embedding(
            config.max_encoder_position_embeddings,
            config.d_model,
            embeddings_initializer=Normal(config.init_std),
            name="embed_positions",
            dtype=self.dtype_policy,
        )
        self.layernorm_embedding = sublayers.layer_norm(
            "layernorm_embedding", self.dtype_policy
        )
        self.add_layers(self._make_layer(r) for r in window_radii(config))
        self.seed_generator = keras.random.SeedGenerator()
        self.build()

    def _make_layer(self, radius):
        config = self.config
        return EncoderLayer(
            config.d_model,
            config.encoder_attention_heads,
            radius,
            config.encoder_ffn_dim,
            activation=config.activation_function,
            dropout_rate=config.dropout,
            attention_dropout=config.attention_dropout,
            activation_dropout=config.activation_dropout,
            init_std=config.init_std,
            attention_implementation=self.attention_implementation,
            dtype=self.dtype_policy,
        )

    def build(self, input_shape=None):
        dim = self.config.d_model
        if not self.embed_tokens.built:
            self.embed_tokens.build((None, None))
        self.embed_positions.build((None,))
        self.layernorm_embedding.build((None, None, dim))
        self.build_layers()
        self.built = True

    if TYPE_CHECKING:  # `call`, for who calls the layer

        def __call__(
            self, input_ids: Inputs | None = None, *inputs: Any, **arguments: Any
        ) -> TFLEDEncoderBaseModelOutput: ...

    def call(
        self,
        input_ids: TensorLike | None = None,
        inputs_embeds: TensorLike | None = None,
        attention_mask: TensorLike | None = None,
        global_attention_mask: TensorLike | None = None,
        head_mask: TensorLike | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> TFLEDEncoderBaseModelOutput | tuple[Any, ...]:
        document = validate_document(
            self.config,
            self.compute_dtype,
            input_ids=input_ids,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            head_mask=head_mask,
        )
        output = self.encode(
            document,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            training=training,
        )
        return_dict = choose(return_dict, self.config.return_dict)
        return output if return_dict else output.to_tuple()

    def encode(
        self,
        document: DocumentInputs,
        *,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        training: bool = False,
    ) -> TFLEDEncoderBaseModelOutput:
        """Encodes documents whose inputs have been checked.

        Args:
            document: `DocumentInputs`, as `validate_document` makes them.
            output_attentions: bool, or None for the config's.
            output_hidden_states: bool, or None for the config's.
            training: bool.

        Returns:
            TFLEDEncoderBaseModelOutput.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.models.backbone.encoder import TFLEDEncoder
            >>> from tf_led.models.backbone.model_inputs import DocumentInputs
            >>> from tf_led.testing import tiny_config
            >>> document = DocumentInputs(tf.constant([[0, 5, 7, 2]]))
            >>> TFLEDEncoder(tiny_config()).encode(document).last_hidden_state.shape
            TensorShape([1, 4, 12])
        """
        config = self.config
        output_attentions = choose(output_attentions, config.output_attentions)
        seed = self.draw_seed(training)
        hidden = self._embed(document, fold_seed(seed, 0))
        padding_mask, global_mask = merge_masks(
            hidden, document.attention_mask, document.global_attention_mask
        )
        global_tokens = None
        if global_mask is not None:
            hidden, global_tokens = self._find_global_tokens(
                hidden, global_mask, output_attentions
            )

        def run_layer(index, layer, hidden, head_mask, *, seed):
            return layer(
                hidden,
                padding_mask,
                global_mask=global_mask,
                global_tokens=global_tokens,
                head_mask=head_mask,
                seed=seed,
                output_attentions=output_attentions,
            )

        hidden, states, attentions = self.run_layers(
            run_layer,
            hidden,
            extras=[[mask] for mask in per_layer(document.head_mask, self.num_layers)],
            seed=fold_seed(seed, 1),
            drop_rate=config.encoder_layerdrop,
            output_attentions=output_attentions,
            keeps_nothing=True,
        )
        probs, global_probs = attentions or (None, None)
        keep_states = choose(output_hidden_states, config.output_hidden_states)
        return TFLEDEncoderBaseModelOutput(
            last_hidden_state=hidden,
            hidden_states=states if keep_states else None,
            attentions=probs,
            global_attentions=None if global_mask is None else global_probs,
        )

    def _embed(self, document, seed):
        embeds = document.inputs_embeds
        if embeds is None:
            embeds = self.embed_tokens(document.input_ids)
        length = static_or_dynamic(embeds, 1)
        hidden = embeds + self.embed_positions(tf.range(length))
        return dropout(self.layernorm_embedding(hidden), self.config.dropout, seed)

    def _find_global_tokens(self, hidden, global_mask, output_attentions):
        """Finds the global tokens once for all layers.

        There are as many places as needed, or as the bound says where probabilities
        are returned.

        Returns:
            `hidden`, and GlobalTokens; or None under XLA, where each layer has a few
            static sizes to choose from, unless probabilities are returned. XLA cannot
            raise for a row with more global tokens than the bound: there `hidden`
            becomes NaN, so that none is lost in silence.
        """
        bound = self.max_global_tokens if output_attentions else None
        if bound is None and not in_xla():
            num_global = count_global_tokens(global_mask)
            return hidden, find_global_tokens(global_mask, num_global)
        if not output_attentions:
            return hidden, None
        if bound is None:
            raise input_error(
                "Attention probabilities under jit_compile=True need a static number "
                "of global tokens: build the model with max_global_tokens=n, or drop "
                "output_attentions or jit_compile."
            )
        num_global = count_global_tokens(global_mask)
        is_beyond = num_global > bound
        raise_where(
            is_beyond,
            num_global,
            "A row of `global_attention_mask` has",
            f" global tokens, but the model was built with max_global_tokens={bound}.",
        )
        if in_xla():
            hidden = tf.where(is_beyond, tf.constant(np.nan, hidden.dtype), hidden)
        source_len = static_or_dynamic(global_mask, 1)
        smaller = min if isinstance(source_len, int) else tf.minimum
        return hidden, find_global_tokens(global_mask, smaller(bound, source_len))

    def get_config(self):
        return {
            **super().get_config(),
            "config": self.config.to_dict(),
            "max_global_tokens": self.max_global_tokens,
            "attention_implementation": self.attention_implementation,
        }

    @classmethod
    def from_config(cls, config):
        fields, options = split_config(config)
        return cls(config_from_dict(LEDConfig, fields), **options)


def token_embedding(config, dtype):
    """The embedding that encoder, decoder and output projection share."""
    return TokenEmbedding(
        config.vocab_size,
        config.d_model,
        pad_token_id=config.pad_token_id,
        init_std=config.init_std,
        name="shared",
        dtype=dtype,
    )


def merge_masks(hidden, attention_mask, global_attention_mask):
    """Turns the two masks of a document into what may be seen and what is global.

    Args:
        hidden: float[B, S, D].
        attention_mask: bool[B, S], or None for no padding.
        global_attention_mask: int32[B, S] of 1, 0 and -1, or None.

    Returns:
        padding_mask bool[B, S], True for real tokens, and global_mask bool[B, S], True
        for global ones, or None. Padding is never global, and -1 makes padding.
    """
    if attention_mask is None:
        shape = [static_or_dynamic(hidden, 0), static_or_dynamic(hidden, 1)]
        attention_mask = tf.ensure_shape(tf.ones(shape, tf.bool), hidden.shape[:2])
    if global_attention_mask is None:
        return attention_mask, None
    padding_mask = attention_mask & (global_attention_mask >= 0)
    return padding_mask, padding_mask & (global_attention_mask > 0)
