"""What may come next: functions that change the scores of the next token.

Every processor of the files here is a name of this package.
"""

import importlib
import pkgutil

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.custom import as_processor, merge_processors


def _find_processors():
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, type) and issubclass(value, Processor):
                yield name, value


globals().update(_find_processors())
__all__ = ["as_processor", "merge_processors", *sorted(dict(_find_processors()))]
