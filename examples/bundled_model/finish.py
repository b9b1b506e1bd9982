"""Makes the trained checkpoint the bundled one.

`python -m examples.bundled_model.finish FROM TOKENIZER TO`

It is stored in float16, half the size, and read as float32; and told how to write.
"""

import sys

# What did best on the validation part.
WRITING = {
    "max_new_tokens": 40,
    "no_repeat_ngram_size": 2,
    "num_beams": 4,
    "length_penalty": 2.0,
    "early_stopping": True,
}


def finish(source, tokenizer_folder, folder):
    """Saves a checkpoint for shipping.

    Args:
        source: path of a checkpoint.
        tokenizer_folder: path of the tokenizer as it was trained: the one beside the
            checkpoint cuts texts as they were cut for training.
        folder: path to save to.
    """
    from transformers import GenerationConfig

    from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration

    model = TFLEDForConditionalGeneration.from_pretrained(source, dtype="float16")
    ids = ("bos_token_id", "pad_token_id", "eos_token_id", "decoder_start_token_id")
    special = {name: getattr(model.config, name) for name in ids}
    model.generation_config = GenerationConfig(**special, **WRITING)
    model.save_pretrained(folder)
    length = model.config.max_encoder_position_embeddings
    tokenizer = LEDTokenizerFast.from_pretrained(
        tokenizer_folder, model_max_length=length
    )
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    finish(*sys.argv[1:])
