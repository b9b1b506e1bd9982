"""The one model and the documents that all peers are given."""

import numpy as np

VOCAB_SIZE = 50_265
FIRST_WORD = 3  # the ids before it are the special tokens

# led-base. Weights are drawn at random: they cost what trained ones cost.
LED_BASE = {
    "vocab_size": VOCAB_SIZE,
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
    "attention_window": 1024,
    "max_decoder_position_embeddings": 1024,
}


def config_values(job):
    """The config of led-base with as many positions as the document needs."""
    return {**LED_BASE, "max_encoder_position_embeddings": num_positions(job)}


def num_positions(job):
    """Python int: those of the published models, or more for a longer document."""
    return max(16_384, job["source_len"])


def document(job, vocab_size=VOCAB_SIZE):
    """Ids, mask and global mask [1, S], int32: one document, its first token global."""
    rng = np.random.default_rng(0)
    ids = rng.integers(FIRST_WORD, vocab_size, (1, job["source_len"]), dtype=np.int32)
    return ids, *masks(ids)


def masks(ids):
    """Mask and global mask like ids [1, S]: all is text, the first token global."""
    global_mask = np.zeros_like(ids)
    global_mask[:, 0] = 1
    return np.ones_like(ids), global_mask


def target(job, vocab_size=VOCAB_SIZE):
    """Ids [1, T], int32: what the decoder reads, or its labels."""
    rng = np.random.default_rng(1)
    return rng.integers(FIRST_WORD, vocab_size, (1, job["target_len"]), dtype=np.int32)


def text(job):
    """About S tokens of English, str."""
    sentence = (
        "The committee met on day {}, heard {} reports on the harbour, the bridges and "
        "the price of coal, and put off what it could not decide. "
    )
    count = max(1, job["source_len"] // 32)
    return "".join(sentence.format(i, 3 + i % 7) for i in range(count))


def heads(job):
    """Queries, keys and values [1, S, N, H], float32, for attention alone."""
    rng = np.random.default_rng(2)
    shape = 3, 1, job["source_len"], 12, 64
    return rng.standard_normal(shape, dtype=np.float32)
