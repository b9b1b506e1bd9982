"""`generate` of a model: its inputs, its decoding step."""
