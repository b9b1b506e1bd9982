"""LED, the Longformer Encoder-Decoder, for TensorFlow and Keras 3.

The public names load on first use (PEP 562): transformers' `LEDConfig` imports torch
wherever torch is installed, and `import tf_led` must not.
"""

import importlib

from tf_led.utils import keras_classes, old_paths
from tf_led.utils.keras_backend import check_keras_backend

_HOME = {
    "LEDConfig": "tf_led.models.backbone.config",
    "LEDTokenizer": "tf_led.tokenization.led_tokenizer",
    "LEDTokenizerFast": "tf_led.tokenization.led_tokenizer",
    "TFLEDEncoderBaseModelOutput": "tf_led.models.backbone.outputs",
    "TFLEDForConditionalGeneration": "tf_led.models.tasks.conditional_generation",
    "TFLEDForQuestionAnswering": "tf_led.models.tasks.question_answering",
    "TFLEDForSequenceClassification": "tf_led.models.tasks.sequence_classification",
    "TFLEDModel": "tf_led.models.tasks.led_model",
    "TFLEDPreTrainedModel": "tf_led.models.pretrained.pretrained_model",
    "TFLEDSeq2SeqLMOutput": "tf_led.models.backbone.outputs",
    "TFLEDSeq2SeqModelOutput": "tf_led.models.backbone.outputs",
    "TFLEDSeq2SeqQuestionAnsweringModelOutput": "tf_led.models.backbone.outputs",
    "TFLEDSeq2SeqSequenceClassifierOutput": "tf_led.models.backbone.outputs",
    "pipeline": "tf_led.pipelines.build",
    "export_saved_model": "tf_led.models.serving.export",
    "shift_tokens_right": "tf_led.ops.losses",
    "use_bfloat16_products": "tf_led.utils.bfloat16",
}

_WITHOUT_KERAS = ("tf_led.models.backbone.config", "tf_led.tokenization.led_tokenizer")

__all__ = sorted(_HOME)
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
keras_classes.install()
