"""Writes the checkpoint that training starts from: `python -m ...start TOKENIZER DIR`.

A summary of one line mostly copies words of the text, and a small model needs long to
find out how. So its first weights can copy already: of the width, one half carries
what a token is, a quarter which token was before it, a quarter where it stands.

- The encoder's first layer has a head that looks one position back and notes the token
  there in the second part.
- The decoder's first layer moves what its token is from the first part to the second.
- The decoder's last layer looks for the places in the document whose note is its token:
  the token there is the one that goes on. Two heads copy it into the first part, from
  which the output is read.

All of this is only where the weights begin; the other heads and all feed-forward
networks are random. Token embeddings of pieces that differ only in case or in the space
before them start close together, so that `file` at the start of a line is nearly the
" file" within one.
"""

import sys
from typing import NamedTuple

import numpy as np

SPACE = "\u0120"
SHARE_OF_TWINS = 0.9  # of an embedding, what is common to all spellings
STD = 0.05
LONGEST_WAVE, SHORTEST_WAVE = 20_000, 3.0  # positions
LOOK_SHARPNESS = 3.0  # of the heads that look for positions
MATCH_SHARPNESS = 1.2  # of the heads that look for a token
COPY_STRENGTH = 4.0
NOTE_STRENGTH = 1.0


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
        "d_model": 192,
        "encoder_layers": 3,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 768,
        "decoder_ffn_dim": 768,
        "attention_window": 32,
        "max_encoder_position_embeddings": 512,
        "max_decoder_position_embeddings": 128,
        "activation_function": "relu",
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "init_std": 0.03,
    }
    return LEDConfig(vocab_size=vocab_size, **{**values, **changes})


class Parts(NamedTuple):
    """What the parts of the width carry, as slices: a head is a quarter."""

    tokens: slice
    notes: slice
    places: slice
    head: int

    @classmethod
    def of(cls, width):
        """Makes the parts of a width that four divides."""
        head = width // 4
        halves = slice(0, 2 * head), slice(2 * head, 3 * head)
        return cls(*halves, slice(3 * head, width), head)


def token_table(pieces, width, random):
    """Draws the embeddings of tokens, alike for spellings of one word.

    Args:
        pieces: list of V str, as the vocabulary has them.
        width: int, D.
        random: numpy Generator.

    Returns:
        float32[V, D], zero but in the first half.
    """
    words = [piece.lstrip(SPACE).lower() or piece for piece in pieces]
    ids = {word: number for number, word in enumerate(dict.fromkeys(words))}
    size = width // 2
    common = random.normal(size=(len(ids), size))[[ids[word] for word in words]]
    own = random.normal(size=common.shape)
    own_share = np.sqrt(1 - SHARE_OF_TWINS**2)
    table = np.zeros((len(pieces), width), "float32")
    table[:, :size] = STD * (SHARE_OF_TWINS * common + own_share * own)
    return table


def wave_speeds(head):
    """Angles from one position to the next, float[head / 2], the fastest first."""
    return 2 * np.pi / np.geomspace(SHORTEST_WAVE, LONGEST_WAVE, head // 2)


def waves(num_positions, width):
    """Sines and cosines of every position.

    Args:
        num_positions: int, P.
        width: int, D.

    Returns:
        float32[P, D], zero but in the last quarter.
    """
    part = Parts.of(width)
    angles = np.arange(num_positions)[:, None] * wave_speeds(part.head)
    table = np.zeros((num_positions, width), "float32")
    table[:, part.places] = STD * np.hstack([np.sin(angles), np.cos(angles)])
    return table


def step_back(head):
    """The matrix that turns waves into those of the position before.

    Args:
        head: int, H.

    Returns:
        float[H, H]: `wave @ step_back(H)` is the wave one position before.
    """
    speeds = wave_speeds(head)
    cos, sin = np.diag(np.cos(speeds)), np.diag(np.sin(speeds))
    return np.block([[cos, sin], [-sin, cos]])


def edit(layer, change):
    """Changes a dense layer's kernel float[D, D]: `change` writes into it."""
    kernel = layer.kernel.numpy()
    change(kernel)
    layer.kernel.assign(kernel)


def put(layer, rows, columns, block):
    """Puts a block into a kernel: rows are what is read, columns what is written."""

    def change(kernel):
        kernel[rows, columns] = block

    edit(layer, change)


def clear_head(layers, number, head):
    """Makes a head's query, key and value read nothing, before they are given work."""
    for layer in layers:
        put(layer, slice(None), slice(number * head, (number + 1) * head), 0)


def look_back(attention, part):
    """Lets the first head note the token before every token."""
    one, eye = slice(0, part.head), np.eye(part.head)
    clear_head((attention.query, attention.key, attention.value), 0, part.head)
    put(attention.query, part.places, one, LOOK_SHARPNESS * step_back(part.head))
    put(attention.key, part.places, one, LOOK_SHARPNESS * eye)
    put(attention.value, one, one, eye)
    put(attention.output_proj, one, slice(None), 0)
    put(attention.output_proj, one, part.notes, NOTE_STRENGTH * eye)


def note_own_token(attention, part):
    """Lets two heads move what the decoder's token is into the notes."""
    eye = np.eye(part.head)
    for number in range(2):
        own = slice(number * part.head, (number + 1) * part.head)
        layers = (attention.q_proj, attention.k_proj, attention.v_proj)
        clear_head(layers, number, part.head)
        put(attention.q_proj, part.places, own, LOOK_SHARPNESS * eye)
        put(attention.k_proj, part.places, own, LOOK_SHARPNESS * eye)
        put(attention.v_proj, own, own, eye)
        put(attention.out_proj, own, slice(None), 0)
        put(attention.out_proj, own, own, -eye)
        if number == 0:
            put(attention.out_proj, own, part.notes, NOTE_STRENGTH * eye)


def copy_what_follows(attention, part):
    """Lets two heads copy the token behind the decoder's own."""
    eye = np.eye(part.head)
    for number in range(2):
        own = slice(number * part.head, (number + 1) * part.head)
        layers = (attention.q_proj, attention.k_proj, attention.v_proj)
        clear_head(layers, number, part.head)
        put(attention.q_proj, part.notes, own, MATCH_SHARPNESS * eye)
        put(attention.k_proj, part.notes, own, MATCH_SHARPNESS * eye)
        put(attention.v_proj, own, own, eye)
        put(attention.out_proj, own, slice(None), 0)
        put(attention.out_proj, own, own, COPY_STRENGTH * eye)


def teach_copying(model):
    """Sets the weights by which a model copies.

    Args:
        model: TFLEDForConditionalGeneration, with four heads on both sides.

    Raises:
        ValueError: for other numbers of heads.
    """
    config = model.config
    heads = {config.encoder_attention_heads, config.decoder_attention_heads}
    if heads != {4}:
        raise ValueError(f"attention heads: {heads}, but copying is laid out for 4")
    part = Parts.of(config.d_model)
    encoder, decoder = model.led.encoder.layers, model.led.decoder.layers
    look_back(encoder[0].self_attn, part)
    note_own_token(decoder[0].self_attn, part)
    copy_what_follows(decoder[-1].encoder_attn, part)


def write_start(tokenizer_folder, folder, seed=0, copying=True, **changes):
    """Saves the checkpoint with the tokenizer beside it.

    Args:
        tokenizer_folder: path.
        folder: path.
        seed: int.
        copying: bool, whether the weights can copy.
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
    if copying:
        table = token_table(pieces, width, random)
        table[config.pad_token_id] = 0
        model.led.shared.embeddings.assign(table)
        for half, size in (
            (model.led.encoder, config.max_encoder_position_embeddings),
            (model.led.decoder, config.max_decoder_position_embeddings),
        ):
            half.embed_positions.embeddings.assign(waves(size, width))
        teach_copying(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    write_start(sys.argv[1], sys.argv[2])
