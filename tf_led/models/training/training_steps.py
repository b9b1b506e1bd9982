"""How a model answers `compile`, `fit`, `evaluate` and `predict`."""

import inspect

import keras
import tensorflow as tf

from tf_led.models.inputs.named_inputs import by_name, is_mapping, plain_dict
from tf_led.training.accumulation import build_optimizer
from tf_led.training.distribution import DistributedFit
from tf_led.training.metrics import TokenAccuracy
from tf_led.training.steps import test_on, train_on


class NamedLabels:
    """Names what a model learns from, and the logits that each label belongs to.

    Labels stand in the inputs by their names, or come as `y`: the label alone, or a
    dict by these names, or a tuple in this order where there are several. A Keras loss
    or metric sees several, and their logits, as dicts by the names of the logits.
    """

    label_names = ("labels",)
    logits_names = ("logits",)

    def _find_labels(self, inputs, y):
        """The labels by their names, from `y` or else from the inputs."""
        names = self.label_names
        if y is not None and not is_mapping(y):
            several = len(names) > 1
            if several and not (isinstance(y, (tuple, list)) and len(y) == len(names)):
                raise ValueError(
                    f"`y` is a {type(y).__name__}; give a dict of {', '.join(names)}, "
                    "or a tuple of them in this order."
                )
            y = dict(zip(names, y if several else [y], strict=True))
        found = {}
        for source in (inputs, y):
            if is_mapping(source):
                held = ((name, source.get(name)) for name in names)
                found |= {name: value for name, value in held if value is not None}
        return found

    def _one_or_named(self, labels, names):
        """The label itself if there can be but one, else all of them by `names`."""
        values = [labels.get(name) for name in self.label_names]
        return values[0] if len(values) == 1 else dict(zip(names, values, strict=True))

    def _weights(self, weights, names):
        """Sample weights; by `names` where each of several labels has its own."""
        if is_mapping(weights):
            return self._one_or_named(weights, names)
        if isinstance(weights, (tuple, list)) and len(self.label_names) > 1:
            return dict(zip(names, weights, strict=True))
        return weights

    def _logits(self, outputs):
        values = [outputs[name] for name in self.logits_names]
        if len(values) == 1:
            return values[0]
        return dict(zip(self.logits_names, values, strict=True))


# What transformers' users pass to say "the model's own loss".
OWN_LOSS = ("auto", "auto_with_warning", "passthrough")
ACCURACY = ("accuracy", "acc")
# A batch without global tokens does not use these, as in PyTorch.
UNUSED_WITHOUT_GLOBAL = ("query_global", "key_global", "value_global")


class TrainingSteps(NamedLabels, DistributedFit):
    """Trains on the model's own loss unless `compile` is given another.

    Labels may stand in the inputs, come as `y`, and be weighted: the numbers are the
    same.
    """

    label_smoothing = 0.0

    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        *args,
        jit_compile=False,
        label_smoothing=0.0,
        **kwargs,
    ):
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: a Keras optimizer or its name. One with
                `gradient_accumulation_steps` weighs its batches by their labels.
            loss: None (or "passthrough", "auto") for the model's own, that of a call
                with labels. Any Keras loss is computed on the logits instead.
            loss_weights: as for `keras.Model.compile`.
            metrics: as for `keras.Model.compile`, on the logits. "accuracy" counts the
                labels that the model's own loss counts.
            *args: further arguments of `keras.Model.compile`.
            jit_compile: bool. XLA compiles anew for every shape: use it with bucketed
                lengths.
            label_smoothing: float from 0 to below 1, the share of each label that the
                model's own loss spreads over the vocabulary.
            **kwargs: further arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `label_smoothing` is out of range, or has no use here.

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
        self._check_smoothing(label_smoothing, loss)
        self.label_smoothing = label_smoothing
        if loss is None:
            metrics = self._own_metrics(metrics)
        super().compile(
            optimizer,
            loss,
            loss_weights,
            metrics,
            *args,
            jit_compile=jit_compile,
            **kwargs,
        )

    def _check_smoothing(self, label_smoothing, loss):
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be from 0 to below 1, got {label_smoothing}."
            )
        if label_smoothing and not (loss is None and self.can_generate()):
            raise ValueError(
                f"`label_smoothing` is {label_smoothing}, but only the own loss of a "
                "model that predicts tokens takes it: give it to the Keras loss."
            )

    def _own_metrics(self, metrics):
        if not self.can_generate() or not isinstance(metrics, (list, tuple)):
            return metrics
        accuracy = TokenAccuracy(self.config.pad_token_id)
        return [accuracy if m in ACCURACY else m for m in metrics]

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
        return train_on(self, data, self._label_weight(data), UNUSED_WITHOUT_GLOBAL)

    def test_step(self, data):
        """One step of `evaluate`: see `keras.Model.test_step`."""
        data = self._labels_into_inputs(data)
        return test_on(self, data, self._label_weight(data))

    def label_weight(self, labels, weights=None):
        """How much a batch's labels count together, beside those of other batches.

        Args:
            labels: what `hf_compute_loss` takes.
            weights: see there.

        Returns:
            float32[], what `hf_compute_loss` divides by: the number of rows that have
            a label, or the sum of their weights.

        Example:
            >>> from tf_led import TFLEDForSequenceClassification
            >>> from tf_led.testing import tiny_config
            >>> config = tiny_config()
            >>> model = TFLEDForSequenceClassification(config, pooling="encoder_mean")
            >>> import tensorflow as tf
            >>> float(model.label_weight(tf.constant([1, -100, 0])))
            2.0
        """
        labels = tf.convert_to_tensor(keras.tree.flatten(labels)[0])
        has_label = tf.ones_like(labels, tf.float32)
        if labels.dtype.is_integer:
            has_label = tf.cast(labels != -100, tf.float32)
        rows = tf.reduce_max(tf.reshape(has_label, [tf.shape(labels)[0], -1]), axis=1)
        if weights is not None:
            weights = keras.tree.flatten(weights)[0]
            rows *= tf.reshape(tf.cast(weights, tf.float32), [-1])
        return tf.reduce_sum(rows)

    def _label_weight(self, data):
        """The same for a batch of `fit`; None where the loss is Keras'."""
        inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        labels = self._find_labels(inputs, y)
        incomplete = set(labels) != set(self.label_names)
        if incomplete or self._compile_loss is not None:
            return None
        labels = self._one_or_named(labels, self.label_names)
        weights = self._weights(sample_weight, self.label_names)
        return self.label_weight(labels, weights)

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
        smoothing = self.label_smoothing
        smoothing = {"label_smoothing": smoothing} if smoothing else {}
        loss = self.hf_compute_loss(
            self._one_or_named(labels, self.label_names),
            self._logits(y_pred),
            weights=self._weights(sample_weight, self.label_names),
            **smoothing,
        )
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


def _accepting_encodings(name):
    signature = inspect.signature(getattr(keras.Model, name))

    def method(self, x=None, *args, **kwargs):
        x = plain_dict(x)
        bound = signature.bind(self, x, *args, **kwargs)
        given = bound.arguments
        weights = given.get("sample_weight")
        if given.get("y") is None and weights is not None and is_mapping(x):
            # Keras drops the weights of samples that come without `y`.
            given["y"] = self._find_labels(x, None) or None
        # Not by `given`, where `evaluate` has all its further options as one.
        _, *args = bound.args
        return getattr(super(TrainingSteps, self), name)(*args, **bound.kwargs)

    method.__name__ = name
    method.__doc__ = f"As `keras.Model.{name}`; also takes a tokenizer's output."
    return method


for _name in (
    "fit",
    "evaluate",
    "predict",
    "train_on_batch",
    "test_on_batch",
    "predict_on_batch",
):
    setattr(TrainingSteps, _name, _accepting_encodings(_name))
