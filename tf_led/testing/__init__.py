"""A tiny config, a dense NumPy reference, documents: for our tests and our users."""

from tf_led.testing.dense_reference import dense_led_attention, dense_led_forward
from tf_led.testing.tiny import fill_spread, spread_weights, tiny_config

__all__ = [
    "dense_led_attention",
    "dense_led_forward",
    "fill_spread",
    "spread_weights",
    "tiny_config",
]
