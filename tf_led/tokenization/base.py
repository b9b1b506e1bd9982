"""What the two tokenizers share: the parts, put together and built."""

import os

from tokenizers import AddedToken, pre_tokenizers
from transformers.models.roberta.tokenization_roberta import RobertaTokenizer

from .decoding import DecodingMixin
from .encoding import EncodingMixin, is_rust_error
from .loading import LoadingMixin
from .padding import PaddingMixin
from .prepare import PrepareMixin
from .saving import SavingMixin
from .seq2seq import Seq2SeqMixin
from .special_tokens import SpecialTokensMixin
from .vocabulary import read_vocabulary


class TokenizerBase(
    PrepareMixin,
    EncodingMixin,
    DecodingMixin,
    PaddingMixin,
    SpecialTokensMixin,
    LoadingMixin,
    SavingMixin,
    Seq2SeqMixin,
    RobertaTokenizer,
):
    """The Rust tokenizer of transformers 5 with all that both classes had in 4.57."""

    def __init__(self, vocab, merges, tokenizer_file, errors, **kwargs):
        self.errors = errors
        ready = tokenizer_file is not None or "tokenizer_object" in kwargs
        if tokenizer_file is not None:
            check_file(tokenizer_file)
            kwargs["tokenizer_file"] = os.fspath(tokenizer_file)
        elif not ready:
            kwargs.update(as_paths(vocab_file=vocab, merges_file=merges))
            place = kwargs.get("name_or_path")
            vocab, merges = read_vocabulary(vocab, merges, place)
        try:
            super().__init__(
                vocab=None if ready else vocab,
                merges=None if ready else merges,
                errors=errors,
                **as_added_tokens(kwargs),
            )
        except BaseException as error:
            if not is_rust_error(error):
                raise
            raise ValueError(f"The tokenizer cannot be built. {error}.") from None
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(self.add_prefix_space)


def as_paths(**files):
    """Keeps those that are paths; transformers remembers them."""
    paths = (str, os.PathLike)
    return {name: os.fspath(f) for name, f in files.items() if isinstance(f, paths)}


def check_file(path):
    if not os.path.isfile(path):
        raise FileNotFoundError(f"`tokenizer_file`: there is no file {str(path)!r}.")


def as_added_tokens(kwargs):
    """Gives special tokens that are str the properties that they had in 4.57."""
    known = (kwargs.get("added_tokens_decoder") or {}).values()
    known = {str(token): token for token in known}
    tokens = {
        name: known.get(kwargs[name]) or as_added_token(name, kwargs[name])
        for name in RobertaTokenizer.SPECIAL_TOKENS_ATTRIBUTES
        if isinstance(kwargs[name], str)
    }
    return {**kwargs, **tokens}


def as_added_token(name, text):
    # The mask stands for a word, and words carry the space before them.
    is_mask = name == "mask_token"
    return AddedToken(text, lstrip=is_mask, normalized=True, special=True)
