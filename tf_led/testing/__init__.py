"""A tiny config and a dense NumPy reference, for our tests and our users'."""
