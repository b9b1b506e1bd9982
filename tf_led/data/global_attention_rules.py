"""Which tokens of a document get global attention: every rule, in NumPy and in graphs.

Global tokens attend to all others and all others attend to them.
"""

import bisect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tf_led.utils.annotations import TensorLike, Tokenizer

RULES = ("first", "question", "separators", "none")

if TYPE_CHECKING:
    from transformers import BatchEncoding


def first_token(input_ids: TensorLike) -> np.ndarray:
    """Marks the first token: the rule for summaries.

    Args:
        input_ids: int[S], one row without padding.

    Returns:
        bool[S].

    Source: LED, arXiv 2004.05150, section 7.

    Example:
        >>> from tf_led.data.global_attention_rules import first_token
        >>> first_token([0, 5, 7, 2]).tolist()
        [True, False, False, False]
    """
    return np.arange(len(input_ids)) == 0


def no_token(input_ids: TensorLike) -> np.ndarray:
    """Marks no token: attention is local everywhere.

    Args:
        input_ids: int[S], one row without padding.

    Returns:
        bool[S], all False.

    Example:
        >>> from tf_led.data.global_attention_rules import no_token
        >>> no_token([0, 5, 2]).tolist()
        [False, False, False]
    """
    return np.zeros(len(input_ids), bool)


def question_tokens(input_ids: TensorLike, *, sep_token_id: int) -> np.ndarray:
    """Marks all before the first separator: the rule for `<s> question </s></s> text`.

    Args:
        input_ids: int[S], one row without padding.
        sep_token_id: int, what ends the question.

    Returns:
        bool[S]. Without a separator every token is marked.

    Source: Longformer, arXiv 2004.05150, section 4.

    Example:
        >>> from tf_led.data.global_attention_rules import question_tokens
        >>> question_tokens([0, 5, 2, 2, 7, 2], sep_token_id=2).tolist()
        [True, True, False, False, False, False]
    """
    return np.cumsum(np.asarray(input_ids) == sep_token_id) == 0


def separator_tokens(input_ids: TensorLike, *, separator_id: int) -> np.ndarray:
    """Marks the first token and every separator: the rule for several documents.

    Args:
        input_ids: int[S], one row without padding.
        separator_id: int, the token that stands between documents.

    Returns:
        bool[S].

    Source: PRIMERA, arXiv 2110.08499, section 2.1.

    Example:
        >>> from tf_led.data.global_attention_rules import separator_tokens
        >>> separator_tokens([0, 5, 9, 7, 2], separator_id=9).tolist()
        [True, False, True, False, False]
    """
    return first_token(input_ids) | (np.asarray(input_ids) == separator_id)


class OccurrencesOf(NamedTuple):
    """The rule of `text_tokens` for what is given as text, such as a pipeline's input.

    Args:
        text: str, not empty.

    Example:
        >>> from tf_led.data.global_attention_rules import OccurrencesOf
        >>> OccurrencesOf("What is LED?").text
        'What is LED?'
    """

    text: str


def text_tokens(encoding: "BatchEncoding", document: str, text: str) -> np.ndarray:
    """Marks every token of every occurrence of a text.

    Args:
        encoding: BatchEncoding of `document` alone, with `offset_mapping`.
        document: str.
        text: str, not empty. Occurrences may overlap; one character of a token in one
            of them is enough.

    Returns:
        bool[S]. Special tokens are never marked.

    Example:
        >>> from tf_led import LEDTokenizerFast
        >>> from tf_led.data.global_attention_rules import text_tokens
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> tokenizer = LEDTokenizerFast(vocab, [])
        >>> encoding = tokenizer("abba", return_offsets_mapping=True)
        >>> text_tokens(encoding, "abba", "bb").tolist()
        [False, False, True, True, False, False]
    """
    starts = occurrences(text, document)
    spans = zip(encoding["offset_mapping"], encoding.sequence_ids(0), strict=True)
    return np.array(
        [
            sequence is not None and touches(span, starts, len(text))
            for span, sequence in spans
        ],
        bool,
    )


def occurrences(text, document):
    """Where each occurrence starts, those that overlap too, in order: list of int."""
    starts, start = [], document.find(text)
    while start >= 0:
        starts.append(start)
        start = document.find(text, start + 1)
    return starts


def touches(span, starts, length):
    """Whether an occurrence, [start, start + length), shares a character with a token.

    A token of white space has an empty span; it counts strictly inside an occurrence.
    """
    nearest = bisect.bisect_right(starts, span[0] - length)
    return nearest < len(starts) and starts[nearest] < span[1]


def first_token_in_graph(ids, mask):
    """Marks the first token of every row of a padded batch, in TensorFlow ops.

    Args:
        ids: int64[B, S].
        mask: int64[B, S], the attention mask; padding may be on either side.

    Returns:
        bool[B, S].
    """
    import tensorflow as tf

    first = tf.argmax(mask, axis=1, output_type=tf.int32)[:, None]
    return tf.range(tf.shape(ids)[1]) == first


def no_token_in_graph(ids, mask):
    """Marks no token: attention is local everywhere.

    Args:
        ids: int64[B, S].
        mask: int64[B, S], unused.

    Returns:
        bool[B, S].
    """
    import tensorflow as tf

    return tf.zeros_like(ids, tf.bool)


GRAPH_RULES = {"first": first_token_in_graph, "none": no_token_in_graph}


def choose_rule(
    rule: str | Callable[[np.ndarray], Any],
    tokenizer: Tokenizer,
    separator: str | None = None,
) -> Callable[[np.ndarray], Any]:
    """Finds the function behind the name of a rule.

    Args:
        rule: "first", "question", "separators", "none", or a callable from int[S] to
            bool[S], which is returned as it is.
        tokenizer: LEDTokenizerFast, which gives the ids of separators.
        separator: str, the token between documents; "separators" needs it.

    Returns:
        Callable from int[S] to bool[S].

    Raises:
        ValueError: for another rule, and for a separator that is missing or is not one
            token of the tokenizer.

    Example:
        >>> from tf_led.data.global_attention_rules import choose_rule
        >>> choose_rule("first", tokenizer=None)([0, 5, 2]).tolist()
        [True, False, False]
    """
    if callable(rule):
        return rule
    if rule == "first":
        return first_token
    if rule == "none":
        return no_token
    if rule == "question":
        if tokenizer.sep_token_id is None:
            raise ValueError(
                "`global_tokens` is 'question', but the tokenizer has no `sep_token` "
                "that could end a question. Give a function from ids to a mask."
            )
        return partial(question_tokens, sep_token_id=tokenizer.sep_token_id)
    if rule == "separators":
        return partial(separator_tokens, separator_id=token_id(separator, tokenizer))
    raise ValueError(
        f"`global_tokens` must be one of {', '.join(map(repr, RULES))} or a function "
        f"from ids to a mask, got {rule!r}."
    )


def token_id(separator: str, tokenizer: Tokenizer) -> int:
    """Looks up the token that stands between documents.

    Args:
        separator: str.
        tokenizer: LEDTokenizerFast.

    Returns:
        int.

    Raises:
        ValueError: if the tokenizer has no such token, or `separator` is None.

    Example:
        >>> from tf_led import LEDTokenizerFast
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
        >>> tokenizer = LEDTokenizerFast(vocab, [])
        >>> from tf_led.data.global_attention_rules import token_id
        >>> token_id("</s>", tokenizer)
        2
    """
    found = tokenizer.get_vocab().get(separator)
    if found is None:
        raise ValueError(
            f"`separator` is {separator!r}, which is no token of the tokenizer. Give "
            "one that is, or add it: tokenizer.add_special_tokens("
            '{"additional_special_tokens": [...]}) and model.resize_token_embeddings.'
        )
    return found
