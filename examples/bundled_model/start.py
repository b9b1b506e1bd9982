"""Writes the checkpoint that training starts from: `python -m ...start TOKENIZER DIR`.

All weights are random but two tables. Token embeddings: pieces that differ only in case
or in the space before them start close together, so that copying `file` out of
`get_file` as " file" is nearly there. Encoder positions: waves, so that neighbours are
alike.
"""

import sys

import numpy as np

SPACE = "\u0120"
SHARE_OF_TWINS = 0.9  # of an embedding, what is common to all spellings
STD = 0.05


def config_of(vocab_size, **changes):
    """The bundled model's architecture, with fewer positions than it has at the end.

    Args:
        vocab_size: int.
        **changes: other values of LEDConfig.

    Returns:
        LEDConfig.
    """
    from tf_led import LEDConfig

    values = {
        "d_model": 128,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 512,
        "decoder_ffn_dim": 512,
        "attention_window": 32,
        "max_encoder_position_embeddings": 512,
        "max_decoder_position_embeddings": 128,
        "activation_function": "relu",
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "init_std": STD,
    }
    return LEDConfig(vocab_size=vocab_size, **{**values, **changes})


def token_table(pieces, width, random):
    """Draws the embeddings of tokens, alike for spellings of one word.

    Args:
        pieces: list of V str, as the vocabulary has them.
        width: int, D.
        random: numpy Generator.

    Returns:
        float32[V, D].
    """
    words = [piece.lstrip(SPACE).lower() or piece for piece in pieces]
    ids = {word: number for number, word in enumerate(dict.fromkeys(words))}
    common = random.normal(size=(len(ids), width))[[ids[word] for word in words]]
    own = random.normal(size=common.shape)
    own_share = np.sqrt(1 - SHARE_OF_TWINS**2)
    return (STD * (SHARE_OF_TWINS * common + own_share * own)).astype("float32")


def waves(num_positions, width):
    """Sines and cosines of every position.

    Args:
        num_positions: int, P.
        width: int, even, D.

    Returns:
        float32[P, D].
    """
    speeds = 1 / 10_000 ** (np.arange(0, width, 2) / width)
    angles = np.arange(num_positions)[:, None] * speeds
    return (STD * np.hstack([np.sin(angles), np.cos(angles)])).astype("float32")


def write_start(tokenizer_folder, folder, seed=0, **changes):
    """Saves the checkpoint with the tokenizer beside it.

    Args:
        tokenizer_folder: path.
        folder: path.
        seed: int.
        **changes: values of LEDConfig.
    """
    import keras

    from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration

    keras.utils.set_random_seed(seed)
    tokenizer = LEDTokenizerFast.from_pretrained(tokenizer_folder)
    config = config_of(len(tokenizer), **changes)
    model = TFLEDForConditionalGeneration(config)
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    random, width = np.random.default_rng(seed), config.d_model
    table = token_table(pieces, width, random)
    table[config.pad_token_id] = 0
    model.led.shared.embeddings.assign(table)
    for half, size in (
        (model.led.encoder, config.max_encoder_position_embeddings),
        (model.led.decoder, config.max_decoder_position_embeddings),
    ):
        half.embed_positions.embeddings.assign(waves(size, width))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    write_start(sys.argv[1], sys.argv[2])
