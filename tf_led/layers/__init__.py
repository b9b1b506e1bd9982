"""Keras layers over `tf_led.ops`; plain keyword arguments, never a config."""
