"""Writes down every name that users of transformers 4.57.6 and tf_keras can set.

    OLD_LIBRARY=1 python -m tests.old_library.names

writes tests/settings/old_names.json, by which tests/settings goes; `make test-old`
compares it with the old classes again.
"""

import inspect
import json
import re
from pathlib import Path

FILE = Path(__file__).parents[1] / "settings" / "old_names.json"
METHODS = (
    "from_pretrained",
    "save_pretrained",
    "push_to_hub",
    "generate",
    "call",
    "compile",
    "fit",
    "evaluate",
    "predict",
    "prepare_tf_dataset",
)
TOKENIZER_METHODS = (
    "__call__",
    "__init__",
    "from_pretrained",
    "save_pretrained",
    "push_to_hub",
    "pad",
    "decode",
    "encode",
    "prepare_seq2seq_batch",
)


def arguments(function):
    """Names the arguments of a function, without self and what takes the rest."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return sorted({p.name for p in parameters if p.kind not in kinds} - {"self"})


def popped(source):
    """Names what a function takes out of its keywords."""
    found = re.findall(r'kwargs\.pop\(\s*"(\w+)"', inspect.getsource(source))
    return {name for name in found if not name.startswith("_")}


def old_names():
    """Lists the names of the old classes: dict of sorted lists of str."""
    import transformers
    from transformers import modeling_tf_utils, tokenization_utils_base

    model, tokenizer = (
        transformers.TFLEDForConditionalGeneration,
        transformers.LEDTokenizerFast,
    )
    names = {method: arguments(getattr(model, method)) for method in METHODS}
    loading = popped(modeling_tf_utils.TFPreTrainedModel.from_pretrained)
    names["from_pretrained"] = sorted({*names["from_pretrained"], *loading})
    for method in TOKENIZER_METHODS:
        names[f"tokenizer {method}"] = arguments(getattr(tokenizer, method))
    shared = popped(tokenization_utils_base.PreTrainedTokenizerBase.__init__)
    names["tokenizer __init__"] = sorted({*names["tokenizer __init__"], *shared})
    config = transformers.LEDConfig()
    names["config"] = sorted({*config.to_dict(), *config.attribute_map, "num_labels"})
    names["generation"] = sorted(transformers.GenerationConfig().to_dict())
    names["model"] = sorted(n for n in dir(model) if not n.startswith("_"))
    names["tokenizer"] = sorted(n for n in dir(tokenizer) if not n.startswith("_"))
    return names


if __name__ == "__main__":
    FILE.write_text(json.dumps(old_names(), indent=1) + "\n", encoding="utf-8")
