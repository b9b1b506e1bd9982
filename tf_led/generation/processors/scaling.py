"""Processors that change all scores alike."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_positive


@dataclass(frozen=True, eq=False)
class Temperature(Processor):
    """Divides the scores: above 1 the choice gets freer, below 1 safer.

    Args:
        temperature: number or float[], above 0.

    Raises:
        ValueError: if it is not above 0.

    Source: transformers' `TemperatureLogitsWarper`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import Temperature
        >>> Temperature(2.0)([[4.0, -3.0]], [[0]], 1).numpy().tolist()
        [[2.0, -1.5]]
    """

    temperature: Any

    def __post_init__(self):
        remedy = "For the most likely token at every step, set `do_sample=False`."
        check_positive("temperature", self.temperature, remedy)

    def process(self, scores, tokens, length):
        return scores / tf.cast(self.temperature, scores.dtype)


@dataclass(frozen=True, eq=False)
class InfNanRemove(Processor):
    """Replaces NaN by 0 and infinities by the largest and smallest finite number.

    Source: transformers' `InfNanRemoveLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import InfNanRemove
        >>> InfNanRemove()([[float("nan"), 1.0]], [[0]], 1).numpy().tolist()
        [[0.0, 1.0]]
    """

    def process(self, scores, tokens, length):
        finite = tf.clip_by_value(scores, scores.dtype.min, scores.dtype.max)
        return tf.where(tf.math.is_nan(scores), tf.zeros_like(scores), finite)


@dataclass(frozen=True, eq=False)
class LogitNormalization(Processor):
    """Makes the scores log-probabilities again, for `renormalize_logits`.

    A row in which all is forbidden becomes NaN, as in PyTorch.

    Source: transformers' `LogitNormalization`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import LogitNormalization
        >>> LogitNormalization()([[3.0]], [[0]], 1).numpy().tolist()
        [[0.0]]
    """

    def process(self, scores, tokens, length):
        return tf.nn.log_softmax(scores)
