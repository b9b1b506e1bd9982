"""LED with a span head: where in a document the answer to a question stands."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import keras
import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.models.backbone.layer_stack import choose
from tf_led.models.config import LEDConfig
from tf_led.models.inputs.call_arguments import AnswerArguments, ModelOptions
from tf_led.models.inputs.named_inputs import is_mapping
from tf_led.models.inputs.validation import input_error
from tf_led.models.outputs import TFLEDSeq2SeqQuestionAnsweringModelOutput
from tf_led.models.tasks.pooled_model import DECODER, PooledModel
from tf_led.ops.losses import span_cross_entropy
from tf_led.ops.masks import mask_value
from tf_led.serving.endpoint import Endpoint
from tf_led.utils.annotations import Inputs, TensorLike


@keras.saving.register_keras_serializable(package="tf_led")
class TFLEDForQuestionAnswering(PooledModel):
    """LED that scores every token as the first and as the last one of an answer.

    Call arguments, in this order; the first may also be a dict of all: `input_ids`,
    `attention_mask`, `decoder_input_ids`, `decoder_attention_mask`, `head_mask`,
    `decoder_head_mask`, `encoder_outputs`, `global_attention_mask`, `inputs_embeds`,
    `decoder_inputs_embeds`, `use_cache`, `output_attentions`, `output_hidden_states`,
    `return_dict`, `start_positions`, `end_positions`, `training` and, by name only,
    `cross_attn_head_mask`. All but the positions are as in `TFLEDModel`. Returns
    `TFLEDSeq2SeqQuestionAnsweringModelOutput`.

    `start_positions` and `end_positions`, int[B] or [B, 1], are those of the answer's
    first and last token. With both, the output has a `loss`, the mean of the two
    cross-entropies (0 if nothing counts), and no cache. A position beyond the tokens,
    for an answer that was cut off, does not count; one below 0 counts as 0.

    Give the tokens of the question global attention.

    Args:
        config: LEDConfig; read, never changed. Every weight is made at once.
        pooling: str, whose states are scored, or None for `config.pooling` or else
            "decoder". "decoder": the decoder's, which starts from `input_ids`; there
            can be no more than it has positions. "encoder": the encoder's; the decoder
            is neither run nor trained, a document may have as many tokens as the
            encoder has positions, and padding is never an answer: its logits are the
            lowest, and positions on it do not count. PyTorch's LED has only the first.
        **kwargs: see `TFLEDPreTrainedModel`.

    Raises:
        ValueError: on a config that LED cannot have, or another pooling; in a call on
            masks, ids, positions or lengths that do not fit.

    Source: transformers 5.23, `LEDForQuestionAnswering`.

    Example:
        From logits to the answer's ids; `tokenizer.decode(answer_ids)` is its text.

        >>> import tensorflow as tf
        >>> from tf_led import TFLEDForQuestionAnswering
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForQuestionAnswering(tiny_config(), pooling="encoder")
        >>> question, document = [0, 11, 7, 2], [2, 5, 13, 17, 19, 23, 2]
        >>> ids = tf.constant([question + document])
        >>> is_global = [[1] * len(question) + [0] * len(document)]
        >>> output = model(input_ids=ids, global_attention_mask=is_global)
        >>> output.start_logits.shape
        TensorShape([1, 11])
        >>> first = len(question) + 1  # an answer is looked for in the document
        >>> start = first + int(tf.argmax(output.start_logits[0, first:]))
        >>> ends = output.end_logits[0, start : start + 30]  # of at most 30 tokens
        >>> answer_ids = ids[0, start : start + int(tf.argmax(ends)) + 1]
    """

    poolings = (DECODER, "encoder")
    label_names = ("start_positions", "end_positions")
    logits_names = ("start_logits", "end_logits")
    default_endpoint = "answer"

    def __init__(
        self,
        config: LEDConfig,
        *,
        pooling: str | None = None,
        **kwargs: Unpack[ModelOptions],
    ) -> None:
        super().__init__(config, pooling=pooling, **kwargs)
        self.qa_outputs = sublayers.dense(
            2, config.init_std, "qa_outputs", self.dtype_policy
        )
        self.qa_outputs.build((None, None, config.d_model))
        self.build()

    if TYPE_CHECKING:  # `call`, for who calls the model

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: Literal[False],
            **arguments: Unpack[AnswerArguments],
        ) -> tuple[Any, ...]: ...

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: bool | None = None,
            **arguments: Unpack[AnswerArguments],
        ) -> TFLEDSeq2SeqQuestionAnsweringModelOutput: ...

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
        inputs_embeds: TensorLike | None = None,
        decoder_inputs_embeds: TensorLike | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        start_positions: TensorLike | None = None,
        end_positions: TensorLike | None = None,
        training: bool = False,
        *,
        cross_attn_head_mask: TensorLike | None = None,
    ) -> TFLEDSeq2SeqQuestionAnsweringModelOutput | tuple[Any, ...]:
        has_labels = _check_both(start_positions, end_positions)
        output = self.run_led(
            input_ids=input_ids,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            head_mask=head_mask,
            decoder_head_mask=decoder_head_mask,
            encoder_outputs=encoder_outputs,
            global_attention_mask=global_attention_mask,
            inputs_embeds=inputs_embeds,
            decoder_inputs_embeds=decoder_inputs_embeds,
            use_cache=False if has_labels else use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            training=training,
            cross_attn_head_mask=cross_attn_head_mask,
        )
        real = None
        if not self.has_decoder:
            real = self.real_tokens(output, attention_mask, global_attention_mask)
        logits = self.score_tokens(output, real)
        fields = {**output, **logits}
        fields.pop("last_hidden_state", None)
        if has_labels:
            positions = (start_positions, end_positions)
            labels = dict(zip(self.label_names, positions, strict=True))
            fields["loss"] = self.hf_compute_loss(labels, logits)
        output = TFLEDSeq2SeqQuestionAnsweringModelOutput(fields)
        return_dict = choose(return_dict, self.config.return_dict)
        return output if return_dict else output.to_tuple()

    def score_tokens(
        self, output: Any, real: TensorLike | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores every token as an answer's first and last.

        Args:
            output: `TFLEDSeq2SeqModelOutput`.
            real: bool[B, S], False for tokens that are no answer, or None.

        Returns:
            Dict of `start_logits` and `end_logits`, float[B, S] each.

        Example:
            >>> from tf_led import TFLEDForQuestionAnswering
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForQuestionAnswering(tiny_config(), pooling="encoder")
            >>> import tensorflow as tf
            >>> from tf_led import TFLEDSeq2SeqModelOutput
            >>> hidden = tf.zeros([1, 4, 12])
            >>> states = TFLEDSeq2SeqModelOutput(encoder_last_hidden_state=hidden)
            >>> model.score_tokens(states)["end_logits"].shape
            TensorShape([1, 4])
        """
        if self.has_decoder:
            hidden = output.last_hidden_state
        else:
            hidden = output.encoder_last_hidden_state
        logits = self.qa_outputs(hidden)  # [B, S, 2]
        if real is not None:
            lowest = tf.constant(mask_value(logits.dtype), logits.dtype)
            logits = tf.where(real[:, :, None], logits, lowest)
        return dict(zip(self.logits_names, tf.unstack(logits, axis=2), strict=True))

    def sum_loss(
        self,
        labels: Mapping[str, TensorLike],
        logits: Mapping[str, TensorLike],
        weights: TensorLike | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the cross-entropies of the answers' first tokens, and of their last.

        Args:
            labels: dict of `start_positions` and `end_positions`, int[B] or [B, 1].
            logits: dict of `start_logits` and `end_logits`, float[B, S].
            weights: float[B] that documents are multiplied by, a dict of two such by
                the names of the labels, or None.

        Returns:
            (loss_sum, label_count), float32[2] each, for first and last tokens: the sum
            over the positions that count, and their number, or the sum of their
            weights. The loss is the mean of the two quotients.

        Raises:
            ValueError: on positions that are no integers, or not one for each row.

        Example:
            >>> from tf_led import TFLEDForQuestionAnswering
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForQuestionAnswering(tiny_config(), pooling="encoder")
            >>> import tensorflow as tf
            >>> labels = {"start_positions": [1, 2], "end_positions": [3, 99]}
            >>> logits = dict.fromkeys(["start_logits", "end_logits"], tf.zeros([2, 4]))
            >>> loss_sum, label_count = model.sum_loss(labels, logits)
            >>> label_count.numpy().tolist()  # the second answer's end is cut off
            [2.0, 1.0]
        """
        losses = [
            span_cross_entropy(
                _as_positions(labels[label], label, logits[scores].shape[0]),
                logits[scores],
                weights=weights[label] if is_mapping(weights) else weights,
            )
            for label, scores in zip(self.label_names, self.logits_names, strict=True)
        ]
        loss_sums, label_counts = zip(*losses, strict=True)
        return tf.stack(loss_sums), tf.stack(label_counts)

    def endpoints(self) -> dict[str, Endpoint]:
        """Lists what can be served.

        Returns:
            Dict of the Endpoints "encode" and "answer".

        Example:
            >>> from tf_led import TFLEDForQuestionAnswering
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForQuestionAnswering(tiny_config(), pooling="encoder")
            >>> sorted(model.endpoints())
            ['answer', 'encode']
        """
        answer = self.endpoint_of(*self.logits_names)
        return {"encode": self.encoder_endpoint(), "answer": answer}


def _check_both(start_positions, end_positions):
    """Tells whether there are labels; raises an error for half of them."""
    if (start_positions is None) != (end_positions is None):
        given, missing = "start_positions", "end_positions"
        if start_positions is None:
            given, missing = missing, given
        raise input_error(
            f"`{given}` is given without `{missing}`: the loss needs both, and without "
            "labels give neither."
        )
    return start_positions is not None


def _as_positions(positions, name, batch):
    positions = tf.convert_to_tensor(positions)
    if not positions.dtype.is_integer:
        raise input_error(
            f"`{name}` holds {positions.dtype.name}; give the numbers of tokens, as "
            "integers."
        )
    if positions.shape.rank == 2 and positions.shape[1] == 1:
        positions = positions[:, 0]
    if not positions.shape.is_compatible_with([batch]):
        raise input_error(
            f"`{name}` has shape {positions.shape.as_list()}; give one for each "
            f"document, [{batch}]."
        )
    return positions
