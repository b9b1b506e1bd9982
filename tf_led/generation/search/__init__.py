"""Ways to choose: greedy, sampling, beams, groups of beams, contrastive."""
