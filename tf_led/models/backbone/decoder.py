"""The decoder: attention to its own tokens so far, and to the document."""

import keras
import tensorflow as tf

from tf_led.layers import heads
from tf_led.layers.decoder_attention import KeyValue
from tf_led.layers.decoder_layer import DecoderLayer
from tf_led.layers.initializers import Normal
from tf_led.models.backbone.config import LEDConfig, check_supported, split_config
from tf_led.models.backbone.encoder import embed_inputs, token_embedding
from tf_led.models.backbone.layer_stack import LayerStack, choose, per_layer
from tf_led.models.backbone.outputs import TFLEDDecoderOutput
from tf_led.models.inputs import validation as checks
from tf_led.models.inputs.named_inputs import NamedInputs, static_or_dynamic
from tf_led.models.inputs.validation import input_error
from tf_led.ops.control_flow import chain_gradients, control_dependency
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.masks import causal_mask
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

    def __init__(self, config, embed_tokens=None, **kwargs):
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
        self.layernorm_embedding = heads.layer_norm(
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

    def call(
        self,
        input_ids=None,
        inputs_embeds=None,
        attention_mask=None,
        encoder_hidden_states=None,
        encoder_attention_mask=None,
        head_mask=None,
        encoder_head_mask=None,
        past_key_values=None,
        use_cache=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
        training=False,
    ):
        config = self.config
        keep_maps = choose(output_attentions, config.output_attentions)
        past = self._check_past(past_key_values)
        past_len = 0 if past is None else static_or_dynamic(past[0][0], 2)
        seed = self.draw_seed(training)
        embeds = embed_inputs(
            self,
            input_ids,
            inputs_embeds,
            ("decoder_input_ids", "decoder_inputs_embeds"),
        )
        hidden = self.embed_at(embeds, past_len, fold_seed(seed, 0))
        self_attention_mask = _self_attention_mask(hidden, past_len, attention_mask)
        document, cross_attention_mask = self._read_document(
            hidden, past, encoder_hidden_states, encoder_attention_mask
        )
        cache = []

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

        masks = (
            self._head_masks(head_mask, "decoder_head_mask"),
            self._head_masks(encoder_head_mask, "cross_attn_head_mask"),
        )
        documents = _one_after_another(document, self.num_layers)
        hidden, states, maps = self.run_layers(
            run_layer,
            hidden,
            extras=[
                [*given, *(past[i] if past else ())]
                for i, given in enumerate(zip(documents, *masks, strict=True))
            ],
            seed=fold_seed(seed, 1),
            drop_rate=config.decoder_layerdrop,
            keep_maps=keep_maps,
        )
        use_cache = choose(use_cache, config.use_cache) and not training
        output = TFLEDDecoderOutput(
            last_hidden_state=hidden,
            past_key_values=tuple(cache) if use_cache else None,
            hidden_states=states
            if choose(output_hidden_states, config.output_hidden_states)
            else None,
            attentions=maps[0] if maps else None,
            cross_attentions=maps[1] if maps and maps[1][0] is not None else None,
        )
        return output if choose(return_dict, config.return_dict) else output.to_tuple()

    def embed_at(self, embeds, position, seed=None):
        """Adds positions to embeddings, normalises, drops out.

        Args:
            embeds: float[B, T, D].
            position: int or int32[], of the first.
            seed: int32[2] for dropout, or None for none.

        Returns:
            float[B, T, D].

        Raises:
            ValueError: if the last position is beyond what the config has.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.models.backbone.decoder import TFLEDDecoder
            >>> from tf_led.testing import tiny_config
            >>> decoder = TFLEDDecoder(tiny_config())
            >>> decoder.embed_at(tf.zeros([1, 3, 12]), position=5).shape
            TensorShape([1, 3, 12])
        """
        length = static_or_dynamic(embeds, 1)
        end = checks.check_length(
            position + length,
            self.config.max_decoder_position_embeddings,
            "decoder_input_ids",
            "max_decoder_position_embeddings",
        )
        hidden = embeds + self.embed_positions(tf.range(end - length, end))
        hidden = self.layernorm_embedding(hidden)
        return dropout(hidden, self.config.dropout, seed)

    def embed_token(self, token_ids, position):
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

    def _head_masks(self, mask, name):
        num_heads = self.config.decoder_attention_heads
        mask = checks.as_head_mask(mask, name, self.num_layers, num_heads)
        return per_layer(mask, self.num_layers)

    def _check_past(self, past_key_values):
        if past_key_values is None:
            return None
        sizes = [_num_entries(layer) for layer in past_key_values]
        if len(sizes) != self.num_layers or set(sizes) - {2, 4}:
            raise input_error(
                f"`past_key_values` has {len(sizes)} entries of sizes {sizes}; "
                f"expected {self.num_layers} of 4 tensors, as an earlier call "
                "returned them."
            )
        return past_key_values

    def _read_document(self, hidden, past, states, attention_mask):
        """What cross-attention reads: states, unless cached, and what is visible."""
        if past is not None and len(past[0]) == 4:
            states, document, length_axis = None, past[0][2], 2
        elif states is not None:
            states = document = checks.as_embeds(
                states, "encoder_hidden_states", self.config.d_model, self.compute_dtype
            )
            length_axis = 1
        else:
            return None, None
        checks.check_batch(hidden.shape[0], document.shape[0])
        shape = [static_or_dynamic(document, axis) for axis in (0, length_axis)]
        visible = checks.as_mask(attention_mask, "attention_mask", shape)
        if visible is None:
            return states, tf.constant(True)
        return states, visible[:, None, None, :]

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


def _num_entries(layer):
    return len(layer) if isinstance(layer, (tuple, list)) else 0


def _self_attention_mask(hidden, past_len, attention_mask):
    """What decoder tokens see of each other: bool[B or 1, 1, T, P + T]."""
    target_len = static_or_dynamic(hidden, 1)
    key_len = past_len + target_len
    visible = causal_mask(target_len, key_len)[None, None]
    shape = [static_or_dynamic(hidden, 0), key_len]
    padding_mask = checks.as_mask(attention_mask, "decoder_attention_mask", shape)
    return visible if padding_mask is None else visible & padding_mask[:, None, None, :]
