"""Encoder, decoder and their configuration."""
