"""Weights in and out: names, safetensors, PyTorch .bin, the Hub."""
