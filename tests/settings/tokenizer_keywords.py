"""Keywords of the tokenizers: their constructor, call, `pad`, `decode`, and files."""

import inspect
import tempfile
import warnings
from functools import cache, partial
from pathlib import Path

import numpy as np
import transformers

from tests.old_library.names import arguments
from tests.settings.rows import Harmless, Obeyed
from tests.tokenization.make_golden import DATA
from tf_led import LEDTokenizer, LEDTokenizerFast
from tf_led.tokenization.encoding import CALL_ORDER

Base = transformers.PreTrainedTokenizerBase
VOCAB = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5, "Ġ": 6}
TEXT = "aaa a"
FILES = {"vocab_file": DATA / "vocab.json", "merges_file": DATA / "merges.txt"}


@cache
def plain():
    return LEDTokenizerFast(VOCAB, [])


def make(**options):
    return LEDTokenizerFast(**{"vocab_file": VOCAB, "merges_file": [], **options})


def made(value, function):
    """`function` of a tokenizer that was made with the value is true."""
    return Obeyed(lambda name: function(make(**{name: value})))


def special(text):
    """The token is known, and is the one that is named."""
    return Obeyed(
        lambda name: (
            getattr(make(**{name: text}), name) == text
            and text in make(**{name: text}).all_special_tokens
        )
    )


@cache
def saved():
    folder = tempfile.mkdtemp()
    plain().save_pretrained(folder)
    return folder


def from_file(name):
    file = Path(saved(), "tokenizer.json")
    return len(LEDTokenizerFast(tokenizer_file=str(file))) == len(plain())


def both_files(name):
    return len(LEDTokenizerFast(**FILES)) == len(LEDTokenizer(**FILES)) > 100


def bytes_that_are_no_text(name):
    vocab = {**VOCAB, "Ã": 7}
    ignored = LEDTokenizer(vocab, [], **{name: "ignore"})
    return ignored.decode([4, 7]) == "a" != LEDTokenizer(vocab, []).decode([4, 7])


def is_named(name):
    """A keyword that nothing reads is named."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(**{name: True})
    return any(f"`{name}`" in str(one.message) for one in caught)


def ids(**options):
    return make(**options)(TEXT)["input_ids"]


CONSTRUCTING = {
    "vocab_file": Obeyed(both_files),
    "merges_file": Obeyed(both_files),
    "vocab": Obeyed(lambda name: len(LEDTokenizerFast(**{name: VOCAB}, merges=[])) > 6),
    "merges": Obeyed(lambda name: len(LEDTokenizerFast(vocab=VOCAB, **{name: []})) > 6),
    "tokenizer_file": Obeyed(from_file),
    "errors": Obeyed(bytes_that_are_no_text),
    **{
        f"{kind}_token": special(f"<{kind}>")
        for kind in ("bos", "eos", "sep", "cls", "unk", "pad", "mask")
    },
    "add_prefix_space": made(True, lambda t: t(TEXT)["input_ids"][1] == 6),
    "trim_offsets": Obeyed(
        lambda name: (
            make(**{name: False})("a a", return_offsets_mapping=True)["offset_mapping"]
            != make()("a a", return_offsets_mapping=True)["offset_mapping"]
            or not make(**{name: False}).trim_offsets
        )
    ),
    "model_max_length": made(
        4, lambda t: len(t(TEXT, truncation=True)["input_ids"]) == 4
    ),
    "max_len": made(4, lambda t: len(t(TEXT, truncation=True)["input_ids"]) == 4),
    "padding_side": made(
        "left", lambda t: t(["a", "aa"], padding=True)["input_ids"][0][0] == 1
    ),
    "truncation_side": made(
        "left", lambda t: t("aa ", truncation=True, max_length=3)["input_ids"][1] == 6
    ),
    "clean_up_tokenization_spaces": made(
        True, lambda t: t.clean_up_tokenization_spaces
    ),
    "split_special_tokens": made(
        True,
        lambda t: t("<mask>")["input_ids"] != plain()("<mask>")["input_ids"],
    ),
    "extra_special_tokens": made(
        {"doc": "<doc>"}, lambda t: "<doc>" in t.all_special_tokens
    ),
    "additional_special_tokens": made(
        ["<doc>"], lambda t: "<doc>" in t.all_special_tokens
    ),
    "chat_template": made(
        "{{ messages[0].content }}",
        lambda t: t.apply_chat_template([{"content": "aa"}], tokenize=False) == "aa",
    ),
    "model_input_names": made(["input_ids"], lambda t: list(t("a")) == ["input_ids"]),
    "name_or_path": made("me/led", lambda t: t.name_or_path == "me/led"),
    "processor_class": Harmless(),
    **dict.fromkeys(
        ("add_bos_token", "do_lower_case", "legacy", "use_fast"), Obeyed(is_named)
    ),
}
MORE_OPTIONS = {
    "add_bos_token",
    "additional_special_tokens",
    "do_lower_case",
    "legacy",
    "use_fast",
}


# A call


def call(*texts, **options):
    return plain()(*(texts or (TEXT,)), **options)


def call_changes(value, **others):
    """The result differs from that without the option."""

    def shows(name):
        before, after = call(**others), call(**others, **{name: value})
        return before.keys() != after.keys() or before != after

    return Obeyed(shows)


def changes_ids(value, **others):
    def shows(name):
        given = {"text": ["a", "aaa"], **others}
        before = plain()(**given)["input_ids"]
        return plain()(**{**given, name: value})["input_ids"] != before

    return Obeyed(shows)


def adds(key):
    return Obeyed(lambda name: key in call(**{name: True}))


def pairs(first):
    def shows(name):
        given = {first: "a", name: "aa"}
        found = plain()(**given)
        key = "labels" if name == "text_pair_target" else "input_ids"
        return len(found.get(key, found["input_ids"])) == 7

    return Obeyed(shows)


def is_quiet(name):
    """The warning about a text that is too long is not given."""
    import logging

    seen = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())
    logger = logging.getLogger("transformers.tokenization_utils_base")
    logger.addHandler(handler)
    try:
        make(model_max_length=3)(TEXT, **{name: False})
    finally:
        logger.removeHandler(handler)
    return not seen


CALLING = {
    "text": Obeyed(lambda name: plain()(**{name: "a"})["input_ids"] == [0, 4, 2]),
    "text_pair": pairs("text"),
    "text_target": Obeyed(
        lambda name: plain()(**{name: "a"})["input_ids"] == [0, 4, 2]
    ),
    "text_pair_target": pairs("text_target"),
    "add_special_tokens": changes_ids(False),
    "padding": changes_ids(True),
    "truncation": Obeyed(
        lambda name: len(make(model_max_length=3)("aaa", **{name: True}).input_ids) == 3
    ),
    "max_length": changes_ids(3, truncation=True),
    "stride": Obeyed(
        lambda name: (
            len(overflow(**{name: 1})["input_ids"]) > len(overflow()["input_ids"])
        )
    ),
    "is_split_into_words": Obeyed(
        lambda name: plain_words()(["a", "a"], **{name: True})["input_ids"][0] == 0
    ),
    "pad_to_multiple_of": changes_ids(8, padding=True),
    "padding_side": changes_ids("left", padding=True),
    "return_tensors": Obeyed(
        lambda name: isinstance(call(**{name: "np"})["input_ids"], np.ndarray)
    ),
    "return_token_type_ids": adds("token_type_ids"),
    "return_attention_mask": Obeyed(
        lambda name: "attention_mask" not in call(**{name: False})
    ),
    "return_overflowing_tokens": Obeyed(
        lambda name: len(overflow(**{name: True})["input_ids"]) > 1
    ),
    "return_special_tokens_mask": adds("special_tokens_mask"),
    "return_offsets_mapping": adds("offset_mapping"),
    "return_length": adds("length"),
    "verbose": Obeyed(is_quiet),
    # What the call has no argument for; arguments win.
    "tokenizer_kwargs": Obeyed(
        lambda name: (
            call("<mask>", **{name: {"split_special_tokens": True}}) != call("<mask>")
        )
    ),
}


def plain_words():
    return make(add_prefix_space=True)


def overflow(**options):
    given = {"truncation": True, "max_length": 4, "return_overflowing_tokens": True}
    return plain()("aaaaaa", **{**given, **options})


# pad, decode, files

ROWS_TO_PAD = [{"input_ids": [0, 4, 2]}, {"input_ids": [0, 2]}]


def pad(**options):
    return plain().pad(**{"encoded_inputs": ROWS_TO_PAD, **options})


def padded(value, function, **others):
    return Obeyed(lambda name: function(pad(**others, **{name: value})))


PADDING = {
    "encoded_inputs": padded(ROWS_TO_PAD[:1], lambda p: len(p["input_ids"]) == 1),
    "padding": padded(False, lambda p: len(p["input_ids"][1]) == 2),
    "max_length": padded(
        7, lambda p: len(p["input_ids"][0]) == 7, padding="max_length"
    ),
    "pad_to_multiple_of": padded(8, lambda p: len(p["input_ids"][0]) == 8),
    "padding_side": padded("left", lambda p: p["input_ids"][1][0] == 1),
    "return_attention_mask": padded(False, lambda p: "attention_mask" not in p),
    "return_tensors": padded("np", lambda p: isinstance(p["input_ids"], np.ndarray)),
    "verbose": padded(False, lambda p: len(p["input_ids"]) == 2),
}
DECODING = {
    "token_ids": Obeyed(lambda name: plain().decode(**{name: [4, 4]}) == "aa"),
    "skip_special_tokens": Obeyed(
        lambda name: plain().decode([0, 4, 2], **{name: True}) == "a"
    ),
    "clean_up_tokenization_spaces": Obeyed(
        lambda name: (
            LEDTokenizerFast(**FILES).decode(
                LEDTokenizerFast(**FILES)("a .")["input_ids"][1:-1], **{name: True}
            )
            == "a."
        )
    ),
}


def files(**options):
    folder = options.pop("save_directory", None) or tempfile.mkdtemp()
    plain().save_pretrained(folder, **options)
    return sorted(path.name for path in Path(folder).iterdir())


SAVING = {
    "save_directory": Obeyed(
        lambda name: "tokenizer.json" in files(**{name: tempfile.mkdtemp()})
    ),
    "legacy_format": Obeyed(lambda name: "tokenizer.json" not in files(**{name: True})),
    "filename_prefix": Obeyed(
        lambda name: any(file.startswith("mine-") for file in files(**{name: "mine"}))
    ),
}


def tables(old):
    """Every name, and the rows, by method."""
    kinds = {"self", "args", "kwargs"}

    def known(method, *functions):
        names = {n for f in functions for n in arguments(f)}
        return {*old[f"tokenizer {method}"], *names} - kinds

    constructing = known("__init__", LEDTokenizer.__init__, LEDTokenizerFast.__init__)
    ours = set(inspect.signature(Base.__call__).parameters) | set(CALL_ORDER)
    return {
        "tokenizer": (constructing | MORE_OPTIONS, CONSTRUCTING),
        "tokenizer, call": (known("__call__") | ours - kinds, CALLING),
        "tokenizer, pad": (known("pad", LEDTokenizerFast.pad), PADDING),
        "tokenizer, decode": (known("decode", LEDTokenizerFast.decode), DECODING),
        "tokenizer, save": (
            known("save_pretrained", partial(LEDTokenizerFast.save_pretrained))
            - {"push_to_hub"},  # transformers' own, which uploads
            SAVING,
        ),
    }
