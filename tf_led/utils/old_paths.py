"""Modules under the paths they had in version 0.1: pickles and programs name these."""

import importlib
import importlib.abc
import importlib.util
import sys

PROCESSORS = "tf_led.generation.processors"
OLD_PATHS = {
    "tf_led.checkpoints.adapters": "tf_led.checkpoints.peft",
    "tf_led.checkpoints.bart": "tf_led.checkpoints.convert.bart",
    "tf_led.data.global_rules": "tf_led.data.global_attention_rules",
    f"{PROCESSORS}.bias": f"{PROCESSORS}.constraints",
    f"{PROCESSORS}.diversity": f"{PROCESSORS}.repetition",
    f"{PROCESSORS}.forced": f"{PROCESSORS}.constraints",
    f"{PROCESSORS}.merge": f"{PROCESSORS}.custom",
    f"{PROCESSORS}.ngrams": f"{PROCESSORS}.repetition",
    f"{PROCESSORS}.python_only": f"{PROCESSORS}.custom",
    f"{PROCESSORS}.ranking": f"{PROCESSORS}.sampling_filters",
    f"{PROCESSORS}.scaling": f"{PROCESSORS}.sampling_filters",
    f"{PROCESSORS}.suppress": f"{PROCESSORS}.constraints",
    f"{PROCESSORS}.thresholds": f"{PROCESSORS}.cutoffs",
    f"{PROCESSORS}.top_h": f"{PROCESSORS}.cutoffs",
    f"{PROCESSORS}.top_p": f"{PROCESSORS}.sampling_filters",
    f"{PROCESSORS}.typical": f"{PROCESSORS}.sampling_filters",
    "tf_led.generation.streaming": "tf_led.generation.python_hooks",
    "tf_led.layers.feed_forward": "tf_led.layers.sublayers",
    "tf_led.layers.heads": "tf_led.layers.sublayers",
    "tf_led.models.conditional_generation": (
        "tf_led.models.tasks.conditional_generation"
    ),
    "tf_led.models.decoder": "tf_led.models.backbone.decoder",
    "tf_led.models.encoder": "tf_led.models.backbone.encoder",
    "tf_led.models.export": "tf_led.models.serving.export",
    "tf_led.models.led_model": "tf_led.models.tasks.led_model",
    "tf_led.models.main_layer": "tf_led.models.backbone.main_layer",
    "tf_led.models.question_answering": "tf_led.models.tasks.question_answering",
    "tf_led.models.sequence_classification": (
        "tf_led.models.tasks.sequence_classification"
    ),
    "tf_led.ops.bfloat16_products": "tf_led.utils.bfloat16",
    "tf_led.ops.shift": "tf_led.ops.losses",
    "tf_led.ops.struct": "tf_led.utils.output_struct",
    "tf_led.serving.signatures": "tf_led.serving.endpoint",
    "tf_led.serving.text": "tf_led.serving.endpoint",
    "tf_led.testing.dense_led": "tf_led.testing.dense_reference",
    "tf_led.tokenization.graph_tokenizer": "tf_led.tokenization.graph.tokenizer",
    "tf_led.training.optimizer": "tf_led.training.schedules",
    "tf_led.training.rouge": "tf_led.training.metrics",
}


class OldPathFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes, for a path of `OLD_PATHS`, a module that answers from the new one."""

    def find_spec(self, fullname, path=None, target=None):
        """Returns the spec of a module that has moved; None for any other name."""
        if fullname not in OLD_PATHS:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module):
        """Fills the module with the names of the new one."""
        new = vars(importlib.import_module(OLD_PATHS[module.__name__]))
        # Keras looks for a class in `vars` of its module.
        vars(module).update({n: v for n, v in new.items() if not n.startswith("__")})


def install():
    """Lets the import system know the old paths; a second call changes nothing."""
    if not any(isinstance(finder, OldPathFinder) for finder in sys.meta_path):
        sys.meta_path.append(OldPathFinder())
