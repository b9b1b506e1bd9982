"""Keywords of compile, fit, evaluate and predict, on a model whose steps only count."""

import contextlib
import io

import keras
import numpy as np
import tensorflow as tf

import tf_led
from tests.models.conftest import SMALL
from tests.settings.rows import Obeyed, Rejected
from tf_led.testing import tiny_config

X = {"input_ids": np.array([[0, row, 2] for row in range(3, 9)])}
Y = np.array([[row, 2] for row in range(3, 9)])
TRAINED = {**X, "labels": Y}


class Counting(tf_led.TFLEDForConditionalGeneration):
    """Writes down what its steps are given, and computes nothing."""

    def __init__(self, **options):
        super().__init__(tiny_config(**SMALL))
        self.compile(**{"optimizer": "sgd", "run_eagerly": True, **options})
        self.__dict__["seen"] = {"train": [], "test": [], "predict": []}

    def _see(self, kind, data):
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        arrays = {"y": y, "weights": weights, **x}
        self.seen[kind].append(
            {name: np.asarray(a) for name, a in arrays.items() if a is not None}
        )
        return {"loss": tf.constant(1.0)}

    def train_step(self, data):
        return self._see("train", data)

    def test_step(self, data):
        return self._see("test", data)

    def predict_step(self, data):
        self._see("predict", data)
        return tf.zeros([2, 1])


def steps(method, kind=None, *, built=None, **options):
    """What the steps of one call see."""
    model = Counting(**(built or {}))
    given = {"x": TRAINED, "batch_size": 2, "verbose": 0, **options}
    model.__dict__["result"] = getattr(model, method)(**given)
    kinds = {"fit": "train", "evaluate": "test", "predict": "predict"}
    return model.seen[kind or kinds[method]]


def counts(method, value, wanted, kind=None, **others):
    """The number of steps is that which the option says."""
    return Obeyed(
        lambda name: len(steps(method, kind, **{**others, name: value})) == wanted
    )


def sees(method, value, key, **others):
    """The steps are given what the option says, under `key`."""

    def shows(name):
        seen = steps(method, **{"x": X, **others, name: value})
        return key in seen[0]

    return Obeyed(shows)


class Spy(keras.callbacks.Callback):
    """Counts that it was called."""

    def __init__(self):
        super().__init__()
        self.times = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.times += 1
        self.first = getattr(self, "first", epoch)

    def on_test_begin(self, logs=None):
        self.times += 1

    def on_predict_begin(self, logs=None):
        self.times += 1


def calls_back(method):
    def shows(name):
        spy = Spy()
        steps(method, **{name: [spy]})
        return spy.times == 1

    return Obeyed(shows)


def begins_at(name):
    spy = Spy()
    steps("fit", callbacks=[spy], epochs=3, **{name: 2})
    return (spy.first, spy.times) == (2, 1)


def shuffles(name):
    rows = [
        np.concatenate(
            [batch["input_ids"][:, 1] for batch in steps("fit", **{name: f})]
        )
        for f in (False, True)
    ]
    in_order = rows[0].tolist() == list(range(3, 9))
    return in_order and sorted(rows[1]) == rows[0].tolist() != rows[1].tolist()


def prints(method):
    """What is printed goes to Python's stdout."""

    def shows(name):
        found = []
        for value in (0, 2):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                steps(method, **{name: value})
            found.append(bool(out.getvalue()))
        return found == [False, True]

    return Obeyed(shows)


def returns_by_name(name):
    model = Counting()
    return isinstance(model.evaluate(TRAINED, verbose=0, **{name: True}), dict)


def rejected(method):
    return Rejected(lambda name: steps(method, **{name: 2}))


def held_out(value, wanted, **others):
    """Validation takes so many steps."""
    others = {"validation_data": TRAINED, **others}
    return counts("fit", value, wanted, "test", **others)


GONE = ("max_queue_size", "use_multiprocessing", "workers")
FITTING = {
    "x": sees("fit", TRAINED, "labels"),
    "y": sees("fit", Y, "y"),
    "batch_size": counts("fit", 3, 2),
    "epochs": counts("fit", 2, 6),
    "verbose": prints("fit"),
    "callbacks": calls_back("fit"),
    "validation_split": counts("fit", 1 / 3, 2),
    "validation_data": counts("fit", TRAINED, 3, "test"),
    "shuffle": Obeyed(shuffles),
    "class_weight": sees("fit", {3: 2.0}, "weights", y=Y),
    "sample_weight": sees("fit", np.ones(6), "weights", y=Y),
    "initial_epoch": Obeyed(begins_at),
    "steps_per_epoch": counts("fit", 2, 2),
    "validation_steps": held_out(2, 2),
    "validation_batch_size": held_out(3, 2),
    "validation_freq": held_out(2, 3, epochs=2),
    **dict.fromkeys(GONE, rejected("fit")),
}
EVALUATING = {
    "x": sees("evaluate", TRAINED, "labels"),
    "y": sees("evaluate", Y, "y"),
    "batch_size": counts("evaluate", 3, 2),
    "verbose": prints("evaluate"),
    "sample_weight": sees("evaluate", np.ones(6), "weights", y=Y),
    "steps": counts("evaluate", 2, 2),
    "callbacks": calls_back("evaluate"),
    "return_dict": Obeyed(returns_by_name),
    **dict.fromkeys(GONE, rejected("evaluate")),
}
PREDICTING = {
    "x": sees("predict", X, "input_ids"),
    "batch_size": counts("predict", 3, 2),
    "verbose": prints("predict"),
    "steps": counts("predict", 2, 2),
    "callbacks": calls_back("predict"),
    **dict.fromkeys(GONE, rejected("predict")),
}


# compile: what the options of a loss compute is tested in tests/models/training.


def compiled(value, function):
    return Obeyed(lambda name: function(Counting(**{name: value})))


def names_of_metrics(model):
    x, y = tf.zeros([1, 1, 29]), tf.constant([[3]])
    model.compute_metrics({}, y, {"logits": x})
    return set(model.get_metrics_result())


def no_loss_but_one(name):
    Counting(**{name: [1.0]})


def loss_of(model, **options):
    """The loss of logits that favour no token."""
    return float(
        model.compute_loss(
            {}, tf.constant([[3]]), {"logits": tf.zeros([1, 1, 29])}, **options
        )
    )


def smooths(name):
    """A label costs less of logits that are sure of it."""
    sure = {"logits": 9.0 * tf.one_hot([[3]], 29)}
    costs = [
        float(Counting(**{name: value}).compute_loss({}, tf.constant([[3]]), sure))
        for value in (0.0, 0.5)
    ]
    return costs[0] < costs[1]


def scales(name):
    """The optimizer that float16 is trained with."""
    kinds = []
    for value in (True, False):
        model = tf_led.TFLEDForConditionalGeneration(
            tiny_config(**SMALL), dtype="mixed_float16"
        )
        model.compile("sgd", **{name: value})
        kinds.append(type(model.optimizer).__name__)
    return kinds == ["LossScaleOptimizer", "SGD"]


def mean_of_squares(labels, logits):
    return tf.zeros_like(tf.cast(labels, tf.float32)) + 7.0


COMPILING = {
    "optimizer": compiled("adam", lambda m: type(m.optimizer).__name__ == "Adam"),
    "loss": compiled(mean_of_squares, lambda m: loss_of(m) == 7.0),
    "loss_weights": Rejected(no_loss_but_one),
    "metrics": compiled(["accuracy"], lambda m: "accuracy" in names_of_metrics(m)),
    "weighted_metrics": compiled(
        ["accuracy"], lambda m: "accuracy" in names_of_metrics(m)
    ),
    "run_eagerly": compiled(False, lambda m: not m.run_eagerly),
    "steps_per_execution": Obeyed(
        lambda name: Counting(run_eagerly=False, **{name: 2}).steps_per_execution == 2
    ),
    "jit_compile": Obeyed(
        lambda name: Counting(run_eagerly=False, **{name: True}).jit_compile
    ),
    "auto_scale_loss": Obeyed(scales),
    "label_smoothing": Obeyed(smooths),
}
TABLES = {
    "compile": COMPILING,
    "fit": FITTING,
    "evaluate": EVALUATING,
    "predict": PREDICTING,
}
