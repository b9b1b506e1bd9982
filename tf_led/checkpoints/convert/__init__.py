"""Other checkpoints made into LED: BART, AllenAI's Longformer."""
