"""How a model answers `compile`, `fit`, `evaluate` and `predict`."""

import warnings

import keras
import tensorflow as tf

from tf_led.models.named_inputs import by_name, is_mapping, plain_dict

# What transformers' users pass to say "the model's own loss".
OWN_LOSS = ("auto", "auto_with_warning", "passthrough")
# Keras' warning where only projections of global attention did not learn: without
# global tokens that is as it should be.
UNUSED_GLOBAL = (
    r"Gradients do not exist for variables \[('[^']*_global/(kernel|bias)'(, )?)+\]"
)


class TrainingSteps:
    """Trains on the model's own loss unless `compile` is given another.

    Labels may stand in the inputs, come as `y`, and be weighted: the numbers are the
    same.
    """

    def compile(
        self, optimizer="rmsprop", loss=None, *args, jit_compile=False, **kwargs
    ):
        """Configures training, as `keras.Model.compile`.

        Args:
            optimizer: a Keras optimizer or its name.
            loss: None (or "passthrough", "auto") for the model's own: mean
                cross-entropy over the labels that are neither -100 nor padding. Any
                Keras loss is computed on the logits instead.
            *args: further arguments of `keras.Model.compile`.
            jit_compile: bool. XLA compiles anew for every shape: use it with bucketed
                lengths.
            **kwargs: further arguments of `keras.Model.compile`.
        """
        if isinstance(loss, str) and loss in OWN_LOSS:
            loss = None
        super().compile(optimizer, loss, *args, jit_compile=jit_compile, **kwargs)

    def compile_from_config(self, config):
        """Compiles a model read from a `.keras` file as it was when saved."""
        # Keras does nothing here for a model with a `compile` of its own.
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def train_step(self, data):
        """One step of `fit`: see `keras.Model.train_step`."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", UNUSED_GLOBAL)
            return super().train_step(self._labels_into_inputs(data))

    def test_step(self, data):
        """One step of `evaluate`: see `keras.Model.test_step`."""
        return super().test_step(self._labels_into_inputs(data))

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
        labels = _labels(x, y)
        if self._compile_loss is not None:
            return super().compute_loss(
                x, labels, y_pred.logits, sample_weight, training
            )
        if labels is None:
            raise ValueError(
                "There are no labels to train on: put `labels` into the inputs, or "
                "give (inputs, labels)."
            )
        loss = self.hf_compute_loss(labels, y_pred.logits, weights=sample_weight)
        # What layers add, such as the penalty of a regulariser.
        return tf.add_n([loss, *(tf.cast(part, tf.float32) for part in self.losses)])

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Updates the compiled metrics on the logits."""
        return super().compute_metrics(x, _labels(x, y), y_pred.logits, sample_weight)

    def _labels_into_inputs(self, data):
        """Puts `y` where the model reads labels: decoder inputs are made from them."""
        inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        # The steps read fields by name, whatever the config says.
        inputs = {**by_name(self, inputs), "return_dict": True}
        labels = _labels(inputs, y)
        if labels is not None:
            inputs["labels"] = labels
        return keras.utils.pack_x_y_sample_weight(inputs, y, sample_weight)


def _labels(inputs, y):
    if is_mapping(y):
        y = y.get("labels")
    if y is None and is_mapping(inputs):
        y = inputs.get("labels")
    return y


def _accepting_encodings(name):
    def method(self, x=None, *args, **kwargs):
        return getattr(super(TrainingSteps, self), name)(plain_dict(x), *args, **kwargs)

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
