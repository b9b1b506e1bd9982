"""Tables of weight names: PyTorch's, the old TensorFlow classes', BART's."""
