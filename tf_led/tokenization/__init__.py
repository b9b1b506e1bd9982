"""LEDTokenizer and LEDTokenizerFast: what transformers 5 lost, given back."""
