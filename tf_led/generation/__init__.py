"""Choosing tokens: processors, search, cache, loop. Knows a step, never a model."""
