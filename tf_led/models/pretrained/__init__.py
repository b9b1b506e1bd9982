"""Loading, saving, resizing and fine-tuning: what all four models share."""
