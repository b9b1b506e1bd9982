"""What a tokenizer call returns: transformers' BatchEncoding, with TensorFlow again."""

import sys

import numpy as np
from transformers.tokenization_utils_base import BatchEncoding
from transformers.utils import TensorType

TENSOR_KINDS = ("tf", *(member.value for member in TensorType))


class LEDBatchEncoding(BatchEncoding):
    """A `transformers.BatchEncoding` that `return_tensors="tf"` works on.

    Fields answer by key and by attribute; `tokens()`, `word_ids()`, `char_to_token()`
    and so on are the library's.
    """

    def convert_to_tensors(self, tensor_type=None, prepend_batch_axis=False):
        """Turns every field into a tensor, in place.

        Args:
            tensor_type: "tf" (int32 for Python integers), "np", "pt", or None for
                nothing to be done.
            prepend_batch_axis: Python bool. True adds a first axis of size 1.

        Returns:
            This encoding.

        Raises:
            ValueError: if the kind is unknown, or rows differ in length ("tf", "pt").
        """
        kind = tensor_kind(tensor_type)
        if kind != "tf":
            return super().convert_to_tensors(kind, prepend_batch_axis)
        for key, value in self.items():
            self[key] = as_tensorflow(key, [value] if prepend_batch_axis else value)
        return self


def tensor_kind(return_tensors):
    """Reads `return_tensors`, a name or a TensorType, as a name or None."""
    kind = getattr(return_tensors, "value", return_tensors)
    if kind is None or kind in TENSOR_KINDS:
        return kind
    raise ValueError(
        f"`return_tensors` must be None or one of {', '.join(TENSOR_KINDS)}, "
        f"got {return_tensors!r}."
    )


def as_tensorflow(key, value):
    """Makes a tensor of nested lists; what is one already stays as it is."""
    import tensorflow as tf

    if tf.is_tensor(value):
        return value
    try:
        # Without a number to look at, TensorFlow would choose float32.
        return tf.constant(value, dtype=None if np.size(value) else tf.int32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{key}` cannot become a tensor: {why(value)}") from error


def why(value):
    lengths = sorted({len(row) for row in value if isinstance(row, (list, tuple))})
    if len(lengths) < 2:
        return f"it holds {str(value):.60}."
    return f"its rows have lengths {lengths}. Pass `padding=True` (and `truncation`)."


def as_lists(value):
    """Turns TensorFlow tensors and NumPy arrays, alone or in a list, into lists."""
    if not kind_of_arrays(value):
        return value
    if isinstance(value, (list, tuple)):
        return [as_lists(item) for item in value]
    if hasattr(value, "to_list"):  # a ragged tensor
        return value.to_list()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if not hasattr(value, "numpy"):
        raise TypeError(
            f"{value!r:.60} has no value yet: call the tokenizer outside `tf.function`."
        )
    return value.numpy().tolist()


def kind_of_arrays(value):
    """The kind of an array, or of that which a list starts with: "tf", "np" or None.

    Imports no library: transformers' own check would import torch to look for its.
    """
    while isinstance(value, (list, tuple)) and len(value):
        value = value[0]
    if isinstance(value, np.ndarray):
        return "np"
    tf = sys.modules.get("tensorflow")
    return "tf" if tf is not None and tf.is_tensor(value) else None
