"""`prepare_for_model` and `truncate_sequences`: from plain ids to model inputs."""

import logging
from collections.abc import Sequence
from numbers import Integral

from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils import PaddingStrategy

from tf_led.tokenization.batch_encoding import LEDBatchEncoding, as_lists, tensor_kind
from tf_led.tokenization.padding import check_at_least

logger = logging.getLogger(__name__)

FIRST = TruncationStrategy.ONLY_FIRST
SECOND = TruncationStrategy.ONLY_SECOND
LONGEST = TruncationStrategy.LONGEST_FIRST


def truncate(ids, pair_ids, count, strategy, stride, side):
    """Takes `count` ids away from one sequence or from a pair.

    Args:
        ids: list of int. The first sequence.
        pair_ids: list of int or None. The second.
        count: int. How many ids have to go; 0 or less changes nothing.
        strategy: TruncationStrategy. Which of the two loses them.
        stride: int. How many of the kept ids the overflow repeats.
        side: "left" or "right". The end that loses them.

    Returns:
        (ids, pair_ids, overflow), new lists. A strategy that cannot take away that many
        is logged and changes nothing. A pair cut by "longest_first" has no overflow.
    """
    if count <= 0 or strategy == TruncationStrategy.DO_NOT_TRUNCATE:
        return ids, pair_ids, []
    if strategy == LONGEST and pair_ids is not None:
        return *cut_longest(ids, pair_ids, count, side), []
    if strategy != SECOND:
        ids, overflow = cut_one(ids, count, strategy, stride, side)
        return ids, pair_ids, overflow
    if pair_ids is None:
        log_no_truncation(count, strategy, "there is no second sequence")
        return ids, None, []
    pair_ids, overflow = cut_one(pair_ids, count, strategy, stride, side)
    return ids, pair_ids, overflow


def cut_one(ids, count, strategy, stride, side):
    if len(ids) <= count:
        log_no_truncation(count, strategy, f"its sequence has only {len(ids)}")
        return ids, []
    window = min(len(ids), stride + count)
    if side == "left":
        return ids[count:], ids[:window]
    return ids[:-count], ids[-window:]


def log_no_truncation(count, strategy, reason):
    logger.error(
        "Truncation by '%s' would have to take %d tokens away, but %s: nothing is cut. "
        "Choose another `truncation` or a larger `max_length`.",
        strategy.value,
        count,
        reason,
    )


def cut_longest(ids, pair_ids, count, side):
    """Evens the two out, then takes from both; the first keeps the odd id."""
    from_longer = min(abs(len(ids) - len(pair_ids)), count)
    from_both = count - from_longer
    losses = [from_both // 2, from_both - from_both // 2]
    losses[0 if len(ids) > len(pair_ids) else 1] += from_longer
    return tuple(
        drop(sequence, loss, side)
        for sequence, loss in zip((ids, pair_ids), losses, strict=True)
    )


def drop(ids, count, side):
    if side == "left":
        return ids[count:]
    return ids[: max(len(ids) - count, 0)]


class PrepareMixin:
    """Model inputs from ids, as in transformers 4.57."""

    def prepare_for_model(
        self,
        ids: Sequence[int],
        pair_ids: Sequence[int] | None = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        prepend_batch_axis: bool = False,
        pad_to_max_length: bool = False,
    ) -> LEDBatchEncoding:
        """Truncates ids, puts the special tokens around them and pads.

        Args:
            ids: list of int. The ids of a text, without special tokens.
            pair_ids: list of int. The ids of a second text, if there is one.
            add_special_tokens: bool. Whether to put the special tokens around.
            padding: False, True, "longest", "max_length" or "do_not_pad".
            truncation: None, False, True or "longest_first", "only_first",
                "only_second", "do_not_truncate". `max_length` alone means True.
            max_length: int. The length to cut and to pad to, special tokens counted.
            stride: int. How many of the kept ids the overflowing ones repeat.
            pad_to_multiple_of: int. The padded length is rounded up to a multiple.
            padding_side: "left" or "right"; the tokenizer's own if None.
            return_tensors: "tf" (int32), "np", "pt" or None for lists.
            return_token_type_ids: bool. Whether to return `token_type_ids`, all 0.
            return_attention_mask: bool. False leaves `attention_mask` out.
            return_overflowing_tokens: bool. Adds `overflowing_tokens`, the ids cut off,
                and `num_truncated_tokens`, the length minus `max_length`.
            return_special_tokens_mask: bool. Adds `special_tokens_mask`.
            return_offsets_mapping: bool. Only False: ids have no text to point into.
            return_length: bool. Adds `length`, the final number of ids.
            verbose: bool. Whether to warn of a text beyond the model's limit.
            prepend_batch_axis: bool. True gives tensors a first axis of size 1.
            pad_to_max_length: bool. Version 3's name of `padding="max_length"`.

        Returns:
            BatchEncoding.

        Raises:
            ValueError: if arguments contradict each other, as the message says.
            TypeError: if `ids` or `pair_ids` are not lists of ids.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab=vocab, merges=[])
            >>> tokenizer.prepare_for_model([4, 4], max_length=5, padding="max_length")
            {'input_ids': [0, 4, 4, 2, 1], 'attention_mask': [1, 1, 1, 1, 0]}
        """
        kind = tensor_kind(return_tensors)
        ids, pair_ids = list_of_ids("ids", ids), list_of_ids("pair_ids", pair_ids)
        pad_by, cut_by, max_length, _ = self._get_padding_truncation_strategies(
            padding,
            truncation,
            max_length,
            pad_to_multiple_of,
            verbose,
            pad_to_max_length=pad_to_max_length,
        )
        check_token_types(return_token_type_ids, add_special_tokens)
        if return_offsets_mapping:
            raise ValueError("`return_offsets_mapping` needs text, and ids have none.")
        if return_overflowing_tokens:
            check_overflow(max_length, cut_by, pair_ids)
        cut = {"max_length": max_length, "strategy": cut_by, "stride": stride}
        fields, overflow = self._cut_and_frame(ids, pair_ids, add_special_tokens, **cut)
        if return_overflowing_tokens:
            fields.update(overflow)
        self._drop_unused(fields, return_token_type_ids, return_special_tokens_mask)
        self._eventual_warn_about_too_long_sequence(
            fields["input_ids"], max_length, verbose
        )
        fields = self._pad_prepared(
            fields,
            return_attention_mask,
            padding=pad_by,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
        )
        if return_length:
            fields["length"] = len(fields["input_ids"])
        return LEDBatchEncoding(fields, None, kind, prepend_batch_axis)

    def truncate_sequences(
        self,
        ids: Sequence[int],
        pair_ids: Sequence[int] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: str = "longest_first",
        stride: int = 0,
    ) -> tuple[list[int], list[int] | None, list[int]]:
        """Takes ids away from a sequence or a pair, at the tokenizer's truncation side.

        Args:
            ids: list of int. The first sequence.
            pair_ids: list of int. The second, if there is one.
            num_tokens_to_remove: int. How many ids have to go.
            truncation_strategy: "longest_first", "only_first", "only_second" or
                "do_not_truncate".
            stride: int. How many of the kept ids the overflowing ones repeat.

        Returns:
            (ids, pair_ids, overflowing_tokens). A strategy that cannot take away that
            many is logged and changes nothing; a pair that is cut by "longest_first"
            has no overflowing tokens.

        Raises:
            ValueError: if the strategy is unknown.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> tokenizer.truncate_sequences([4, 4, 4], num_tokens_to_remove=1)
            ([4, 4], None, [4])
        """
        check_at_least("stride", stride, 0)
        return truncate(
            list_of_ids("ids", ids),
            list_of_ids("pair_ids", pair_ids),
            num_tokens_to_remove,
            TruncationStrategy(truncation_strategy),
            stride,
            self.truncation_side,
        )

    def _cut_and_frame(
        self, ids, pair_ids, add_special_tokens, max_length, strategy, stride
    ):
        """The fields of what is kept, and of what was cut off."""
        check_at_least("stride", stride, 0)
        added = self.num_special_tokens_to_add(pair_ids is not None)
        length = len(ids) + len(pair_ids or ()) + (added if add_special_tokens else 0)
        excess = 0 if max_length is None else length - max_length
        ids, pair_ids, overflow = truncate(
            ids, pair_ids, excess, strategy, stride, self.truncation_side
        )
        frame = self._frame if add_special_tokens else join
        cut_off = {
            "overflowing_tokens": overflow,
            "num_truncated_tokens": excess,
        }
        return frame(ids, pair_ids), cut_off

    def _frame(self, ids, pair_ids):
        return {
            "input_ids": self.build_inputs_with_special_tokens(ids, pair_ids),
            "token_type_ids": self.create_token_type_ids_from_sequences(ids, pair_ids),
            "special_tokens_mask": self.get_special_tokens_mask(ids, pair_ids),
        }

    def _drop_unused(self, fields, token_type_ids, special_tokens_mask):
        if token_type_ids is None:
            token_type_ids = "token_type_ids" in self.model_input_names
        if not token_type_ids:
            del fields["token_type_ids"]
        if not special_tokens_mask:
            del fields["special_tokens_mask"]

    def _pad_prepared(self, fields, return_attention_mask, padding, **options):
        if return_attention_mask is None:
            return_attention_mask = "attention_mask" in self.model_input_names
        if padding == PaddingStrategy.DO_NOT_PAD and not return_attention_mask:
            return fields
        options["return_attention_mask"] = return_attention_mask
        return dict(self.pad(fields, padding=padding, **options))


def join(ids, pair_ids):
    """What `_frame` gives, without special tokens."""
    ids = [*ids, *(pair_ids or ())]
    nothing = [0] * len(ids)
    return {
        "input_ids": ids,
        "token_type_ids": nothing,
        "special_tokens_mask": list(nothing),
    }


def list_of_ids(name, ids):
    """Reads a list, an array or a tensor of ids as a list; None stays None."""
    ids = as_lists(ids)
    ids = ids.tolist() if hasattr(ids, "tolist") else ids  # torch's
    if ids is None and name == "pair_ids":
        return None
    if not isinstance(ids, (list, tuple)) or not all(
        isinstance(i, Integral) for i in ids
    ):
        raise TypeError(f"`{name}` must be a list of ids, got {ids!r:.60}.")
    return list(ids)


def check_token_types(return_token_type_ids, add_special_tokens):
    if return_token_type_ids and not add_special_tokens:
        raise ValueError(
            "`return_token_type_ids=True` has no meaning with "
            "`add_special_tokens=False`. Leave one of the two out."
        )


def check_overflow(max_length, strategy, pair_ids):
    """Raises ValueError where the overflow is not defined."""
    if max_length is None:
        raise ValueError("`return_overflowing_tokens=True` needs a `max_length`.")
    if strategy == LONGEST and pair_ids is not None:
        raise ValueError(
            "`return_overflowing_tokens=True` cannot go with a pair that is cut by "
            "'longest_first'. Choose `truncation='only_first'` or 'only_second'."
        )
