"""What a work cannot go below: its products at the machine's own rate.

Counted are the products that the result needs, a multiplication and an addition each:
per encoder layer 8 S D^2 for the four projections, 4 S D F for the two of the
feed-forward block and 4 S (2R + 1) D for the window; per decoder layer 4 S D^2 for the
cross-attention's keys and values. The rest is small.
"""

from benchmarks.workers.inputs import LED_BASE

D = LED_BASE["d_model"]
F = LED_BASE["encoder_ffn_dim"]
WINDOW = LED_BASE["attention_window"] + 1
VOCAB = LED_BASE["vocab_size"]


def encoder_flop(source_len):
    layer = 8 * D**2 + 4 * D * F + 4 * WINDOW * D
    return LED_BASE["encoder_layers"] * source_len * layer


def cross_flop(source_len):
    return LED_BASE["decoder_layers"] * 4 * source_len * D**2


def attention_flop(source_len):
    return 4 * source_len * WINDOW * D


def flop(row):
    """Operations of a row's work, or None where products are not what it waits for."""
    source_len = row["source_len"]
    both = encoder_flop(source_len) + cross_flop(source_len)
    return {
        "forward": both,
        "encode": encoder_flop(source_len),
        "attention": attention_flop(source_len),
        # Backward, each product has two; checkpointing runs the layers twice.
        "train": both * (4 if row["checkpointing"] else 3),
    }.get(row["work"])


def step_bytes(row):
    """What a decoding step must read once: weights, output table, cross cache."""
    width = {"float32": 4, "bfloat16": 2}[row["dtype"]]
    layer = 4 * D**2 + 2 * D**2 + 2 * D * F  # self, cross query and output, fc1, fc2
    layers = LED_BASE["decoder_layers"]
    cache = 2 * row["source_len"] * D
    return width * (layers * (layer + cache) + VOCAB * D)
