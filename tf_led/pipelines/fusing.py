"""One decoder that reads all of a long document: SLED, fusion in the decoder.

The encoder reads overlapping parts, each with the global tokens of the task. Of each
part the middle states are kept, which have seen their neighbours on both sides; joined
they are the states of the whole document, and the decoder reads these.

Source: Ivgi et al. 2022, arXiv 2208.00748.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_led.data.global_attention_rules import OccurrencesOf, first_token
from tf_led.pipelines.text_generator import per_document

# A part lends this fraction of itself (1 / CONTEXT), on each side, as context alone.
CONTEXT = 4


def fuse_document(generator, text, on_size=None):
    """Generates for a document of any length that memory holds.

    Args:
        generator: TextGenerator.
        text: str.
        on_size: function of the number of tokens, of parts and of bytes that the
            states take, called before anything is encoded, or None.

    Returns:
        (ids, num_tokens): int32[R, T], R = `num_return_sequences`, and an int. A
        document that fits is generated for as by a plain call.

    Raises:
        ValueError: if the states need more memory than there is.
    """
    row = generator.encode(text)
    num_tokens = len(row.ids)
    if num_tokens <= generator.limit:
        if on_size:
            on_size(num_tokens, 1, 0)
        return generator.generate([row])[0], num_tokens
    head, tail = special_ends(generator.tokenizer)
    content = num_tokens - head - tail
    spans = overlapping_spans(content, generator.limit - head - tail)
    size = state_bytes(generator.model, num_tokens)
    if on_size:
        on_size(num_tokens, len(spans), size)
    check_memory(size, num_tokens)
    states = encode_spans(generator, row, spans, head, tail)
    ids = generator.model.generate(
        encoder_outputs=(states,),
        attention_mask=tf.ones(tf.shape(states)[:2], tf.int32),
        **generator.options,
    )
    return per_document(ids, 1)[0], num_tokens


def special_ends(tokenizer):
    """How many special tokens stand before and after a text: (int, int)."""
    sequences = tokenizer("a", verbose=False).sequence_ids(0)
    head = next(i for i, sequence in enumerate(sequences) if sequence is not None)
    tail = next(i for i, sequence in enumerate(sequences[::-1]) if sequence is not None)
    return head, tail


def overlapping_spans(length, size):
    """Plans the parts.

    Args:
        length: int, tokens of the document, more than `size`.
        size: int, tokens of a part.

    Returns:
        List of (start, end, first, last): a part and which of its states are kept, all
        tokens of the document; each token is kept once.

    Example:
        >>> from tf_led.pipelines.fusing import overlapping_spans
        >>> overlapping_spans(13, 8)
        [(0, 8, 0, 6), (4, 12, 6, 10), (5, 13, 10, 13)]
    """
    context = size // CONTEXT
    spans, kept = [], 0
    while kept < length:
        start = max(0, min(kept - context, length - size))
        end = min(start + size, length)
        last = length if end == length else end - context
        spans.append((start, end, kept, last))
        kept = last
    return spans


def encode_spans(generator, row, spans, head, tail):
    """Encodes the parts in batches and joins the states that are kept: [1, S, D]."""
    encoder = generator.model.get_encoder()
    size = generator.batch_size
    pieces = []
    for begin in range(0, len(spans), size):
        batch = spans[begin : begin + size]
        ids, masks = zip(
            *(part_of(generator, row, span, head, tail) for span in batch), strict=True
        )
        output = encoder(
            input_ids=tf.constant(np.stack(ids)),
            attention_mask=tf.ones([len(batch), len(ids[0])], tf.int32),
            global_attention_mask=tf.constant(np.stack(masks), tf.int32),
            return_dict=True,
            training=False,
        )
        states = output.last_hidden_state
        for index, (start, _, first, last) in enumerate(batch):
            is_first, is_last = first == 0, last == spans[-1][3]
            low = 0 if is_first else head + first - start
            high = states.shape[1] if is_last else head + last - start
            pieces.append(states[index, low:high])
    return tf.concat(pieces, 0)[None]


def part_of(generator, row, span, head, tail):
    """The ids and the global mask of a part, special tokens around it."""
    start, end, _, _ = span
    length = len(row.ids)
    kept = np.r_[0:head, head + start : head + end, length - tail : length]
    ids = row.ids[kept]
    if isinstance(generator.rule, OccurrencesOf):
        mask = row.global_mask[kept]
        return ids, mask if mask.any() else first_token(ids)
    return ids, np.asarray(generator.rule(ids), bool)


def state_bytes(model, num_tokens):
    """The memory of a document's states and of the decoder's keys and values: int."""
    config = model.config
    copies = 2 + 2 * config.decoder_layers
    item = tf.as_dtype(model.compute_dtype).size
    return num_tokens * config.d_model * item * copies


def check_memory(size, num_tokens):
    """Raises ValueError where the system says that it has less memory left."""
    free = free_memory()
    if free is not None and size > free:
        raise ValueError(
            f"long_documents='fuse' needs {size / 2**30:.1f} GiB for the states of "
            f"{num_tokens:,} tokens, and {free / 2**30:.1f} GiB are free. Use 'split', "
            "whose memory does not grow with the document."
        )


def free_memory():
    """Bytes that the system can give: int; None where it does not say, as on macOS."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None
