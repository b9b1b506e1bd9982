"""LED, the Longformer Encoder-Decoder, for TensorFlow and Keras 3.

The public names load on first use (PEP 562): transformers' `LEDConfig` imports torch
wherever torch is installed, and `import tf_led` must not.
"""

import importlib
from typing import TYPE_CHECKING

from tf_led.utils import old_paths
from tf_led.utils.keras_backend import check_keras_backend, install_stand_ins

_HOME = {
    "LEDConfig": "tf_led.models.led_config",
    "LEDTokenizer": "tf_led.tokenization.led_tokenizer",
    "LEDTokenizerFast": "tf_led.tokenization.led_tokenizer",
    "TFLEDEncoderBaseModelOutput": "tf_led.models.outputs",
    "TFLEDForConditionalGeneration": "tf_led.models.tasks.conditional_generation",
    "TFLEDForQuestionAnswering": "tf_led.models.tasks.question_answering",
    "TFLEDForSequenceClassification": "tf_led.models.tasks.sequence_classification",
    "TFLEDModel": "tf_led.models.tasks.led_model",
    "TFLEDPreTrainedModel": "tf_led.models.pretrained.pretrained_model",
    "TFLEDSeq2SeqLMOutput": "tf_led.models.outputs",
    "TFLEDSeq2SeqModelOutput": "tf_led.models.outputs",
    "TFLEDSeq2SeqQuestionAnsweringModelOutput": "tf_led.models.outputs",
    "TFLEDSeq2SeqSequenceClassifierOutput": "tf_led.models.outputs",
    "make_dataset": "tf_led.data.pipeline",
    "pipeline": "tf_led.pipelines.build",
    "export_saved_model": "tf_led.models.serving.export",
    "shift_tokens_right": "tf_led.ops.losses",
    "use_bfloat16_products": "tf_led.utils.bfloat16",
}

if TYPE_CHECKING:  # editors and type checkers do not run `__getattr__`
    from tf_led.data.pipeline import make_dataset
    from tf_led.models.led_config import LEDConfig
    from tf_led.models.outputs import (
        TFLEDEncoderBaseModelOutput,
        TFLEDSeq2SeqLMOutput,
        TFLEDSeq2SeqModelOutput,
        TFLEDSeq2SeqQuestionAnsweringModelOutput,
        TFLEDSeq2SeqSequenceClassifierOutput,
    )
    from tf_led.models.pretrained.pretrained_model import (
        TFLEDPreTrainedModel,
    )
    from tf_led.models.serving.export import export_saved_model
    from tf_led.models.tasks.conditional_generation import (
        TFLEDForConditionalGeneration,
    )
    from tf_led.models.tasks.led_model import TFLEDModel
    from tf_led.models.tasks.question_answering import (
        TFLEDForQuestionAnswering,
    )
    from tf_led.models.tasks.sequence_classification import (
        TFLEDForSequenceClassification,
    )
    from tf_led.ops.losses import shift_tokens_right
    from tf_led.pipelines.build import pipeline
    from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast
    from tf_led.utils.bfloat16 import use_bfloat16_products

_WITHOUT_KERAS = ("tf_led.models.led_config", "tf_led.tokenization.led_tokenizer")

# Literal, for type checkers; the same names as in `_HOME`.
__all__ = [
    "LEDConfig",
    "LEDTokenizer",
    "LEDTokenizerFast",
    "TFLEDEncoderBaseModelOutput",
    "TFLEDForConditionalGeneration",
    "TFLEDForQuestionAnswering",
    "TFLEDForSequenceClassification",
    "TFLEDModel",
    "TFLEDPreTrainedModel",
    "TFLEDSeq2SeqLMOutput",
    "TFLEDSeq2SeqModelOutput",
    "TFLEDSeq2SeqQuestionAnsweringModelOutput",
    "TFLEDSeq2SeqSequenceClassifierOutput",
    "export_saved_model",
    "make_dataset",
    "pipeline",
    "shift_tokens_right",
    "use_bfloat16_products",
]
__version__ = "0.1.0"


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'tf_led' has no attribute {name!r}")
    if _HOME[name] not in _WITHOUT_KERAS:
        check_keras_backend()
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})


old_paths.install()
install_stand_ins()
