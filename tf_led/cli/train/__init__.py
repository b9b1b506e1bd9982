"""`tf-led train`."""
