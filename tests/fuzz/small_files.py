"""Small good files that commands and fuzzers read: checkpoints, examples, texts."""

import json

from tests.fuzz.readers import WORDS, make_tokenizer

VOCABULARY = 290
POSITIONS = {
    "max_encoder_position_embeddings": 32,
    "max_decoder_position_embeddings": 8,
}


def make_checkpoint(folder, seed=0, **changes):
    """Writes a LED of one layer each, with its tokenizer.

    Args:
        folder: Path.
        seed: int, of its weights.
        **changes: other values of LEDConfig.
    """
    import keras

    from tf_led import TFLEDForConditionalGeneration
    from tf_led.testing import tiny_config

    make_tokenizer(folder)
    keras.utils.set_random_seed(seed)
    layers = {"encoder_layers": 1, "decoder_layers": 1, "dropout": 0.2}
    model = TFLEDForConditionalGeneration(
        tiny_config(vocab_size=VOCABULARY, **layers, **POSITIONS, **changes)
    )
    model.generation_config.max_length = 7
    model.save_pretrained(folder)


def make_bart(folder):
    """Writes a BART of one layer each, with its tokenizer.

    Args:
        folder: Path.
    """
    from transformers import BartConfig, BartForConditionalGeneration

    make_tokenizer(folder)
    config = BartConfig(
        vocab_size=VOCABULARY,
        d_model=12,
        max_position_embeddings=16,
        **{f"{half}_layers": 1 for half in ("encoder", "decoder")},
        **{f"{half}_attention_heads": 3 for half in ("encoder", "decoder")},
        **{f"{half}_ffn_dim": 17 for half in ("encoder", "decoder")},
    )
    BartForConditionalGeneration(config).save_pretrained(folder)


def make_examples(file, number):
    """Writes documents of different lengths with summaries, as JSONL.

    Args:
        file: Path.
        number: int.
    """
    rows = [
        {"document": " ".join(WORDS[n % 7 :]), "summary": " ".join(WORDS[n % 5 :][:2])}
        for n in range(number)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    file.write_text(text, encoding="utf-8")
