"""What a model does in a step of `fit`, `evaluate` and `predict`."""

from typing import Any

import keras
import tensorflow as tf

from tf_led.models.inputs.named_inputs import by_name, is_mapping
from tf_led.models.training.fit_arguments import FitArguments
from tf_led.ops.losses import mean_loss
from tf_led.training.accumulation import build_optimizer
from tf_led.training.distribution import DistributedFit
from tf_led.training.metrics import TokenAccuracy
from tf_led.training.steps import test_on, train_on
from tf_led.utils.annotations import TensorLike
from tf_led.utils.keras_backend import check_keras_objects

# What transformers' users pass to say "the model's own loss".
OWN_LOSS = ("auto", "auto_with_warning", "passthrough")
ACCURACY = ("accuracy", "acc")
# A batch without global tokens does not use these, as in PyTorch.
UNUSED_WITHOUT_GLOBAL = ("query_global", "key_global", "value_global")


class TrainingSteps(FitArguments, DistributedFit):
    """Trains on the model's own loss unless `compile` is given another.

    Labels may stand in the inputs, come as `y`, and be weighted: the numbers are the
    same.
    """

    label_smoothing = 0.0

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        *args: Any,
        jit_compile: bool | str = False,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: a Keras optimizer or its name. With
                `gradient_accumulation_steps`, batches count by their labels.
            loss: None (or "passthrough", "auto") for the model's own, that of a call
                with labels. Any Keras loss is computed on the logits instead.
            loss_weights: as for `keras.Model.compile`, with a Keras loss.
            metrics: as for `keras.Model.compile`, on the logits; a dict is by their
                names. "accuracy" counts the labels that the model's own loss counts,
                where it predicts tokens.
            weighted_metrics: the same, weighted by the weights of samples or classes.
            *args: further arguments of `keras.Model.compile`.
            jit_compile: bool. XLA compiles anew for every shape: use it with bucketed
                lengths.
            label_smoothing: float from 0 to below 1, the fraction of each label that
                the model's own loss spreads over the vocabulary.
            **kwargs: further arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `label_smoothing` is out of range, if it or `loss_weights`
                has no use here, or if a loss or metric is for logits that do not exist.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.compile("adam", label_smoothing=0.1, metrics=["accuracy"])
            >>> type(model.optimizer).__name__
            'Adam'
        """
        if isinstance(loss, str) and loss in OWN_LOSS:
            loss = None
        check_keras_objects(optimizer=optimizer, loss=loss, metrics=metrics)
        self._check_loss_options(label_smoothing, loss, loss_weights)
        self.label_smoothing = label_smoothing
        super().compile(
            optimizer,
            self._named("loss", loss),
            loss_weights,
            self._own_metrics("metrics", metrics, loss),
            self._own_metrics("weighted_metrics", weighted_metrics, loss),
            *args,
            jit_compile=jit_compile,
            **kwargs,
        )

    def _check_loss_options(self, label_smoothing, loss, loss_weights):
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be from 0 to below 1, got {label_smoothing}."
            )
        if label_smoothing and not (loss is None and self.can_generate()):
            raise ValueError(
                f"`label_smoothing` is {label_smoothing}, but only the own loss of a "
                "model that predicts tokens takes it: give it to the Keras loss."
            )
        if loss is None and loss_weights is not None:
            raise ValueError(
                f"`loss_weights` is {loss_weights!r}, but the model's own loss is one: "
                "leave it out, or give a `loss` for each of "
                f"{', '.join(self.logits_names)}."
            )

    def _named(self, argument, value):
        """A loss or metrics, of which a dict is by the names of the logits."""
        names = self.logits_names
        if not isinstance(value, dict):
            return value
        unknown = sorted(set(value) - set(names))
        if unknown:
            raise ValueError(
                f"`{argument}` has the key {unknown[0]!r}, but a loss or metric is "
                f"computed on {' and '.join(names)}."
            )
        return value if len(names) > 1 else value.get(names[0])

    def _own_metrics(self, argument, metrics, loss):
        metrics = self._named(argument, metrics)
        if metrics is None or isinstance(metrics, dict):
            return metrics
        metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        if loss is not None or not self.can_generate():
            return metrics
        pad_token_id = self.config.pad_token_id
        return [TokenAccuracy(pad_token_id) if m in ACCURACY else m for m in metrics]

    def get_compile_config(self):
        """What `compile` was given, to be saved: see `keras.Model`."""
        config = super().get_compile_config()
        return {**config, "label_smoothing": self.label_smoothing} if config else config

    def compile_from_config(self, config):
        """Compiles a model read from a `.keras` file as it was when saved."""
        # Keras does nothing here for a model with a `compile` of its own.
        self.compile(**keras.saving.deserialize_keras_object(config))
        build_optimizer(self.optimizer, self.trainable_variables)

    def train_step(self, data):
        """One step of `fit`: see `keras.Model.train_step`."""
        data = self._labels_into_inputs(data)
        return train_on(self, data, self._own_loss(data), UNUSED_WITHOUT_GLOBAL)

    def test_step(self, data):
        """One step of `evaluate`: see `keras.Model.test_step`."""
        data = self._labels_into_inputs(data)
        return test_on(self, data, self._own_loss(data))

    def _own_loss(self, data):
        """Gives what sums the model's own loss of a batch; None where that is not used.

        A Keras loss, or a `compute_loss` or `hf_compute_loss` of a subclass, is a mean
        that does not say of how many labels: Keras averages it.
        """
        inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        labels = self._find_labels(inputs, y)
        is_complete = set(labels) == set(self.label_names)
        if not is_complete or self._compile_loss is not None or _has_other_loss(self):
            return None
        labels, options = self._loss_arguments(labels, sample_weight)
        return lambda outputs: self.sum_loss(labels, self._logits(outputs), **options)

    def _loss_arguments(self, labels, sample_weight):
        """The labels, and the options that go with them, for the model's own loss."""
        options = {"weights": self._weights(sample_weight, self.label_names)}
        if self.label_smoothing:
            options["label_smoothing"] = self.label_smoothing
        return self._one_or_named(labels, self.label_names), options

    def sum_loss(
        self, labels: Any, logits: Any, weights: TensorLike | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the loss over the labels that count; heads say how.

        Args:
            labels: a head's labels; a dict of them where it has several.
            logits: its logits, likewise.
            weights: float[B] that documents are multiplied by, or None.

        Returns:
            (loss_sum, label_count), float32[] or float32[P] each: see
            `tf_led.ops.losses`.

        Raises:
            NotImplementedError: of a model without a head.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.sum_loss([[5, 2]], None)
            Traceback (most recent call last):
            NotImplementedError: TFLEDModel has no loss of its own: ...
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no loss of its own: compile it with a Keras "
            "loss, or take a model with a head."
        )

    def hf_compute_loss(
        self,
        labels: Any,
        logits: Any,
        weights: TensorLike | None = None,
        **options: Any,
    ) -> tf.Tensor:
        """The mean loss over the labels that count.

        Args:
            labels: as in `sum_loss`.
            logits: likewise.
            weights: likewise.
            **options: what else the `sum_loss` of this model takes: `label_smoothing`
                where it predicts tokens.

        Returns:
            float32[]; 0 if no label counts.

        Raises:
            ValueError: on labels that do not fit.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> logits = model(input_ids=[[0, 5, 2]]).logits
            >>> float(model.hf_compute_loss([[-100, -100, 1]], logits))  # none counts
            0.0
        """
        return mean_loss(*self.sum_loss(labels, logits, weights, **options))

    def predict_step(self, data):
        """One step of `predict`: all outputs but the loss and the cache."""
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self(inputs, training=False)
        if not is_mapping(outputs):
            return outputs
        kept = {
            name: value
            for name, value in outputs.items()
            if name not in ("loss", "past_key_values")
        }
        return type(outputs)(kept)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The loss of one batch, float32[]: the compiled one, or the model's own."""
        labels = self._find_labels(x, y)
        if self._compile_loss is not None:
            targets = self._one_or_named(labels, self.logits_names)
            logits = self._logits(y_pred)
            weights = self._weights(sample_weight, self.logits_names)
            return super().compute_loss(x, targets, logits, weights, training)
        if set(labels) != set(self.label_names):
            names = " and ".join(f"`{name}`" for name in self.label_names)
            raise ValueError(
                f"There are no labels to train on: put {names} into the inputs, or "
                "give (inputs, labels)."
            )
        labels, options = self._loss_arguments(labels, sample_weight)
        loss = self.hf_compute_loss(labels, self._logits(y_pred), **options)
        # What layers add, such as the penalty of a regulariser.
        return tf.add_n([loss, *(tf.cast(part, tf.float32) for part in self.losses)])

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Updates the compiled metrics on the logits."""
        targets = self._one_or_named(self._find_labels(x, y), self.logits_names)
        weights = self._weights(sample_weight, self.logits_names)
        return super().compute_metrics(x, targets, self._logits(y_pred), weights)

    def _labels_into_inputs(self, data):
        """Puts `y` where the model reads labels: decoder inputs are made from them."""
        inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        # The steps read fields by name, whatever the config says.
        inputs = {**by_name(self, inputs), "return_dict": True}
        labels = self._find_labels(inputs, y)
        inputs |= labels
        if y is None and sample_weight is not None and labels:
            # Keras drops the weights of samples that come without `y`.
            y = self._one_or_named(labels, self.label_names)
        return keras.utils.pack_x_y_sample_weight(inputs, y, sample_weight)


def _has_other_loss(model):
    """Whether a subclass has put a loss of its own in place of ours."""
    return any(
        getattr(type(model), name) is not getattr(TrainingSteps, name)
        for name in ("compute_loss", "hf_compute_loss")
    )
