"""What a foreign checkpoint seems to be, told from the names of its weights."""

import re

from tf_led.checkpoints.errors import some

_BART_ENCODER = r"(^|\.)encoder\.layers\.\d+\.self_attn\.k_proj\."
# The first that fits any key is the answer.
_TELLTALES = (
    (r"lora_[AB]\.", "a LoRA adapter; merge it into its model first"),
    (_BART_ENCODER, "a BART or one of its relatives, not a LED"),
    (r"attention\.self\.query_global\.", "a Longformer, which has no decoder"),
    (r"attention\.self\.query\.", "a BERT or RoBERTa"),
    (r"(^|\.)block\.\d+\.layer\.\d+\.", "a T5 or LongT5"),
    (r"(^|\.)h\.\d+\.(attn|ln_1)\.", "a GPT-2"),
    (r"(^|\.)layers\.\d+\.self_attn\.q_proj\.weight_scale", "a quantised model"),
    (r"^model\.layers\.\d+\.self_attn\.", "a decoder-only model such as Llama"),
)


def foreign_architecture(keys):
    """Recognises the weights of another architecture.

    Args:
        keys: list of str, the weights that LED has no place for.

    Returns:
        str that fits behind "seems to be"; None if nothing gives it away.

    Example:
        >>> from tf_led.checkpoints.architecture import foreign_architecture
        >>> foreign_architecture(["bert.encoder.layer.0.attention.self.query.bias"])
        'a BERT or RoBERTa'
    """
    # TensorFlow's names differ in their punctuation.
    keys = [key.partition(":")[0].replace("/", ".") for key in keys]
    for pattern, label in _TELLTALES:
        if any(re.search(pattern, key) for key in keys):
            return label
    return None


def describe(keys):
    """Says what a checkpoint seems to be, or shows its first names.

    Args:
        keys: list of str.

    Returns:
        str, a clause for an error message.
    """
    label = foreign_architecture(keys)
    if label:
        return f"it seems to be {label} ({some(keys, 1)})"
    return f"its weights are {some(keys)}"
