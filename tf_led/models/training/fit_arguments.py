"""Labels, wherever they stand, and the arguments of `fit` and its kin.

Keras looks for labels in `y` alone, and drops or misreads what it has no `y` for. These
methods put all arguments into the form that Keras follows, or raise an error that names
them.
"""

import functools
import inspect

import keras
import tensorflow as tf

from tf_led.models.inputs.named_inputs import is_mapping, plain_dict
from tf_led.utils.keras_backend import check_keras_objects
from tf_led.utils.validation import check_int


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


class FitArguments(NamedLabels):
    """`fit`, `evaluate`, `predict` and their `_on_batch` forms, for labels anywhere."""

    def _prepare(self, arguments):
        """Changes the arguments of a method, in place, into what Keras follows."""
        self.check_config()
        check_keras_objects(callbacks=arguments.get("callbacks"))
        arguments["x"] = plain_dict(arguments.get("x"))
        if arguments.get("class_weight") is not None:
            self._apply_class_weight(arguments)
        x, weights = arguments["x"], arguments.get("sample_weight")
        if arguments.get("y") is None and weights is not None:
            arguments["y"] = self._labels_in(x)
        held_out = plain_dict(arguments.get("validation_data"))
        if isinstance(held_out, (tuple, list)) and is_mapping(held_out[0]):
            x, y, weights = keras.utils.unpack_x_y_sample_weight(held_out)
            if y is None and weights is not None:
                y = self._labels_in(x)
            held_out = plain_dict(x), y, weights
        if held_out is not None:
            arguments["validation_data"] = held_out

    def _labels_in(self, x):
        """The labels among the inputs, in the form of `y`; None if there are none."""
        found = self._find_labels(x, None)
        return self._one_or_named(found, self.label_names) if found else None

    def _apply_class_weight(self, arguments):
        """Puts `sample_weight` in the place of `class_weight`."""
        if len(self.label_names) > 1:
            raise ValueError(
                "`class_weight` is given, but the labels of this model are "
                f"{' and '.join(self.label_names)}: give `sample_weight`."
            )
        if arguments.get("sample_weight") is not None:
            raise ValueError(
                "`class_weight` and `sample_weight` are both given: multiply the "
                "weights and give them as `sample_weight`."
            )
        x, table = arguments["x"], _weight_table(arguments.pop("class_weight"))
        if isinstance(x, tf.data.Dataset):
            weigh = functools.partial(self._with_class_weights, table)
            arguments["x"] = x.map(weigh)
            return
        packed = self._with_class_weights(table, x, arguments.get("y"))
        for name, value in zip(("x", "y", "sample_weight"), packed, strict=True):
            arguments[name] = value

    def _with_class_weights(self, table, x, y=None, sample_weight=None):
        if sample_weight is not None:
            raise ValueError(
                "`class_weight` is given, and the dataset holds sample weights: "
                "multiply them, and give no `class_weight`."
            )
        labels = self._find_labels(x, y).get(self.label_names[0])
        if labels is None:
            raise ValueError(
                f"`class_weight` is given, but there are no `{self.label_names[0]}` "
                "to weigh by; give arrays, or a tf.data.Dataset, that hold them, or "
                "have your generator give sample weights."
            )
        labels = tf.convert_to_tensor(labels)
        if not labels.dtype.is_integer:
            raise ValueError(
                "`class_weight` is given, but the labels are "
                f"{labels.dtype.name}, not the number of a class: give `sample_weight`."
            )
        is_listed = (labels >= 0) & (labels < len(table) - 1)  # -100 is not
        others = tf.constant(len(table) - 1, labels.dtype)
        return x, labels, tf.gather(table, tf.where(is_listed, labels, others))


def _weight_table(class_weight):
    """float32[classes + 1]: the weight of each class, and 1 for all that follow."""
    for number in class_weight:
        check_int("class_weight", number, at_least=0)
    last = max(class_weight, default=0)
    weights = [class_weight.get(number, 1.0) for number in range(last + 1)]
    return tf.constant([*weights, 1.0], tf.float32)


def _in_our_form(name):
    """The method of `keras.Model`, called with arguments that it follows."""
    signature = inspect.signature(getattr(keras.Model, name))

    def method(self, x=None, *args, **kwargs):
        bound = signature.bind(self, x, *args, **kwargs)
        self._prepare(bound.arguments)
        # Not by `arguments`, where `evaluate` has all its further options as one.
        _, *args = bound.args
        return getattr(super(FitArguments, self), name)(*args, **bound.kwargs)

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
    setattr(FitArguments, _name, _in_our_form(_name))
