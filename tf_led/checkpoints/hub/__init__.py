"""The Hugging Face Hub: finding, downloading, pushing, model cards."""
