"""A checkpoint written by PyTorch and the text that PyTorch generates from it."""

import argparse

import pytest

LIMIT = 96  # encoder positions, fewer than a long test document has tokens


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """The directory of a tiny LED of large weights, tokenizer included."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LEDForConditionalGeneration

    from tf_led.testing import spread_weights, tiny_config

    folder = tmp_path_factory.mktemp("checkpoint")
    learner = ByteLevelBPETokenizer()
    special_tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    learner.train(
        [argparse.__file__],
        vocab_size=503,
        special_tokens=special_tokens,
        show_progress=False,
    )
    learner.save_model(str(folder))
    config = tiny_config(vocab_size=503, max_encoder_position_embeddings=LIMIT)
    model = LEDForConditionalGeneration(config)
    weights = {name: torch.tensor(w) for name, w in spread_weights(config).items()}
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    model.generation_config.max_length = 13
    model.generation_config.num_beams = 2
    model.generation_config.no_repeat_ngram_size = 2  # random weights like to repeat
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def pytorch_summary(checkpoint):
    """The text that PyTorch's `generate` gives for a document and options."""
    import torch
    from transformers import LEDForConditionalGeneration, LEDTokenizer

    model = LEDForConditionalGeneration.from_pretrained(checkpoint).eval()
    tokenizer = LEDTokenizer.from_pretrained(checkpoint)

    def summarize(text, is_global=lambda span: False, **options):
        batch = tokenizer(
            text, truncation=True, max_length=LIMIT, return_offsets_mapping=True
        )
        spans = batch.pop("offset_mapping")
        batch["global_attention_mask"] = [int(is_global(span)) for span in spans]
        if not any(batch["global_attention_mask"]):
            batch["global_attention_mask"][0] = 1
        rows = {name: torch.tensor([row]) for name, row in batch.items()}
        ids = model.generate(**rows, **options)[0]
        return tokenizer.decode(ids, skip_special_tokens=True)

    return summarize
