"""Weight files: safetensors, PyTorch's .bin, Keras' .h5; one registry of all."""
