"""The ids that start, end and pad a generated sequence."""

import numbers


def resolve_special_tokens(values):
    """Fills in the start and the padding id and checks all of them, in place.

    Without a padding id the first end id pads; without a decoder start id the bos id
    starts.

    Args:
        values: dict of option values by name.

    Raises:
        ValueError: if nothing can start the decoder, or if an id is not an int >= 0.

    Source: transformers 5.23, `_prepare_special_tokens`.
    """
    if values["decoder_start_token_id"] is None:
        values["decoder_start_token_id"] = values["bos_token_id"]
    if values["decoder_start_token_id"] is None:
        raise ValueError(
            "Neither `decoder_start_token_id` nor `bos_token_id` is set: the decoder "
            "has no token to start from. Set one of them."
        )
    eos_ids = values["eos_token_id"]
    if isinstance(eos_ids, (list, tuple)):
        values["eos_token_id"] = list(eos_ids) or None
    for name in ("decoder_start_token_id", "eos_token_id", "pad_token_id"):
        _check_ids(name, values[name])
    if values["pad_token_id"] is None and values["eos_token_id"] is not None:
        eos_ids = values["eos_token_id"]
        values["pad_token_id"] = eos_ids[0] if isinstance(eos_ids, list) else eos_ids


def _check_ids(name, ids):
    for token_id in ids if isinstance(ids, list) else [ids]:
        is_id = isinstance(token_id, numbers.Integral) and not isinstance(
            token_id, bool
        )
        if token_id is not None and not (is_id and token_id >= 0):
            raise ValueError(
                f"`{name}` must be a token id, an int from 0 on, got {token_id!r}."
            )


def check_vocabulary(options, vocab_size):
    """Refuses special tokens that the vocabulary does not have.

    Args:
        options: GenerationOptions.
        vocab_size: int, V.

    Raises:
        ValueError: naming the option and the id.
    """
    for name in ("decoder_start_token_id", "eos_token_id", "pad_token_id"):
        ids = getattr(options, name)
        for token_id in ids if isinstance(ids, (list, tuple)) else [ids]:
            if token_id is not None and token_id >= vocab_size:
                raise ValueError(
                    f"`{name}` is {token_id}, but the vocabulary has ids 0 to "
                    f"{vocab_size - 1}. Take the ids from this model's tokenizer."
                )
