"""What the two tokenizers share: the parts, put together and built."""

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
from .vocabulary import check_file, check_vocabulary


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
    """The Rust tokenizer of transformers 5 with all that both classes had in 4.57.

    Args:
        vocab: path of vocab.json, or dict from token to id, or None.
        merges: path of merges.txt, or list of pairs of str, or None.
        tokenizer_file: path of tokenizer.json in place of the two, or None.
        errors: str, as for `bytes.decode`: what becomes of bytes that are no UTF-8.
        **kwargs: of the two classes, and of transformers' tokenizers.

    Raises:
        ValueError: if no tokenizer can be made of these.

    Example:
        >>> from tf_led import LEDTokenizer, LEDTokenizerFast
        >>> from tf_led.tokenization.base import TokenizerBase
        >>> issubclass(LEDTokenizer, TokenizerBase)
        True
        >>> issubclass(LEDTokenizerFast, TokenizerBase)
        True
    """

    def __init__(self, vocab, merges, tokenizer_file, errors, **kwargs):
        self.errors = errors
        source = {}  # a Rust tokenizer that is ready needs neither of the two
        if tokenizer_file is not None:
            source["tokenizer_file"] = check_file("tokenizer_file", tokenizer_file)
        elif "tokenizer_object" not in kwargs:
            vocab, merges = check_vocabulary(vocab, merges, kwargs.get("name_or_path"))
            source.update(vocab=vocab, merges=merges)
            if isinstance(vocab, str):  # transformers remembers the files
                kwargs.update(vocab_file=vocab, merges_file=merges)
        try:
            super().__init__(errors=errors, **source, **as_added_tokens(kwargs))
        except BaseException as error:
            if not is_rust_error(error):
                raise
            files = [name for name in source.values() if isinstance(name, str)]
            of = f" of {' and '.join(files)}" if files else ""
            raise ValueError(f"No tokenizer can be made{of}. {error}.") from None
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(self.add_prefix_space)


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
