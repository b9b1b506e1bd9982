"""LED with a language head: summaries, answers, translations."""

import keras
import tensorflow as tf

from tf_led.generation.outputs import compute_transition_scores
from tf_led.layers.initializers import Normal
from tf_led.models.backbone.layer_stack import choose
from tf_led.models.backbone.model_inputs import validate_inputs
from tf_led.models.config import is_tied
from tf_led.models.generation.generation_mixin import GenerationMixin, SavedGeneration
from tf_led.models.inputs import validation
from tf_led.models.inputs.named_inputs import static_or_dynamic
from tf_led.models.outputs import TFLEDSeq2SeqLMOutput
from tf_led.models.pretrained.pretrained_model import TFLEDPreTrainedModel
from tf_led.models.serving import generation_endpoints
from tf_led.ops.losses import masked_cross_entropy, shift_tokens_right


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

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self._add_bias(config.vocab_size)
        self.lm_head = None if is_tied(config) else self._make_head(config)
        self.add_generation()
        self.build()

    def _add_bias(self, vocab_size):
        self.final_logits_bias = self.add_weight(
            shape=(1, vocab_size),
            initializer="zeros",
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
        labels=None,
        training=False,
        *,
        cross_attn_head_mask=None,
    ):
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

    def score_tokens(self, hidden):
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

    def prepare_scores(self, dtype):
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

    def sum_loss(self, labels, logits, weights=None, label_smoothing=0.0):
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

    def prepare_decoder_input_ids_from_labels(self, labels):
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

    def get_output_embeddings(self):
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

    def set_output_embeddings(self, value):
        """Does what `set_input_embeddings` does: there is one table.

        Of a model with `tie_word_embeddings=False` it changes the projection alone.

        Args:
            value: float[V, D] array or tensor, or a layer that has one.

        Raises:
            ValueError: on another shape.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> import numpy as np
            >>> model.set_output_embeddings(np.zeros([29, 12]))
            >>> float(model(input_ids=[[0, 2]]).logits[0, 0, 7])
            0.0
        """
        if self.lm_head is None:
            self.set_input_embeddings(value)
            return
        kernel = getattr(value, "kernel", None)
        if kernel is None:
            kernel = tf.transpose(getattr(value, "embeddings", value))
        expected = tuple(self.lm_head.kernel.shape)
        if tuple(kernel.shape) != expected:
            raise ValueError(
                f"`value` has shape {tuple(kernel.shape)[::-1]}, expected "
                f"{expected[::-1]}."
            )
        self.lm_head.kernel.assign(kernel)

    def get_bias(self):
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

    def set_bias(self, value):
        """Overwrites the bias on the logits.

        Args:
            value: {"final_logits_bias": float[1, V]}.

        Raises:
            ValueError: on another key or shape.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> import numpy as np
            >>> model.set_bias({"final_logits_bias": np.ones([1, 29])})
            >>> float(model.get_bias()["final_logits_bias"][0, 7])
            1.0
        """
        expected = tuple(self.final_logits_bias.shape)
        if set(value) != {"final_logits_bias"}:
            raise ValueError(
                f"`value` has keys {sorted(value)}, expected ['final_logits_bias']."
            )
        bias = tf.convert_to_tensor(value["final_logits_bias"])
        if tuple(bias.shape) != expected:
            raise ValueError(
                f"`final_logits_bias` has shape {tuple(bias.shape)}, expected "
                f"{expected}."
            )
        self.final_logits_bias.assign(bias)

    def can_generate(self):
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
        self, sequences, scores, beam_indices=None, normalize_logits=False
    ):
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
