"""Our programs as XLA modules, for machines that have JAX but no TensorFlow."""
