"""Whether a tokenizer.json says what LED's tokenizers do: byte-level BPE, or another.

Version 5 of transformers takes vocabulary and merges out of the file and builds the
rest anew as LED has it. A file that says something else (Metaspace, Unigram, WordPiece,
a normalizer) would be read wrongly without a word.
"""

import json

from transformers.convert_slow_tokenizer import bytes_to_unicode

# Options of a BPE that give other ids, and their value in LED's.
_BPE_OPTIONS = {
    "dropout": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": None,
    "byte_fallback": None,
    "ignore_merges": None,
}


class OtherTokenizerError(ValueError):
    """A tokenizer.json is not a byte-level BPE as LED's.

    Args:
        path: str, of the file.
        difference: str, such as "pre_tokenizer is 'Metaspace', not 'ByteLevel'".

    Attributes:
        path: str.
        difference: str.
    """

    def __init__(self, path, difference):
        super().__init__(
            f"{path}: its {difference}, so it is not a tokenizer as LED's are. Load it "
            "with LEDTokenizerFast.from_pretrained or "
            "transformers.PreTrainedTokenizerFast, which use it as it is."
        )
        self.path = path
        self.difference = difference


def check_file(path):
    """Compares a tokenizer.json with what LED's tokenizers do.

    Args:
        path: str.

    Raises:
        OtherTokenizerError: where the two differ.
        ValueError: if the file is broken.
    """
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise ValueError(f"No tokenizer can be made of {path}: it has no `model`.")
    check_token_ids(content, path)
    _check_framing(content.get("post_processor"), path)
    for name in ("normalizer", "decoder"):
        _check_growth(name, content.get(name), path)
    difference = find_difference(content)
    if difference:
        raise OtherTokenizerError(path, difference)


_MOST_IDS = 1 << 20  # tables have a place for each, whether there is a token or not
_LONGEST_FRAME = 1 << 10


def check_token_ids(content, place):
    """Checks that no id is far beyond the number of tokens.

    Args:
        content: dict, a tokenizer.json.
        place: str, where it came from.

    Raises:
        ValueError: naming the id.
    """
    vocab, added = content["model"].get("vocab"), content.get("added_tokens")
    ids = list(vocab.values()) if isinstance(vocab, dict) else []
    if isinstance(added, list):
        ids += [token.get("id") for token in added if isinstance(token, dict)]
    for number in ids:
        if type(number) is int and not 0 <= number < _MOST_IDS:
            raise ValueError(
                f"No tokenizer can be made of {place}: it has a token with the id "
                f"{number!r:.80}; ids must be below {_MOST_IDS:,}."
            )


def _check_framing(post_processor, path):
    """Checks that few tokens come around a text: each can stand for a list of ids."""
    for part in _parts(post_processor, path, "post_processor"):
        tokens = part.get("special_tokens")
        if part.get("type") != "TemplateProcessing" or not isinstance(tokens, dict):
            continue
        sizes = {
            name: len(_object(row, path, "post_processor").get("ids", ()))
            for name, row in tokens.items()
        }
        for template in ("single", "pair"):
            length = sum(
                sizes.get(name, 0) for name in _special_names(part.get(template), path)
            )
            if length > _LONGEST_FRAME:
                raise ValueError(
                    f"No tokenizer can be made of {path}: its post_processor puts "
                    f"{length} tokens around a text; at most {_LONGEST_FRAME} are "
                    "allowed."
                )


def _special_names(pieces, path):
    for piece in pieces or ():
        piece = _object(piece, path, "post_processor")
        if "SpecialToken" in piece:
            yield _object(piece["SpecialToken"], path, "post_processor").get("id")


def _object(value, path, name):
    """A dict; the library in Rust takes a list of its values in its place."""
    if not isinstance(value, dict):
        raise ValueError(
            f"No tokenizer can be made of {path}: its {name} holds {value!r:.40} in "
            "the place of an object."
        )
    return value


def _parts(part, path, name):
    """Yields the parts of a part, those of sequences too."""
    if part is None:
        return
    yield _object(part, path, name)
    if part.get("type") == "Sequence":
        for value in part.values():
            for member in value if isinstance(value, list) else ():
                yield from _parts(member, path, name)


_MOST_GROWTH = 64  # characters for one


def _check_growth(name, part, path):
    """Checks that replacing, again and again, does not make texts long beyond bound."""
    growth = 1.0
    for member in _parts(part, path, name):
        if member.get("type") == "Replace":
            growth *= _growth(member.get("pattern"), str(member.get("content", "")))
    if growth > _MOST_GROWTH:
        raise ValueError(
            f"No tokenizer can be made of {path}: its {name} may make a text "
            f"{min(growth, 1e9):,.0f} times as long; at most {_MOST_GROWTH} times is "
            "allowed."
        )


def _growth(pattern, content):
    searched = pattern.get("String") if isinstance(pattern, dict) else None
    if isinstance(searched, str) and searched:
        return max(1.0, len(content) / len(searched))
    return 1.0 + len(content)  # a regular expression may match nothing, anywhere


def find_difference(content):
    """Finds what in a tokenizer differs from a byte-level BPE with LED's framing.

    Args:
        content: dict, a tokenizer.json.

    Returns:
        str, such as "model is 'Unigram', not 'BPE'"; None if nothing differs. The flag
        `add_prefix_space` may differ: the tokenizer's own argument decides.

    Example:
        >>> from tf_led.tokenization.tokenizer_json import find_difference
        >>> find_difference({"model": {"type": "Unigram"}})
        "model is 'Unigram', not 'BPE'"
    """
    model = content["model"]
    found = {
        "model": model.get("type", "BPE" if "merges" in model else "unknown"),
        "normalizer": kind_of(content.get("normalizer")),
        "pre_tokenizer": kind_of(content.get("pre_tokenizer")),
        "decoder": kind_of(content.get("decoder")),
    }
    wanted = {
        "model": "BPE",
        "normalizer": None,
        "pre_tokenizer": "ByteLevel",
        "decoder": "ByteLevel",
    }
    found.update((name, model.get(name) or None) for name in _BPE_OPTIONS)
    for name, value in (wanted | _BPE_OPTIONS).items():
        if found[name] != value:
            return f"{name} is {found[name]!r}, not {value!r}"
    byte, unknown = first_unknown_byte(model), model.get("unk_token")
    if unknown and byte is not None:
        return f"vocabulary lacks byte {byte}, in whose place it puts {unknown!r}"
    if not frames_as_led(content.get("post_processor")):
        kind = kind_of(content["post_processor"])
        return (
            f"post_processor ({kind}) does not frame texts as `<s> A </s></s> B </s>`"
        )
    return None


def kind_of(part):
    """Names a part of a tokenizer; None if it does nothing."""
    if part is None:
        return None
    kind = part.get("type")
    if kind == "Sequence":
        members = next(v for v in part.values() if isinstance(v, list))
        kinds = [kind_of(member) for member in members]
        return kinds[0] if len(kinds) == 1 else (kinds or None)
    if kind == "ByteLevel" and part.get("use_regex") is False:
        return "ByteLevel without its regular expression"
    return kind


def first_unknown_byte(model):
    """The first byte without a token: int, or None."""
    lacking = [
        byte
        for byte, token in bytes_to_unicode().items()
        if token not in model["vocab"]
    ]
    return min(lacking, default=None)


def frames_as_led(post_processor):
    """Whether the special tokens go where LED has them.

    A file that names none, as one fresh from training, leaves them to LED's defaults.
    """
    kind = kind_of(post_processor)
    if kind in (None, "ByteLevel", "RobertaProcessing"):
        return True
    if kind != "TemplateProcessing":
        return False
    while post_processor["type"] == "Sequence":  # of this one
        (post_processor,) = post_processor["processors"]
    if not post_processor["special_tokens"]:
        return True
    single = [spell(piece) for piece in post_processor["single"]]
    pair = [spell(piece) for piece in post_processor["pair"]]
    if len(single) != 3 or single[1] != "$A":
        return False
    first, _, last = single
    return pair == [first, "$A", last, last, "$B", last]


def spell(piece):
    if "Sequence" in piece:
        return f"${piece['Sequence']['id']}"
    return piece["SpecialToken"]["id"]
