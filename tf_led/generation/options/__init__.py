"""The options of `generate`: names, defaults, checks, how they are resolved."""
