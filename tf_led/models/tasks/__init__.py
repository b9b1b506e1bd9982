"""The four models that users name."""
