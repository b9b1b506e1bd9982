"""The tokenizer as a TensorFlow graph: text in, ids out, and back."""

import re

import numpy as np
import tensorflow as tf

from tf_led.tokenization.decoding import CLEANED
from tf_led.tokenization.fast_compat import FastCompat
from tf_led.tokenization.graph.added import AddedTokens
from tf_led.tokenization.graph.bpe import GraphBpe
from tf_led.tokenization.graph.ragged import (
    as_utf8,
    cut,
    pad,
    place,
    row_index,
    shift,
    with_space,
)
from tf_led.tokenization.graph.tables import (
    check_ids,
    check_multiple,
    check_texts,
    check_tokenizer,
    read_bpe,
    read_ends,
    remaining_length,
    token_bytes,
)
from tf_led.tokenization.graph.words import WordSplitter
from tf_led.utils.annotations import TensorLike, Tokenizer

# Strings have no other place, and their lengths and bytes are best beside them.
_DEVICE = "/CPU:0"


class GraphTokenizer(tf.Module):
    """LEDTokenizer in core TensorFlow ops, for a graph that takes and gives text.

    It works inside `tf.function` and in a SavedModel that a stock TensorFlow Serving
    runs: there are no custom ops, no Python calls, no lookup tables to initialise and
    no state, so concurrent calls are fine. Its tables are constants of the graph, about
    2 MB for BART's vocabulary; a `tf.Module` that owns one exports as any other. XLA
    does not compile strings.

    The ids are those of the tokenizer for every text, special tokens inside it
    included. Invalid UTF-8, which no Python str has, counts as U+FFFD, just as
    `bytes.decode("utf-8", errors="replace")` has it. Later changes of the tokenizer are
    not seen.

    Time and memory grow linearly with the text: n bytes take O(n log M) for M merges,
    times the rounds of merges in a chunk of at most 96 bytes, however long the words
    are; the same word is done once per call. Only where two overlapping chunks share no
    token, as in a row of one character that has longer tokens, is the word done again
    in chunks 8 times as long, and so on. 1 MB of ordinary text takes about 0.3 s on two
    cores, a word of 100,000 letters too.

    Args:
        tokenizer: LEDTokenizer or LEDTokenizerFast.
        name: str or None, of the `tf.Module`.

    Attributes:
        pad_token_id: Python int. What `__call__` pads with.
        model_max_length: Python int. The tokenizer's own, very large if it has none.

    Raises:
        ValueError: if the tokenizer is not a plain byte-level BPE, or does not put one
            token before and one after a text, or decodes with other `errors` than
            "replace".

    Source: the ids, tokenizers' `ByteLevel`, `BPE` and `AddedVocabulary`.

    Example:
        >>> from tf_led import LEDTokenizer
        >>> from tf_led.tokenization.graph.tokenizer import GraphTokenizer
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> tokenizer = LEDTokenizer(vocab | {"ab": 6, "<mask>": 7}, [("a", "b")])
        >>> graph_tokenizer = GraphTokenizer(tokenizer)
        >>> graph_tokenizer.encode(["abba", "a<mask>"]).to_list()
        [[0, 6, 5, 4, 2], [0, 4, 7, 2]]
        >>> graph_tokenizer.decode([[0, 6, 5, 4, 2]]).numpy().tolist()
        [b'abba']
    """

    def __init__(self, tokenizer: Tokenizer, name: str | None = None) -> None:
        super().__init__(name=name)
        bpe_tables = read_bpe(tokenizer)
        check_tokenizer(tokenizer)
        self._first, self._last = read_ends(tokenizer)
        self._prefix_space = tokenizer.add_prefix_space
        self._cuts_left = tokenizer.truncation_side == "left"
        self._pads_left = tokenizer.padding_side == "left"
        self._cleans_up = bool(tokenizer.clean_up_tokenization_spaces)
        self.pad_token_id = tokenizer.pad_token_id
        self.model_max_length = tokenizer.model_max_length
        with tf.init_scope(), tf.device(_DEVICE):
            self._added = AddedTokens(
                tokenizer.backend_tokenizer.get_added_tokens_decoder()
            )
            self._split = WordSplitter()
            self._bpe = GraphBpe(bpe_tables)
            self._decode = GraphDecoder(tokenizer)

    def __call__(
        self,
        texts: TensorLike | str,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
    ) -> dict[str, tf.Tensor]:
        """Turns texts into model inputs, padded to the longest.

        Args:
            texts: string[B].
            max_length: Python int or int32 scalar tensor, at least 3. Longer rows are
                cut to it, special tokens counted, at the tokenizer's truncation side;
                None cuts nothing.
            pad_to_multiple_of: Python int. S is rounded up to a multiple of it.

        Returns:
            dict of `input_ids` and `attention_mask`, int32[B, S] each, padded at the
            tokenizer's padding side with `pad_token_id` and 0.

        Raises:
            ValueError: if `max_length` is below 3 or `pad_to_multiple_of` below 1. A
                tensor's value is checked in the graph: InvalidArgumentError.
        """
        check_multiple(pad_to_multiple_of)
        ids = self.encode(texts, max_length)
        width = pad_to_multiple_of, self._pads_left
        with tf.device(_DEVICE):
            return {
                "input_ids": pad(ids, self.pad_token_id, *width),
                "attention_mask": pad(tf.ones_like(ids), 0, *width),
            }

    def encode(
        self,
        texts: TensorLike | str,
        max_length: int | None = None,
        add_special_tokens: bool = True,
    ) -> tf.RaggedTensor:
        """Turns texts into rows of ids, each as long as its text has it.

        Args:
            texts: string[B].
            max_length: Python int or int32 scalar tensor. Longer rows are cut to it,
                special tokens counted, as `truncation=True` does; None cuts nothing.
            add_special_tokens: Python bool. Whether to put `<s>` and `</s>` around.

        Returns:
            int32 ragged [B, (S)], with int64 row splits.

        Raises:
            ValueError: if `max_length` is below 3 (1 without special tokens). A
                tensor's value is checked in the graph: InvalidArgumentError.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> from tf_led.tokenization.graph.tokenizer import GraphTokenizer
            >>> GraphTokenizer(tokenizer).encode(["aaaa", "a"], max_length=4).to_list()
            [[0, 4, 4, 2], [0, 4, 2]]
        """
        num_added = 2 if add_special_tokens else 0
        with tf.device(_DEVICE):
            ids = self._ids(as_utf8(check_texts(texts)))
            if max_length is not None:
                ids = cut(ids, remaining_length(max_length, num_added), self._cuts_left)
            if not add_special_tokens:
                return ids
            first, last = (
                tf.fill([ids.nrows(), 1], end) for end in (self._first, self._last)
            )
            return tf.concat([first, ids, last], axis=1)

    def decode(
        self,
        ids: TensorLike | tf.RaggedTensor,
        skip_special_tokens: bool = True,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> tf.Tensor:
        """Turns rows of ids into texts, as the tokenizer's `batch_decode`.

        Args:
            ids: integers, [B, T] or ragged [B, (T)]. Ids beyond the vocabulary stand
                for nothing, as in the tokenizer.
            skip_special_tokens: Python bool. Whether to leave the special tokens out;
                the tokenizer's own default is False.
            clean_up_tokenization_spaces: Python bool. Whether to take out the spaces
                before punctuation; the tokenizer's own setting if None.

        Returns:
            string[B], valid UTF-8: invalid bytes have become U+FFFD.

        Raises:
            InvalidArgumentError: in the graph, if an id is negative, as the -100 of
                labels is.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> from tf_led.tokenization.graph.tokenizer import GraphTokenizer
            >>> GraphTokenizer(tokenizer).decode([[0, 4, 4, 2]]).numpy().tolist()
            [b'aa']
        """
        clean_up = clean_up_tokenization_spaces
        if clean_up is None:
            clean_up = self._cleans_up
        with tf.device(_DEVICE):
            return self._decode(check_ids(ids), skip_special_tokens, clean_up)

    def _ids(self, texts):
        """The ids of texts, string[B] of valid UTF-8, without special tokens."""
        pieces = self._added(texts)
        plain = tf.where(pieces.token_id < 0)[:, 0]
        plain_texts = tf.gather(pieces.text, plain)
        if self._prefix_space:
            plain_texts = with_space(plain_texts)
        words, text_idx = self._split(plain_texts)
        distinct, which = tf.unique(words)
        tokens = tf.gather(self._bpe(distinct), which)  # [W, (k)]
        piece = tf.gather(tf.gather(plain, text_idx), row_index(tokens))
        return place(pieces, tokens.values, piece, tf.size(texts, tf.int64))


class GraphDecoder(tf.Module):
    """Turns rows of ids into texts, as the tokenizer that it is made of."""

    def __init__(self, tokenizer):
        super().__init__()
        tokens = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=True)
        self._size = max(tokens.values(), default=0) + 1
        pieces = [b""] * self._size
        for token, token_id in tokens.items():
            pieces[token_id] = token_bytes(token)
        self._pieces = tf.constant(pieces, tf.string, [self._size])
        compat = getattr(tokenizer, "_compat", None) or FastCompat(tokenizer)
        self._is_special = tf.constant(self._marks(compat.skipped_ids()))
        self._is_spaced = tf.constant(self._marks(compat.spaced_ids()))

    def _marks(self, ids):
        return np.isin(np.arange(self._size), list(ids))

    def __call__(self, ids, skip_special_tokens, clean_up):
        """Decodes ids, an integer [B, T] or ragged [B, (T)], to string[B]."""
        num_rows = tf.shape(ids, tf.int64)[0]
        if not isinstance(ids, tf.RaggedTensor):
            ids = tf.RaggedTensor.from_tensor(ids)
        row, ids = row_index(ids), tf.cast(ids.flat_values, tf.int64)
        check = tf.debugging.assert_non_negative(
            ids, "`ids` must not be negative: put the pad token's id in place of -100."
        )
        with tf.control_dependencies([check] if check is not None else []):
            kept = tf.where(self._is_kept(ids, skip_special_tokens))[:, 0]
        pieces = self._spaced(tf.gather(ids, kept), tf.gather(row, kept))
        texts = tf.strings.unsorted_segment_join(pieces, tf.gather(row, kept), num_rows)
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        return cleaned(texts) if clean_up else texts

    def _is_kept(self, ids, skip_special_tokens):
        """Ids beyond the vocabulary stand for nothing, as in the library."""
        is_known = ids < self._size
        known = tf.where(is_known, ids, 0)
        is_kept = is_known & (tf.gather(self._pieces, known) != b"")
        if skip_special_tokens:
            is_kept &= ~tf.gather(self._is_special, known)
        return is_kept

    def _spaced(self, ids, row):
        """Puts a space on both sides of added tokens, where the tokenizer does."""
        pieces = tf.gather(self._pieces, ids)
        is_spaced = tf.gather(self._is_spaced, ids)
        needs_space = is_spaced | shift(is_spaced, -1, False)
        needs_space &= shift(row, -1, -1) == row
        return tf.where(needs_space, tf.strings.join([" ", pieces]), pieces)


def cleaned(texts):
    for found, wanted in CLEANED:
        texts = tf.strings.regex_replace(texts, re.escape(found), wanted)
    return texts
