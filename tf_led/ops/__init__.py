"""Pure functions on tensors: blocks, masks, attention, losses. Only TensorFlow."""
