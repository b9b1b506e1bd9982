"""What the heads over whole documents share: with the decoder, or without it."""

import copy
from typing import Any, Unpack

import numpy as np
import tensorflow as tf

from tf_led.models.backbone.encoder import merge_masks
from tf_led.models.backbone.model_inputs import (
    as_encoder_output,
    validate_document,
    validate_inputs,
    validate_states,
)
from tf_led.models.config import LEDConfig
from tf_led.models.inputs import validation
from tf_led.models.inputs.call_arguments import ModelOptions
from tf_led.models.inputs.named_inputs import static_or_dynamic
from tf_led.models.inputs.validation import assert_before, input_error, raise_where
from tf_led.models.outputs import TFLEDSeq2SeqModelOutput
from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel
from tf_led.ops.control_flow import in_xla
from tf_led.ops.losses import shift_tokens_right
from tf_led.utils.annotations import TensorLike

DECODER = "decoder"


def with_pooling(config, pooling):
    """Returns the config that has `pooling`: the given one, or a changed copy.

    Args:
        config: LEDConfig; anything else is returned as it is.
        pooling: str, or None for what the config says.

    Returns:
        LEDConfig.
    """
    if not isinstance(config, LEDConfig) or pooling in (None, pooling_of(config)):
        return config
    config = copy.deepcopy(config)
    config.pooling = pooling
    return config


def pooling_of(config):
    """The pooling that a config names in its field `pooling`, by default "decoder"."""
    return getattr(config, "pooling", None) or DECODER


def check_pooling(pooling, allowed):
    """Checks that a head has a pooling.

    Raises:
        ValueError: naming it and those that there are.
    """
    if pooling not in allowed:
        raise ValueError(
            f"`pooling` is {pooling!r}; this head has {', '.join(map(repr, allowed))}. "
            "Give one of these as `pooling=...` or in the config's field `pooling`."
        )


def freeze_decoder(decoder):
    """Makes a decoder that is never run untrainable; the shared embedding stays."""
    decoder.embed_positions.trainable = False
    decoder.layernorm_embedding.trainable = False
    for layer in decoder.layers:
        layer.trainable = False


def last_end_states(hidden, input_ids, end_ids):
    """The states at the last end token of every row, of which all must have as many.

    Args:
        hidden: float[B, S, D] of the decoder.
        input_ids: int[B, S].
        end_ids: list of int.

    Returns:
        float[B, D]. XLA cannot raise for rows with none or with different numbers:
        there the batch becomes NaN.

    Raises:
        ValueError: naming the number of end tokens.
    """
    is_end = tf.reduce_any(input_ids[:, :, None] == end_ids, axis=2)
    counts = tf.math.count_nonzero(is_end, axis=1, dtype=tf.int32)  # [B]
    end_tokens = f" end tokens (`eos_token_id` {', '.join(map(str, end_ids))})"
    wanted = (
        "The document is read off at the last one: end every row with one, and give "
        "all rows as many, or pool from the encoder."
    )
    raise_where(
        counts == 0, counts, "A row of `input_ids` has", f"{end_tokens}. {wanted}"
    )
    fewest = tf.reduce_min(counts)
    raise_where(
        counts != fewest,
        counts,
        "A row of `input_ids` has",
        f"{end_tokens}, and another row has fewer. {wanted}",
    )
    pooled = _last_states(hidden, is_end)
    if in_xla():
        bad = (fewest == 0) | tf.reduce_any(counts != fewest)
        pooled = tf.where(bad, tf.constant(np.nan, pooled.dtype), pooled)
    return pooled


def _last_states(hidden, mask):
    """[B, S, D] -> [B, D], at the last True of every row."""
    from_behind = tf.argmax(
        tf.cast(mask[:, ::-1], tf.int32), axis=1, output_type="int32"
    )
    last_idx = tf.shape(mask)[1] - 1 - from_behind
    return tf.gather(hidden, last_idx, batch_dims=1)


def first_states(hidden, padding_mask):
    """The states of every row's first real token.

    Args:
        hidden: float[B, S, D].
        padding_mask: bool[B, S].

    Returns:
        float[B, D].
    """
    first_idx = tf.argmax(tf.cast(padding_mask, tf.int32), axis=1, output_type="int32")
    return tf.gather(hidden, first_idx, batch_dims=1)


def mean_states(hidden, padding_mask):
    """The mean over every row's real tokens, 0 if it has none; summed in float32.

    Args:
        hidden: float[B, S, D].
        padding_mask: bool[B, S].

    Returns:
        float[B, D], dtype of `hidden`.
    """
    real = tf.cast(padding_mask, tf.float32)[:, :, None]  # [B, S, 1]
    total = tf.reduce_sum(tf.cast(hidden, tf.float32) * real, axis=1)
    mean = tf.math.divide_no_nan(total, tf.reduce_sum(real, axis=1))
    return tf.cast(mean, hidden.dtype)


# What only the decoder reads.
DECODER_INPUTS = (
    "decoder_input_ids",
    "decoder_attention_mask",
    "decoder_head_mask",
    "decoder_inputs_embeds",
    "cross_attn_head_mask",
    "use_cache",
)
ENCODER_INPUTS = (
    "input_ids",
    "inputs_embeds",
    "attention_mask",
    "global_attention_mask",
    "head_mask",
)
OUTPUT_OPTIONS = ("output_attentions", "output_hidden_states", "training")


class PooledModel(TFLEDPreTrainedModel):
    """Base of the heads that read documents without writing; not built by itself.

    Args:
        config: LEDConfig; read, never changed.
        pooling: str, one of `poolings`, or None for the config's field `pooling`,
            "decoder" if it has none. Where it differs from the config's, the model gets
            a changed copy, with which it is saved.
        **kwargs: see `TFLEDPreTrainedModel`.

    Raises:
        ValueError: on a pooling that the head does not have.
    """

    poolings = (DECODER,)
    own_options = ("pooling",)

    def __init__(
        self,
        config: LEDConfig,
        *,
        pooling: str | None = None,
        **kwargs: Unpack[ModelOptions],
    ) -> None:
        super().__init__(with_pooling(config, pooling), **kwargs)
        check_pooling(self.pooling, self.poolings)
        if not self.has_decoder:
            freeze_decoder(self.led.decoder)

    @property
    def pooling(self) -> str:
        """What stands for a document, one of `poolings`."""
        return pooling_of(self.config)

    @property
    def has_decoder(self) -> bool:
        """Whether the decoder is run: otherwise the encoder alone reads a document."""
        return self.pooling == DECODER

    @property
    def dummy_inputs(self):
        """The smallest inputs of a call: dict of int32[1, 2] tensors."""
        inputs = super().dummy_inputs
        names = ("input_ids", "attention_mask", "global_attention_mask")
        return {name: inputs[name] for name in names}

    def run_led(self, **inputs: Any) -> TFLEDSeq2SeqModelOutput:
        """Reads documents with encoder and decoder, or with the encoder alone.

        Args:
            **inputs: all of the call's but labels and `return_dict`.

        Returns:
            `TFLEDSeq2SeqModelOutput`; without the decoder only what is the encoder's.

        Raises:
            ValueError: on inputs that the decoder cannot start from, or on some for a
                decoder that is not run.

        Example:
            >>> from tf_led import TFLEDForSequenceClassification
            >>> from tf_led.testing import tiny_config
            >>> config = tiny_config()
            >>> model = TFLEDForSequenceClassification(config, pooling="encoder_mean")
            >>> from inspect import signature
            >>> inputs = dict.fromkeys(signature(model.call).parameters)
            >>> del inputs["labels"], inputs["return_dict"]
            >>> inputs |= {"input_ids": [[0, 5, 2]], "training": False}
            >>> output = model.run_led(**inputs)
            >>> output.encoder_last_hidden_state.shape
            TensorShape([1, 3, 12])
        """
        if self.has_decoder:
            return self._run_both(inputs)
        for name in DECODER_INPUTS:
            if inputs[name] is not None and inputs[name] is not False:
                raise input_error(
                    f"`{name}` is for the decoder, which `pooling` {self.pooling!r} "
                    "does not run. Leave it out, or build the model with "
                    f"pooling={DECODER!r}."
                )
        return self._run_encoder(inputs)

    def real_tokens(
        self,
        output: TFLEDSeq2SeqModelOutput,
        attention_mask: TensorLike | None,
        global_attention_mask: TensorLike | None,
    ) -> tf.Tensor:
        """Tells which of the encoder's states are those of real tokens.

        Args:
            output: `TFLEDSeq2SeqModelOutput`.
            attention_mask: int or bool[B, S] or None.
            global_attention_mask: int[B, S] or None.

        Returns:
            bool[B, S]; False for padding, also where the global mask has -1.

        Example:
            >>> from tf_led import TFLEDForSequenceClassification
            >>> from tf_led.testing import tiny_config
            >>> config = tiny_config()
            >>> model = TFLEDForSequenceClassification(config, pooling="encoder_mean")
            >>> import tensorflow as tf
            >>> from tf_led import TFLEDSeq2SeqModelOutput
            >>> hidden = tf.zeros([1, 3, 12])
            >>> states = TFLEDSeq2SeqModelOutput(encoder_last_hidden_state=hidden)
            >>> model.real_tokens(states, [[1, 1, 0]], None).numpy().tolist()
            [[True, True, False]]
        """
        hidden = output.encoder_last_hidden_state
        if attention_mask is not None:
            attention_mask = tf.cast(attention_mask, tf.bool)
        if global_attention_mask is not None:
            global_attention_mask = tf.cast(global_attention_mask, tf.int32)
        return merge_masks(hidden, attention_mask, global_attention_mask)[0]

    def _run_encoder(self, inputs):
        options = {name: inputs[name] for name in OUTPUT_OPTIONS}
        if inputs["encoder_outputs"] is None:
            document = {name: inputs[name] for name in ENCODER_INPUTS}
            document = validate_document(self.config, self.compute_dtype, **document)
            encoded = self.led.encoder.encode(document, **options)
            hidden = encoded.last_hidden_state
        else:
            encoded = as_encoder_output(inputs["encoder_outputs"])
            hidden = self._check_states(encoded.last_hidden_state, inputs)
        return TFLEDSeq2SeqModelOutput(
            encoder_last_hidden_state=hidden,
            encoder_hidden_states=encoded.hidden_states,
            encoder_attentions=encoded.attentions,
            encoder_global_attentions=encoded.global_attentions,
        )

    def _check_states(self, states, inputs):
        states, _ = validate_states(
            self.config,
            self.compute_dtype,
            states,
            inputs["attention_mask"],
            "encoder_outputs",
        )
        shape = [static_or_dynamic(states, 0), static_or_dynamic(states, 1)]
        name = "global_attention_mask"
        validation.validate_global_mask(inputs[name], name, shape)
        return states

    def _run_both(self, inputs):
        options = {name: inputs.pop(name) for name in (*OUTPUT_OPTIONS, "use_cache")}
        inputs = validate_inputs(
            self.config, self.compute_dtype, start=self._start_decoder, **inputs
        )
        return self.led.run(inputs, **options)

    def _start_decoder(self, config, input_ids):
        """What the decoder starts from where it is given nothing: int32[B, S]."""
        if input_ids is None:
            raise input_error(
                "Without `input_ids` the decoder has nothing to start from: give "
                "`decoder_input_ids` or `decoder_inputs_embeds`, or pool from the "
                f"encoder (`pooling` {self._other_poolings()})."
            )
        length = static_or_dynamic(input_ids, 1)
        limit = config.max_decoder_position_embeddings
        hint = (
            f"tokens, but the decoder, which starts from them, has {limit} positions "
            "(`max_decoder_position_embeddings`) and the encoder "
            f"{config.max_encoder_position_embeddings} "
            f"(`max_encoder_position_embeddings`). Truncate to {limit} tokens, or pool "
            "from the encoder: build the model or call from_pretrained with `pooling` "
            f"{self._other_poolings()}."
        )
        if tf.is_tensor(length):
            message = ["`input_ids` has", length, hint]
            input_ids = assert_before(length <= limit, message, input_ids)
        elif length > limit:
            raise input_error(f"`input_ids` has {length} {hint}")
        return shift_tokens_right(
            input_ids, config.pad_token_id, config.decoder_start_token_id
        )

    def _other_poolings(self):
        others = (repr(name) for name in self.poolings if name != DECODER)
        return " or ".join(others)
