"""What the heads over whole documents share: with the decoder, or without it."""

from tf_led.models import checks
from tf_led.models.encoder import merge_masks
from tf_led.models.main_layer import as_encoder_output
from tf_led.models.named_inputs import static_or_dynamic
from tf_led.models.outputs import TFLEDSeq2SeqModelOutput
from tf_led.models.pooling import (
    DECODER,
    check_pooling,
    freeze_decoder,
    pooling_of,
    with_pooling,
)
from tf_led.models.pretrained import TFLEDPreTrainedModel
from tf_led.models.refuse import input_error, only_after

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

    def __init__(self, config, *, pooling=None, **kwargs):
        super().__init__(with_pooling(config, pooling), **kwargs)
        check_pooling(self.pooling, self.poolings)
        if not self.has_decoder:
            freeze_decoder(self.led.decoder)

    @property
    def pooling(self):
        """What stands for a document, one of `poolings`."""
        return pooling_of(self.config)

    @property
    def has_decoder(self):
        """Whether the decoder is run: otherwise the encoder alone reads a document."""
        return self.pooling == DECODER

    @property
    def dummy_inputs(self):
        """The smallest inputs of a call: dict of int32[1, 2] tensors."""
        inputs = super().dummy_inputs
        names = ("input_ids", "attention_mask", "global_attention_mask")
        return {name: inputs[name] for name in names}

    def run_led(self, **inputs):
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
            return self.led(**self._with_ids(inputs), return_dict=True)
        for name in DECODER_INPUTS:
            if inputs[name] is not None and inputs[name] is not False:
                raise input_error(
                    f"`{name}` is for the decoder, which `pooling` {self.pooling!r} "
                    "does not run. Leave it out, or build the model with "
                    f"pooling={DECODER!r}."
                )
        return self._run_encoder(inputs)

    def real_tokens(self, output, attention_mask, global_attention_mask):
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
        return merge_masks(hidden, attention_mask, global_attention_mask)[0]

    def _run_encoder(self, inputs):
        given = inputs["encoder_outputs"]
        if given is None:
            names = (*ENCODER_INPUTS, *OUTPUT_OPTIONS)
            options = {name: inputs[name] for name in names}
            encoded = self.led.encoder(**options, return_dict=True)
        else:
            encoded = as_encoder_output(given)
        hidden = checks.as_embeds(
            encoded.last_hidden_state,
            "encoder_outputs",
            self.config.d_model,
            self.compute_dtype,
        )
        return TFLEDSeq2SeqModelOutput(
            encoder_last_hidden_state=hidden,
            encoder_hidden_states=encoded.hidden_states,
            encoder_attentions=encoded.attentions,
            encoder_global_attentions=encoded.global_attentions,
        )

    def _with_ids(self, inputs):
        """Checks what the decoder starts from, if it is not given inputs."""
        names = ("decoder_input_ids", "decoder_inputs_embeds")
        if any(inputs[name] is not None for name in names):
            return inputs
        if inputs["input_ids"] is None:
            raise input_error(
                "Without `input_ids` the decoder has nothing to start from: give "
                "`decoder_input_ids` or `decoder_inputs_embeds`, or pool from the "
                f"encoder (`pooling` {self._other_poolings()})."
            )
        config = self.config
        ids = checks.as_ids(inputs["input_ids"], "input_ids", config.vocab_size)
        return {**inputs, "input_ids": self._check_decoder_length(ids)}

    def _check_decoder_length(self, input_ids):
        config, length = self.config, static_or_dynamic(input_ids, 1)
        limit = config.max_decoder_position_embeddings
        hint = (
            f"tokens, but the decoder, which starts from them, has {limit} positions "
            "(`max_decoder_position_embeddings`) and the encoder "
            f"{config.max_encoder_position_embeddings} "
            f"(`max_encoder_position_embeddings`). Truncate to {limit} tokens, or pool "
            "from the encoder: build the model or call from_pretrained with `pooling` "
            f"{self._other_poolings()}."
        )
        if not isinstance(length, int):
            told = ["`input_ids` has", length, hint]
            return only_after(length <= limit, told, input_ids)
        if length > limit:
            raise input_error(f"`input_ids` has {length} {hint}")
        return input_ids

    def _other_poolings(self):
        others = (repr(name) for name in self.poolings if name != DECODER)
        return " or ".join(others)
