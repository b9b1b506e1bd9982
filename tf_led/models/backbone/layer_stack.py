"""What encoder and decoder share: layers of one trace, perhaps recomputed."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_led.models.inputs.validation import input_error
from tf_led.ops.control_flow import in_xla
from tf_led.ops.dropout import fold_seed
from tf_led.utils.annotations import TensorLike


class LayerStack:
    """Layers by number, their seeds, layer drop and gradient checkpointing."""

    gradient_checkpointing = False

    def add_layers(self, layers: Sequence[keras.layers.Layer]) -> None:
        """Keeps layers as attributes `layers_0`, `layers_1`, ...

        Lists alone are not seen by `tf.train.Checkpoint`.

        Args:
            layers: iterable of Keras layers.

        Example:
            >>> from tf_led.models.backbone.layer_stack import LayerStack
            >>> stack = LayerStack()
            >>> stack.add_layers(["first", "second"])
            >>> stack.layers_1
            'second'
        """
        self.num_layers = 0
        for layer in layers:
            setattr(self, f"layers_{self.num_layers}", layer)
            self.num_layers += 1

    @property
    def layers(self):
        """The layers, in order."""
        return [getattr(self, f"layers_{i}") for i in range(self.num_layers)]

    def build_layers(self) -> None:
        """Builds every layer.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> encoder = TFLEDModel(tiny_config()).get_encoder()  # which calls it
            >>> all(layer.built for layer in encoder.layers)
            True
        """
        for layer in self.layers:
            layer.build()

    def draw_seed(self, training: bool) -> tf.Tensor | None:
        """Draws a seed for this call's dropout.

        It is drawn here, once: a seed drawn inside a recomputed layer would differ
        between the forward pass and its repetition.

        Args:
            training: bool.

        Returns:
            int32[2], or None outside training.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> encoder = TFLEDModel(tiny_config()).get_encoder()
            >>> encoder.draw_seed(training=True).shape
            TensorShape([2])
        """
        return tf.cast(self.seed_generator.next(), tf.int32) if training else None

    def run_layers(
        self,
        run_layer: Callable[..., Any],
        hidden: TensorLike,
        *,
        extras: Sequence[Any],
        seed: TensorLike | None,
        drop_rate: float,
        output_attentions: bool,
        keeps_nothing: bool = False,
    ) -> tuple[Any, ...]:
        """Runs the layers one after another.

        Args:
            run_layer: called with (index, layer, hidden, seed, *extras of that layer);
                returns a named tuple of new hidden states and attention probabilities.
                While a training step is traced it is called for one layer of each kind,
                and what it keeps besides cannot be used; likewise in any graph if
                `keeps_nothing`.
            hidden: float[B, S, D].
            extras: for each layer a list of float tensors and None. A layer that is
                recomputed passes gradients to these and to `hidden` only, never to
                what `run_layer` holds otherwise.
            seed: int32[2], or None outside training.
            drop_rate: Python float, probability to skip a layer in training.
            output_attentions: bool, whether to collect the attention probabilities.
            keeps_nothing: bool, whether all that `run_layer` makes is in its result.

        Returns:
            The last hidden states, the tuple of all L + 1, and one tuple over layers
            for each kind of attention probabilities, or None.

        Raises:
            ValueError: on `output_attentions` while layers may be dropped.

        Example:
            >>> import collections
            >>> from tf_led.models.backbone.layer_stack import LayerStack
            >>> stack = LayerStack()
            >>> stack.add_layers([2, 3])
            >>> Result = collections.namedtuple("Result", "hidden attention")
            >>> def times(index, layer, hidden, seed):
            ...     return Result(hidden * layer, layer)
            >>> options = {"seed": None, "drop_rate": 0.0, "output_attentions": True}
            >>> stack.run_layers(times, 1.0, extras=[[], []], **options)
            (6.0, (1.0, 2.0, 6.0), ((2, 3),))
        """
        may_drop = seed is not None and drop_rate > 0
        if may_drop and output_attentions:
            raise input_error(
                "`output_attentions` is True while layers are dropped (layerdrop "
                f"{drop_rate}): a dropped layer has none. Call with training=False."
            )
        run_for_hidden = functools.partial(_hidden_of, run_layer)
        may_share = seed is not None or keeps_nothing
        if may_share and self.num_layers > 1 and not tf.executing_eagerly():
            # Tracing a layer takes long, its gradients above all.
            run_for_hidden = SharedTrace(run_for_hidden)
        states, attentions = [hidden], []
        for index, layer in enumerate(self.layers):
            layer_seed = fold_seed(seed, 2 * index)
            if output_attentions:
                run = functools.partial(run_layer, index, layer, seed=layer_seed)
                hidden, *layer_probs = run(hidden, *extras[index])
                attentions.append(layer_probs)
            else:
                step = functools.partial(run_for_hidden, index, layer, seed=layer_seed)
                if may_drop:
                    drop_seed = fold_seed(seed, 2 * index + 1)
                    step = functools.partial(_maybe_drop, step, drop_rate, drop_seed)
                if self.gradient_checkpointing and seed is not None:
                    step = functools.partial(_recomputed, step)
                hidden = step(hidden, *extras[index])
            states.append(hidden)
        by_kind = tuple(zip(*attentions, strict=True)) if attentions else None
        return hidden, tuple(states), by_kind


def _hidden_of(run_layer, *args, **kwargs):
    return run_layer(*args, **kwargs)[0]


def _maybe_drop(step, drop_rate, seed, hidden, *extras):
    dropped = tf.random.stateless_uniform([], seed) < drop_rate
    # Not tf.cond: XLA has no gradient for a branch that holds custom gradients, and
    # without it the gradient of a branch fails where lengths vary from batch to batch.
    return tf.where(dropped, hidden, step(hidden, *extras))


def _recomputed(step, hidden, *extras):
    """Runs `step` and, for its gradient, runs it again; None cannot be an argument."""
    places = [i for i, extra in enumerate(extras) if extra is not None]

    def run(hidden, *given):
        filled = dict(zip(places, given, strict=True))
        return step(hidden, *(filled.get(i) for i in range(len(extras))))

    return tf.recompute_grad(run)(hidden, *(extras[i] for i in places))


def choose(given, default):
    """The argument of a call, or the config's value where it is None."""
    return default if given is None else given


def per_layer(tensor, num_layers):
    """The rows of [L, ...], one for each layer; None gives None for each."""
    return [None] * num_layers if tensor is None else tf.unstack(tensor, num_layers)


class SharedTrace:
    """Runs layers in a graph by functions that layers of one kind share.

    Tracing a layer takes TensorFlow a second or more, forward and backward, whatever
    its size. Here the first layer of each kind is traced, with its weights as
    arguments; the others call the same function with theirs.

    Make one for each pass through a stack: a function belongs to the graph in which it
    was traced (plain, or for XLA), and is forgotten with it.

    Args:
        run_layer: called with (index, layer, hidden, *extras, seed=seed); returns a
            tensor. What it needs of the stack must be the same for all layers.
    """

    def __init__(self, run_layer):
        self._run_layer = run_layer
        self._traced = {}

    def __call__(self, index, layer, hidden, *extras, seed):
        """Does what `run_layer` does."""
        kind = kind_of(layer)
        if kind not in self._traced:
            self._traced[kind] = self._trace(index, layer)
        values = [tf.convert_to_tensor(variable._value) for variable in layer.variables]
        return self._traced[kind](values, hidden, extras, seed)

    def _trace(self, index, layer):
        def run(values, hidden, extras, seed):
            mapping = zip(layer.variables, values, strict=True)
            with keras.StatelessScope(state_mapping=mapping):
                return self._run_layer(index, layer, hidden, *extras, seed=seed)

        if in_xla():
            return tf.function(run, autograph=False)
        # TensorFlow optimises the function once, in place of a copy for each layer.
        return tf.function(
            run, autograph=False, experimental_attributes={"_noinline": True}
        )


def kind_of(layer):
    """What the trace of a layer depends on, beside the values of its variables.

    Args:
        layer: keras.layers.Layer.

    Returns:
        Hashable: of the layer and all within it the class, the precision and what it
        was made with; of the variables shape and dtype.
    """
    parts = [
        (type(part), part.dtype_policy.name, *_options(part))
        for part in layer._flatten_layers()
    ]
    variables = [(tuple(v.shape), v.dtype, v.trainable) for v in layer.variables]
    return (*parts, *variables)


def _options(part):
    """The public attributes of a layer that are numbers, strings or functions.

    Its name is no option, nor is a method that Keras has wrapped.
    """
    for name, value in sorted(vars(part).items()):
        if name.startswith("_") or name == "name" or hasattr(type(part), name):
            continue
        is_function = callable(value) and not isinstance(value, OF_VARIABLES)
        if is_function or isinstance(value, PLAIN):
            yield name, value


PLAIN = (int, float, str, bool, type(None))
OF_VARIABLES = (
    keras.Layer,
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
)
