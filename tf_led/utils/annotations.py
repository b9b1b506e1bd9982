"""Names for what arguments may be, for editors and type checkers.

At run time each of them is `Any`: they check nothing, and load no TensorFlow.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import keras
    import numpy as np
    import tensorflow as tf
    from transformers import PreTrainedTokenizerBase

    # A tensor, or what becomes one: arrays, numbers and nested lists of them.
    TensorLike: TypeAlias = (
        tf.Tensor
        | tf.Variable
        | keras.KerasTensor
        | keras.Variable
        | np.ndarray
        | np.generic
        | list[Any]
        | tuple[Any, ...]
        | float
    )
    # The first argument of a call: ids, or a dict of all inputs.
    Inputs: TypeAlias = TensorLike | Mapping[str, Any]
    PathLike: TypeAlias = str | os.PathLike[str]
    Tokenizer: TypeAlias = PreTrainedTokenizerBase
    # A text, or its words, tokens or ids.
    Text: TypeAlias = str | Sequence[Any]
    # A number that may be a scalar tensor.
    Integer: TypeAlias = int | tf.Tensor
    Number: TypeAlias = float | tf.Tensor
else:
    TensorLike = Inputs = PathLike = Tokenizer = Text = Integer = Number = Any
