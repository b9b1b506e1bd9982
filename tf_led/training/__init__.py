"""Fine-tuning: steps, schedules, metrics, callbacks and distribution.

The public names load on first use, as those of `tf_led` do.
"""

import importlib
from typing import TYPE_CHECKING

_HOME = {
    "AdamW": "tf_led.training.schedules",
    "RougeCallback": "tf_led.training.metrics",
    "TokenAccuracy": "tf_led.training.metrics",
    "WarmUp": "tf_led.training.schedules",
    "make_strategy": "tf_led.training.workers",
    "score_rouge": "tf_led.training.metrics",
}

if TYPE_CHECKING:  # editors and type checkers do not run `__getattr__`
    from tf_led.training.metrics import RougeCallback, TokenAccuracy, score_rouge
    from tf_led.training.schedules import AdamW, WarmUp
    from tf_led.training.workers import make_strategy

# Literal, for type checkers; the same names as in `_HOME`.
__all__ = [
    "AdamW",
    "RougeCallback",
    "TokenAccuracy",
    "WarmUp",
    "make_strategy",
    "score_rouge",
]


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'tf_led.training' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
