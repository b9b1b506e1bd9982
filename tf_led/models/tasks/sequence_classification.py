"""LED with a classification head: one or several classes, or numbers, of a document."""

from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import keras
import tensorflow as tf

from tf_led.layers.classification_head import ClassificationHead
from tf_led.models.backbone.layer_stack import choose
from tf_led.models.config import LEDConfig
from tf_led.models.inputs.call_arguments import ClassifierArguments, ModelOptions
from tf_led.models.inputs.named_inputs import static_or_dynamic
from tf_led.models.inputs.validation import (
    assert_before,
    input_error,
    raise_where,
)
from tf_led.models.outputs import TFLEDSeq2SeqSequenceClassifierOutput
from tf_led.models.tasks.pooled_model import (
    DECODER,
    PooledModel,
    first_states,
    last_end_states,
    mean_states,
)
from tf_led.ops.losses import (
    IGNORED_LABEL,
    binary_cross_entropy,
    class_cross_entropy,
    squared_error,
)
from tf_led.serving.endpoint import Endpoint
from tf_led.utils.annotations import Inputs, TensorLike

REGRESSION = "regression"
SINGLE_LABEL = "single_label_classification"
MULTI_LABEL = "multi_label_classification"


def choose_problem_type(problem_type, labels, num_labels):
    """Takes the config's problem type, or the one that the labels suggest.

    Args:
        problem_type: str or None.
        labels: tensor.
        num_labels: int, E.

    Returns:
        "regression" for one label; else "single_label_classification" for integers and
        "multi_label_classification" for floats or bools.

    Raises:
        ValueError: if `problem_type` is anything else.

    Source: transformers 4.57, `LEDForSequenceClassification`.
    """
    known = (REGRESSION, SINGLE_LABEL, MULTI_LABEL)
    if problem_type is None:
        if num_labels == 1:
            return REGRESSION
        return SINGLE_LABEL if labels.dtype.is_integer else MULTI_LABEL
    if problem_type not in known:
        raise input_error(
            f"The config's `problem_type` is {problem_type!r}; allowed are "
            f"{', '.join(map(repr, known))} and None."
        )
    return problem_type


def classification_loss(labels, logits, problem_type, weights=None):
    """Sums the loss of a batch of documents.

    Args:
        labels: int[B] for one class of E; float, int or bool[B, E] for any of E, or for
            E numbers ([B] for one).
        logits: float[B, E].
        problem_type: str, or None to go by the labels.
        weights: float[B], or None.

    Returns:
        (loss_sum, label_count), float32[] each.

    Raises:
        ValueError: on labels of another dtype, shape or range.
    """
    labels = tf.convert_to_tensor(labels)
    num_labels = logits.shape[1]
    problem_type = choose_problem_type(problem_type, labels, num_labels)
    if problem_type == SINGLE_LABEL:
        labels = _as_classes(labels, num_labels, logits.shape[0])
        return class_cross_entropy(labels, logits, weights=weights)
    targets = _as_targets(labels, problem_type, logits.shape)
    if problem_type == REGRESSION:
        return squared_error(targets, logits, weights=weights)
    targets = raise_where(
        (targets < 0) | (targets > 1),
        targets,
        "`labels` holds",
        f"; {MULTI_LABEL} takes from 0 to 1 for each class.",
    )
    return binary_cross_entropy(targets, logits, weights=weights)


def _as_classes(labels, num_labels, batch):
    if not labels.dtype.is_integer:
        raise input_error(
            f"`labels` holds {labels.dtype.name}, but {SINGLE_LABEL} takes the number "
            "of one class for each document: give integers."
        )
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not labels.shape.is_compatible_with([batch]):
        raise input_error(
            f"`labels` has shape {labels.shape.as_list()}, but {SINGLE_LABEL} takes "
            f"one class for each document, [{batch}]. For several of {num_labels} "
            f"classes give floats, or set the config's `problem_type` to {MULTI_LABEL}."
        )
    labels = tf.cast(labels, tf.int64)
    return raise_where(
        (labels != IGNORED_LABEL) & ((labels < 0) | (labels >= num_labels)),
        labels,
        "`labels` holds",
        f"; allowed are the classes 0 to {num_labels - 1} (`num_labels` {num_labels}), "
        f"and {IGNORED_LABEL} for what does not count.",
    )


def _as_targets(labels, problem_type, shape):
    """Takes labels as float32[B, E]."""
    if shape[1] == 1 and labels.shape.rank == 1:
        labels = labels[:, None]
    if not labels.shape.is_compatible_with(shape):
        raise input_error(
            f"`labels` has shape {labels.shape.as_list()}, but {problem_type} takes "
            f"one value for each of {shape[1]} labels (`num_labels`): "
            f"{shape.as_list()}."
        )
    return tf.cast(labels, tf.float32)


ENCODER_POOLINGS = {"encoder_first": first_states, "encoder_mean": mean_states}


@keras.saving.register_keras_serializable(package="tf_led")
class TFLEDForSequenceClassification(PooledModel):
    """LED that classifies documents, or rates them.

    Call arguments, in this order; the first may also be a dict of all: `input_ids`,
    `attention_mask`, `decoder_input_ids`, `decoder_attention_mask`, `head_mask`,
    `decoder_head_mask`, `encoder_outputs`, `global_attention_mask`, `inputs_embeds`,
    `decoder_inputs_embeds`, `use_cache`, `output_attentions`, `output_hidden_states`,
    `return_dict`, `labels`, `training` and, by name only, `cross_attn_head_mask`. All
    but `labels` are as in `TFLEDModel`. Returns `TFLEDSeq2SeqSequenceClassifierOutput`,
    with a `loss` if there are `labels`, and then without a cache.

    `labels` and loss follow `config.problem_type`: "single_label_classification" takes
    int[B], -100 for documents that do not count, and gives the cross-entropy;
    "multi_label_classification" takes float[B, E] from 0 to 1, E being
    `config.num_labels`, and gives the binary cross-entropy; "regression" takes float[B]
    or [B, E] and gives the squared error. If it is None: regression for one label, else
    single for integers, multi for floats.

    Give the first token global attention: it then stands for the whole document.

    Args:
        config: LEDConfig; read, never changed. Every weight is made at once.
        pooling: str, the state that is classified, or None for `config.pooling` or else
            "decoder". "decoder": the decoder's at the last end token (`eos_token_id`)
            of `input_ids`, from which it starts; all rows have as many end tokens, and
            no more tokens than the decoder has positions. "encoder_first": the
            encoder's at the first real token. "encoder_mean": the encoder's mean over
            all real tokens. With the last two the decoder is neither run nor trained,
            and a document may have as many tokens as the encoder has positions;
            PyTorch's LED has neither.
        **kwargs: see `TFLEDPreTrainedModel`.

    Raises:
        ValueError: on a config that LED cannot have, or another pooling; in a call on
            rows with different numbers of end tokens or none, on masks, ids, labels or
            lengths that do not fit, and on `inputs_embeds` with pooling "decoder".

    Source: transformers 4.57, `LEDForSequenceClassification`.

    Example:
        >>> from tf_led import TFLEDForSequenceClassification
        >>> from tf_led.testing import tiny_config
        >>> config = tiny_config(num_labels=3)
        >>> model = TFLEDForSequenceClassification(config, pooling="encoder_mean")
        >>> ids = [[0, 5, 7, 2], [0, 11, 2, 1]]
        >>> output = model(
        ...     input_ids=ids,
        ...     attention_mask=[[1, 1, 1, 1], [1, 1, 1, 0]],
        ...     global_attention_mask=[[1, 0, 0, 0], [1, 0, 0, 0]],
        ...     labels=[2, 0],
        ... )
        >>> output.logits.shape, output.loss.shape
        (TensorShape([2, 3]), TensorShape([]))
    """

    poolings = (DECODER, *ENCODER_POOLINGS)
    default_endpoint = "classify"
    text_endpoints = ("classify",)

    def __init__(
        self,
        config: LEDConfig,
        *,
        pooling: str | None = None,
        **kwargs: Unpack[ModelOptions],
    ) -> None:
        super().__init__(config, pooling=pooling, **kwargs)
        self.classification_head = ClassificationHead(
            config.d_model,
            config.num_labels,
            dropout_rate=config.classifier_dropout,
            init_std=config.init_std,
            name="classification_head",
            dtype=self.dtype_policy,
        )
        self.classification_head.build()
        self.build()

    if TYPE_CHECKING:  # `call`, for who calls the model

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: Literal[False],
            **arguments: Unpack[ClassifierArguments],
        ) -> tuple[Any, ...]: ...

        @overload
        def __call__(
            self,
            input_ids: Inputs | None = None,
            *inputs: Any,
            return_dict: bool | None = None,
            **arguments: Unpack[ClassifierArguments],
        ) -> TFLEDSeq2SeqSequenceClassifierOutput: ...

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
        labels: TensorLike | None = None,
        training: bool = False,
        *,
        cross_attn_head_mask: TensorLike | None = None,
    ) -> TFLEDSeq2SeqSequenceClassifierOutput | tuple[Any, ...]:
        if self.has_decoder and input_ids is None:
            raise input_error(
                "`input_ids` is missing: with `pooling` 'decoder' the state at their "
                "last end token is classified, so `inputs_embeds` or `encoder_outputs` "
                "alone do not do. Give `input_ids`, or build the model with "
                "pooling='encoder_mean' or 'encoder_first'."
            )
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
            use_cache=use_cache if labels is None else False,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            training=training,
            cross_attn_head_mask=cross_attn_head_mask,
        )
        if self.has_decoder:
            pooled = self._at_last_end(output.last_hidden_state, input_ids)
        else:
            real = self.real_tokens(output, attention_mask, global_attention_mask)
            pool = ENCODER_POOLINGS[self.pooling]
            pooled = pool(output.encoder_last_hidden_state, real)
        logits = self.classification_head(pooled, training=training)
        loss = None if labels is None else self.hf_compute_loss(labels, logits)
        fields = {**output, "loss": loss, "logits": logits}
        fields.pop("last_hidden_state", None)
        output = TFLEDSeq2SeqSequenceClassifierOutput(fields)
        return_dict = choose(return_dict, self.config.return_dict)
        return output if return_dict else output.to_tuple()

    def _at_last_end(self, hidden, input_ids):
        config = self.config
        ids = tf.cast(tf.convert_to_tensor(input_ids), tf.int32)
        lengths = [static_or_dynamic(tensor, 1) for tensor in (ids, hidden)]
        hint = "tokens: leave the latter out, the decoder then starts from `input_ids`."
        message = ["`input_ids` has", lengths[0], "and the decoder's input", lengths[1]]
        message.append(hint)
        if all(isinstance(length, int) for length in lengths):
            if lengths[0] != lengths[1]:
                raise input_error(" ".join(map(str, message)))
        else:
            ids = assert_before(tf.equal(*lengths), message, ids)
        end_ids = config.eos_token_id
        end_ids = end_ids if isinstance(end_ids, list) else [end_ids]
        return last_end_states(hidden, ids, end_ids)

    def sum_loss(
        self, labels: TensorLike, logits: TensorLike, weights: TensorLike | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the loss that `config.problem_type` names, or else the labels suggest.

        Args:
            labels: int[B], or float[B, E]; see the class.
            logits: float[B, E].
            weights: float[B] that documents are multiplied by, or None.

        Returns:
            (loss_sum, label_count), float32[] each: the sum over the documents that
            count, and their number, or the sum of their weights.

        Raises:
            ValueError: on labels of another dtype, shape or range.

        Example:
            >>> from tf_led import TFLEDForSequenceClassification
            >>> from tf_led.testing import tiny_config
            >>> config = tiny_config()
            >>> model = TFLEDForSequenceClassification(config, pooling="encoder_mean")
            >>> import tensorflow as tf
            >>> loss_sum, label_count = model.sum_loss([1, -100], tf.zeros([2, 2]))
            >>> round(float(loss_sum), 3), float(label_count)  # log 2
            (0.693, 1.0)
        """
        return classification_loss(labels, logits, self.config.problem_type, weights)

    def endpoints(self) -> dict[str, Endpoint]:
        """Lists what can be served.

        Returns:
            Dict of the Endpoints "encode" and "classify".

        Example:
            >>> from tf_led import TFLEDForSequenceClassification
            >>> from tf_led.testing import tiny_config
            >>> config = tiny_config()
            >>> model = TFLEDForSequenceClassification(config, pooling="encoder_mean")
            >>> sorted(model.endpoints())
            ['classify', 'encode']
        """
        classify = self.endpoint_of("logits")
        return {"encode": self.encoder_endpoint(), "classify": classify}

    @property
    def dummy_inputs(self):
        """The smallest inputs of a call: dict of int32[1, 2], one end token."""
        end_ids = self.config.eos_token_id
        end_id = end_ids[0] if isinstance(end_ids, list) else end_ids
        return {**super().dummy_inputs, "input_ids": tf.constant([[1, end_id]])}
