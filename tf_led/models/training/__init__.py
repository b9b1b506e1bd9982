"""`fit` of a model: its steps, its datasets."""
