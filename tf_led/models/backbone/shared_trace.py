"""One trace for all layers of a kind, where a graph would hold one for each."""

import keras
import tensorflow as tf


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

        return tf.function(run, autograph=False)


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
