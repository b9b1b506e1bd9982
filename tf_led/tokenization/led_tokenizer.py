"""LEDTokenizer and LEDTokenizerFast: the Rust tokenizer with all that 4.57 had."""

from tf_led.tokenization.base import TokenizerBase
from tf_led.tokenization.compat import (
    PythonAnswersMixin,
    PythonIdsMixin,
    PythonNamesMixin,
    RustAnswersMixin,
)
from tf_led.tokenization.decoding import PythonDecodingMixin

__all__ = ["LEDTokenizer", "LEDTokenizerFast"]


class LEDTokenizer(
    PythonIdsMixin,
    PythonAnswersMixin,
    PythonDecodingMixin,
    PythonNamesMixin,
    TokenizerBase,
):
    """A byte-level BPE tokenizer whose answers are those of 4.57's LEDTokenizer.

    The ids come from the Rust tokenizer of transformers 5, so offsets, `word_ids()` and
    so on work here too, which the Python tokenizer of 4.57 refused. Otherwise, where
    its answers differed from LEDTokenizerFast's, these are its own:

    - `return_overflowing_tokens` adds `overflowing_tokens` and `num_truncated_tokens`
      to each row; LEDTokenizerFast makes rows of what overflows. Such rows, and pairs
      that "longest_first" cut, have no `word_ids()` and so on. With
      `return_offsets_mapping` the rows are LEDTokenizerFast's.
    - "longest_first" leaves a pair's odd id to the first text; LEDTokenizerFast leaves
      it to the longer one, and to the second where both are equally long.
    - A truncation that cannot be done is logged, and the text stays as long as it is;
      LEDTokenizerFast refuses it.
    - `encode` and `encode_plus` take ids and tokens, an empty second text counts as
      one, words split by the caller get a space each, `return_length` counts a batch's
      rows before padding, added tokens are decoded with spaces around them, `errors`
      is heeded, special tokens added become `additional_special_tokens`.

    With `add_prefix_space=True`, though, every stretch of text between added tokens
    gets its space, as in LEDTokenizerFast, not the first alone.

    Args:
        vocab_file: path of vocab.json, or the vocabulary itself, a dict of int by str.
        merges_file: path of merges.txt, or the merges themselves, a list of pairs.
        errors: "replace", "ignore" or "strict": bytes that are no UTF-8, in decoding.
        bos_token, eos_token: str or AddedToken. Begin and end of a sequence.
        sep_token, cls_token: str or AddedToken. What a text is put between.
        unk_token: str or AddedToken. Stands for what is not in the vocabulary.
        pad_token: str or AddedToken. Fills rows up.
        mask_token: str or AddedToken. A str takes the space before it along.
        add_prefix_space: bool. Whether a text starts as if after a space.
        trim_offsets: bool. Whether offsets leave out the space before a word.
        vocab, merges: the first two arguments by their names in transformers 5.
        **kwargs: what transformers' tokenizers share: `model_max_length`,
            `padding_side`, `truncation_side`, `additional_special_tokens` and so on.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if vocabulary or merges are missing, or cannot be read.

    Source: transformers 4.57 `models/led/tokenization_led.py`; the ids, transformers 5
    `models/roberta/tokenization_roberta.py`.

    Example:
        >>> from tf_led import LEDTokenizer
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> tokenizer = LEDTokenizer(vocab | {"ab": 6, "<mask>": 7}, [("a", "b")])
        >>> tokenizer("abba")["input_ids"]
        [0, 6, 5, 4, 2]
        >>> rows = [{"input_ids": [0, 6, 2], "global_attention_mask": [1, 0, 0]}]
        >>> tokenizer.pad(rows, pad_to_multiple_of=4)["global_attention_mask"]
        [[1, 0, 0, -1]]
    """

    def __init__(
        self,
        vocab_file=None,
        merges_file=None,
        errors="replace",
        bos_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
        add_prefix_space=False,
        trim_offsets=True,
        vocab=None,
        merges=None,
        **kwargs,
    ):
        super().__init__(
            vocab_file if vocab is None else vocab,
            merges_file if merges is None else merges,
            kwargs.pop("tokenizer_file", None),
            errors,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **kwargs,
        )


class LEDTokenizerFast(RustAnswersMixin, TokenizerBase):
    """A byte-level BPE tokenizer whose answers are those of 4.57's LEDTokenizerFast.

    Ids, offsets and decoded text are the Rust tokenizer's of transformers 5. Back again
    are `prepare_for_model`, `build_inputs_with_special_tokens`, `save_vocabulary` and
    so on, `return_tensors="tf"`, and `global_attention_mask` in `pad`. How its answers
    differ from LEDTokenizer's is told there. A `max_length` with no room for the
    special tokens is refused; 4.57 did not cut at all.

    Args:
        vocab_file: path of vocab.json, or the vocabulary itself, a dict of int by str.
        merges_file: path of merges.txt, or the merges themselves, a list of pairs.
        tokenizer_file: path of tokenizer.json, in place of the two.
        errors: only kept; the Rust tokenizer always decodes as "replace" says.
        bos_token, eos_token: str or AddedToken. Begin and end of a sequence.
        sep_token, cls_token: str or AddedToken. What a text is put between.
        unk_token: str or AddedToken. Stands for what is not in the vocabulary.
        pad_token: str or AddedToken. Fills rows up.
        mask_token: str or AddedToken. A str takes the space before it along.
        add_prefix_space: bool. Whether a text starts as if after a space.
        trim_offsets: bool. Whether offsets leave out the space before a word.
        vocab, merges: the first two arguments by their names in transformers 5.
        **kwargs: what transformers' tokenizers share: `model_max_length`,
            `padding_side`, `truncation_side`, `additional_special_tokens` and so on.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if vocabulary or merges are missing, or cannot be read.

    Source: transformers 4.57 `models/led/tokenization_led_fast.py`; the ids,
    transformers 5 `models/roberta/tokenization_roberta.py`.

    Example:
        >>> from tf_led import LEDTokenizerFast
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> tokenizer = LEDTokenizerFast(vocab | {"ab": 6, "<mask>": 7}, [("a", "b")])
        >>> inputs = tokenizer(["abba", "a"], padding=True, return_tensors="tf")
        >>> inputs["input_ids"].numpy().tolist()
        [[0, 6, 5, 4, 2], [0, 4, 2, 1, 1]]
    """

    _ENDS = ("bos_token_id", "eos_token_id")
    slow_tokenizer_class = LEDTokenizer

    def __init__(
        self,
        vocab_file=None,
        merges_file=None,
        tokenizer_file=None,
        errors="replace",
        bos_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
        add_prefix_space=False,
        trim_offsets=True,
        vocab=None,
        merges=None,
        **kwargs,
    ):
        super().__init__(
            vocab_file if vocab is None else vocab,
            merges_file if merges is None else merges,
            tokenizer_file,
            errors,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **kwargs,
        )
