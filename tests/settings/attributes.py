"""Attributes that the old classes had: here too, or the guide says what is instead."""

from tests.settings.config_fields import plain
from tests.settings.rows import Obeyed, documented
from tests.settings.tokenizer_keywords import plain as tokenizer


def is_there(thing):
    """The attribute is there, or the guide has a row on it."""
    return Obeyed(lambda name: hasattr(type(thing()), name) or hasattr(thing(), name))


OF_A_MODEL = is_there(plain)
OF_A_TOKENIZER = is_there(tokenizer)


def row_of(row):
    return Obeyed(lambda name: row.shows(name) or documented(name))


def tables(old):
    """Every attribute of a model and of a tokenizer."""
    return {
        "model, attributes": (
            set(old["model"]),
            dict.fromkeys(old["model"], row_of(OF_A_MODEL)),
        ),
        "tokenizer, attributes": (
            set(old["tokenizer"]),
            dict.fromkeys(old["tokenizer"], row_of(OF_A_TOKENIZER)),
        ),
    }
