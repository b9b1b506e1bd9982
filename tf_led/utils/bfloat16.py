"""The switch that lets float32 models multiply their matrices in bfloat16."""

import os
import sys
from typing import Any

# oneDNN's own name for it, which TensorFlow reads once, when it loads.
SWITCH = "TF_SET_ONEDNN_FPMATH_MODE"


def use_bfloat16_products() -> None:
    """Lets matrix products of float32 numbers round their factors to bfloat16.

    For this process, all its models, and before TensorFlow is loaded. Weights, sums,
    softmax and norms stay float32; each product keeps 8 bits of its factors. Only
    processors with AMX (Intel's since Sapphire Rapids) have units that gain by it:
    others go on in float32, at its speed and with its results. What it costs in logits
    and tokens is measured by `python -m benchmarks.product_error`.

    Raises:
        RuntimeError: if TensorFlow is loaded already, which reads the switch only once.

    Example:
        >>> import tf_led
        >>> tf_led.use_bfloat16_products()  # doctest: +SKIP
        >>> model = tf_led.TFLEDModel.from_pretrained("my/led")  # doctest: +SKIP
    """
    if "tensorflow" in sys.modules:
        raise RuntimeError(
            "use_bfloat16_products() came after TensorFlow was loaded, which reads "
            f"{SWITCH} once, at its start: call it before the first import of "
            f"tensorflow or keras, or set {SWITCH}=BF16 for the process."
        )
    os.environ[SWITCH] = "BF16"


def rounds_factors(dtype: Any) -> bool:
    """Tells whether matrix products of a dtype may round their factors to bfloat16.

    Args:
        dtype: dtype of the factors, or its name.

    Returns:
        bool: whether the switch was set, here or outside, and the dtype is float32.

    Example:
        >>> from tf_led.utils.bfloat16 import rounds_factors
        >>> rounds_factors("float16")
        False
    """
    return dtype == "float32" and os.environ.get(SWITCH, "").upper() == "BF16"
