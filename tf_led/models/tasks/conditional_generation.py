"""LED with a language head: summaries, answers, translations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import keras
import tensorflow as tf

from tf_led.generation.outputs import compute_transition_scores
from tf_led.layers.initializers import Normal, Zeros
from tf_led.models.backbone.layer_stack import choose
from tf_led.models.backbone.model_inputs import validate_inputs
from tf_led.models.config import LEDConfig, is_tied
from tf_led.models.generation.config_options import SavedGeneration
from tf_led.models.generation.generation_mixin import GenerationMixin
from tf_led.models.inputs import validation
from tf_led.models.inputs.call_arguments import LanguageModelArguments, ModelOptions
from tf_led.models.inputs.named_inputs import static_or_dynamic
from tf_led.models.outputs import TFLEDSeq2SeqLMOutput
from tf_led.models.pretrained import editing
from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel
from tf_led.models.serving import generation_endpoints
from tf_led.ops.losses import masked_cross_entropy, shift_tokens_right
from tf_led.utils.annotations import Inputs, TensorLike


@keras.saving.register_keras_serializable(package="tf_led")
class TFLEDForConditionalGeneration(
    GenerationMixin, SavedGeneration, TFLEDPreTrainedModel
):
    """LED that scores every token of the vocabulary, and generates.

    Call arguments: those of `TFLEDModel`, and `labels` int[B, T] before `training`.
    With `labels` the output has a `loss`, the mean cross-entropy over the labels that
    are neither -100 nor padding (0 if none is), the decoder starts from the shifted
    labels unless it is given inputs, and no cache is returned. Returns
    `TFLEDSeq2SeqLMOutput`.

    Args:
        config: LEDConfig; read, never changed. Every weight is made at once.
        **kwargs: see `TFLEDPreTrainedModel`.

    Raises:
        ValueError: on a config that LED cannot have; in a call on masks, ids or lengths
            that do not fit.

    Source: Longformer (arXiv 2004.05150), section 7; transformers' class of this name.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> output = model(input_ids=[[0, 5, 7, 2]], labels=[[5, 2, -100]])
        >>> output.logits.shape, output.loss.shape
        (TensorShape([1, 3, 29]), TensorShape([]))
    """

    default_endpoint = "generate"
    text_endpoints = ("generate",)
    endpoints = generation_endpoints.endpoints
    set_output_embeddings = editing.set_output_embeddings
    set_bias = editing.set_bias

    def __init__(self, config: LEDConfig, **kwargs: Unpack[ModelOptions]) -> None:
        super().__init__(config, **kwargs)
        self._add_bias(config.vocab_size)
        self.lm_head = None if is_tied(config) else self._make_head(config)
        self.add_generation()
        self.build()

    def _add_bias(self, vocab_size):
        self.final_logits_bias = self.add_weight(
            shape=(1, vocab_size),
            initializer=Zeros(),
            trainable=False,
            name="final_logits_bias",
        )

    def _make_head(self, config):
        head = keras.layers.Dense(
            config.vocab_size,
            use_bias=False,
            kernel_initializer=Normal(config.init_std),
            name="lm_head",
            dtype=self.dtype_policy,
        )
        head.build((None, None, config.d_model))
        return head

    if TYPE_CHECKING:  # `call`, for who calls the model

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: Literal[False],
            **arguments: Unpack[LanguageModelArguments],
        ) -> tuple[Any, ...]: ...

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: bool | None = None,
            **arguments: Unpack[LanguageModelArguments],
        ) -> TFLEDSeq2SeqLMOutput: ...

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
        labels: TensorLike | None = None,
        training: bool = False,
        *,
        cross_attn_head_mask: TensorLike | None = None,
    ) -> TFLEDSeq2SeqLMOutput | tuple[Any, ...]:
        if labels is not None:
            use_cache = False
            labels = validation.validate_labels(labels, self.config.vocab_size)
            if decoder_input_ids is None and decoder_inputs_embeds is None:
                decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
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
        output = self.led.run(
            inputs,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            training=training,
        )
        fields = dict(output)
        logits = self.score_tokens(fields.pop("last_hidden_state"))
        loss = None if labels is None else self._loss_of_all(labels, logits)
        output = TFLEDSeq2SeqLMOutput(loss=loss, logits=logits, **fields)
        return_dict = choose(return_dict, self.config.return_dict)
        return output if return_dict else output.to_tuple()

    def _loss_of_all(self, labels, logits):
        shape = [static_or_dynamic(logits, 0), static_or_dynamic(logits, 1)]
        labels = validation.validate_shape(labels, "labels", shape)
        return self.hf_compute_loss(labels, logits)

    def score_tokens(self, hidden: TensorLike) -> tf.Tensor:
        """Scores the vocabulary.

        Args:
            hidden: float[B, T, D] of the decoder.

        Returns:
            logits float[B, T, V].

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> hidden = model.led(input_ids=[[0, 5, 2]]).last_hidden_state
            >>> model.score_tokens(hidden).shape
            TensorShape([1, 3, 29])
        """
        bias = keras.ops.cast(self.final_logits_bias, self.compute_dtype)
        if self.lm_head is not None:
            return self.lm_head(hidden) + bias
        return self.led.shared(hidden, reverse=True) + bias

    def prepare_scores(self, dtype: str) -> Callable[[tf.Tensor], tf.Tensor]:
        """Gives `score_tokens` with its weights cast once, for a loop over tokens.

        Args:
            dtype: string, of the products.

        Returns:
            Function from hidden states float[B, T, D] of that dtype to logits float[B,
            T, V]; of a `score_tokens` of one's own, or a quantized table, these.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> score = model.prepare_scores("bfloat16")
            >>> score(tf.zeros([1, 3, 12], tf.bfloat16)).dtype
            tf.bfloat16
        """
        own = getattr(self.score_tokens, "__func__", None)
        is_own = own is not TFLEDForConditionalGeneration.score_tokens
        if is_own or self.get_output_embeddings().quantization_mode is not None:
            return lambda hidden: self.score_tokens(tf.cast(hidden, self.compute_dtype))
        is_table = self.lm_head is None
        table = self.led.shared.embeddings if is_table else self.lm_head.kernel
        table, bias = (
            tf.cast(tf.convert_to_tensor(part), dtype)
            for part in (table, self.final_logits_bias)
        )

        def score(hidden):
            rows = tf.reshape(hidden, [-1, hidden.shape[-1]])
            logits = tf.matmul(rows, table, transpose_b=is_table) + bias
            shape = tf.concat([tf.shape(hidden)[:-1], [-1]], axis=0)
            logits = tf.reshape(logits, shape)
            return tf.ensure_shape(logits, [*hidden.shape[:-1], bias.shape[1]])

        return score

    def sum_loss(
        self,
        labels: TensorLike,
        logits: TensorLike,
        weights: TensorLike | None = None,
        label_smoothing: float = 0.0,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the cross-entropy of the labels that are neither -100 nor padding.

        Args:
            labels: int[B, T].
            logits: float[B, T, V].
            weights: float[B] or float[B, T] that labels are multiplied by, or None.
            label_smoothing: float, the fraction of each label that is spread over the
                vocabulary.

        Returns:
            (loss_sum, label_count), float32[] each: the sum over the labels that count,
            and their number, or the sum of their weights.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> logits = model(input_ids=[[0, 5, 7, 2]]).logits
            >>> loss_sum, label_count = model.sum_loss([[5, 2, -100, 1]], logits)
            >>> float(label_count)
            2.0
        """
        return masked_cross_entropy(
            labels,
            logits,
            pad_token_id=self.config.pad_token_id,
            weights=weights,
            label_smoothing=label_smoothing,
        )

    def prepare_decoder_input_ids_from_labels(self, labels: TensorLike) -> tf.Tensor:
        """Shifts labels right, as data collators of transformers ask models to.

        Args:
            labels: int[B, T].

        Returns:
            int[B, T] that starts with `decoder_start_token_id`.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> labels = [[5, 7, 2]]
            >>> model.prepare_decoder_input_ids_from_labels(labels).numpy().tolist()
            [[2, 5, 7]]
        """
        config = self.config
        return shift_tokens_right(
            labels, config.pad_token_id, config.decoder_start_token_id
        )

    def get_output_embeddings(self) -> keras.layers.Layer:
        """Gives the output projection.

        Returns:
            The token embedding, which is the same table; of a model with
            `tie_word_embeddings=False` a Dense layer of its own, without bias.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.get_output_embeddings() is model.get_input_embeddings()
            True
        """
        return self.led.shared if self.lm_head is None else self.lm_head

    def get_bias(self) -> dict[str, keras.Variable]:
        """Gives the bias on the logits.

        Returns:
            {"final_logits_bias": keras.Variable, float[1, V]}.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.get_bias()["final_logits_bias"].shape
            TensorShape([1, 29])
        """
        return {"final_logits_bias": self.final_logits_bias}

    def can_generate(self) -> bool:
        """Tells that the model has `generate`.

        Returns:
            True.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.can_generate()
            True
        """
        return True

    def compute_transition_scores(
        self,
        sequences: TensorLike,
        scores: Any,
        beam_indices: TensorLike | None = None,
        normalize_logits: bool = False,
    ) -> tf.Tensor:
        """Looks up the score that each generated token had when it was chosen.

        Args:
            sequences: int32[R, T] of `generate(..., return_dict_in_generate=True)`.
            scores: its `scores` (`output_scores=True`), one float32[X, V] per step.
            beam_indices: its `beam_indices`, int32[R, steps], after beam search.
            normalize_logits: bool, whether to take the log-softmax first.

        Returns:
            float32[R, steps]; 0 after the end of a sequence that has beam indices.

        Source: transformers 5.23, method of this name.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> result = model.generate(
            ...     [[0, 5, 2]],
            ...     min_new_tokens=3,
            ...     max_new_tokens=3,
            ...     output_scores=True,
            ...     return_dict_in_generate=True,
            ... )
            >>> model.compute_transition_scores(result.sequences, result.scores).shape
            TensorShape([1, 3])
        """
        return compute_transition_scores(
            sequences, scores, beam_indices, normalize_logits
        )
