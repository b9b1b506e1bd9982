"""Random options and inputs of a call of `generate`."""

import numpy as np


def draw_options(rng):
    """Draws the options of a search without chance: greedy or beams."""
    options = draw_length(rng)
    if rng.random() < 0.75:
        options |= draw_beams(rng)
    options |= draw_tokens(rng)
    return options | draw_rules(rng)


def draw_length(rng):
    if rng.random() < 0.5:
        options = {"max_new_tokens": int(rng.integers(1, 13))}
    else:
        options = {"max_length": int(rng.integers(5, 17))}
    if rng.random() < 0.25:
        options["min_length"] = int(rng.integers(1, 5))
    elif rng.random() < 0.15:
        options["min_new_tokens"] = int(rng.integers(1, 5))
    return options


def draw_beams(rng):
    beams = int(rng.integers(2, 6))
    return {
        "num_beams": beams,
        "num_return_sequences": int(rng.integers(1, beams + 1)),
        "early_stopping": [False, True, "never"][rng.integers(3)],
        "length_penalty": float(rng.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])),
    }


def draw_tokens(rng):
    options = {}
    if rng.random() < 0.3:
        options["eos_token_id"] = rng.choice(29, rng.integers(1, 5), False).tolist()
    if rng.random() < 0.15:
        options["pad_token_id"] = int(rng.integers(0, 29))
    if rng.random() < 0.15:
        options["forced_bos_token_id"] = int(rng.integers(3, 29))
    if rng.random() < 0.2:
        options["forced_eos_token_id"] = 2
    return options


def draw_rules(rng):
    rules = {
        "repetition_penalty": float(rng.choice([0.8, 1.3])),
        "no_repeat_ngram_size": int(rng.integers(1, 4)),
        "encoder_no_repeat_ngram_size": 2,
        "bad_words_ids": [[5], [7, 8]],
        "suppress_tokens": [9, 11],
        "begin_suppress_tokens": [4],
        "renormalize_logits": True,
        "exponential_decay_length_penalty": (2, 1.3),
    }
    return {name: value for name, value in rules.items() if rng.random() < 0.15}


def draw_inputs(rng, vocab_size=29):
    """Draws documents with padding, and sometimes a decoder prompt."""
    batch_size, length = int(rng.integers(1, 4)), int(rng.integers(3, 12))
    ids = rng.integers(3, vocab_size, [batch_size, length])
    mask = np.ones_like(ids)
    for row in range(1, batch_size):
        mask[row, rng.integers(1, length + 1) :] = 0
    ids = np.where(mask > 0, ids, 1)
    prompt = None
    if rng.random() < 0.3:
        prompt = rng.integers(3, vocab_size, [batch_size, int(rng.integers(1, 4))])
        if rng.random() < 0.5:
            prompt[rng.integers(batch_size), 0] = 2
    return {"input_ids": ids, "attention_mask": mask, "prompt": prompt}
