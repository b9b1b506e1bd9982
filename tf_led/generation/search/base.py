"""What the decoding loop asks of a way to choose tokens."""

from typing import Any, NamedTuple


class Move(NamedTuple):
    """What a search answers to the logits of one step.

    Args:
        tokens: int32[B, K, T], with the next tokens at `index + 1`.
        ancestors: int32[B, K, T], with each slot's own number at `index + 1`.
        search: the search's own nest of tensors.
        scores: float32[B, M, V], the scores from which the tokens were chosen.
        is_open: bool[], False when everything has been generated.
        slots: int32[B, M], the slots worth recording; None for all of them, M = K.
    """

    tokens: Any
    ancestors: Any
    search: Any
    scores: Any
    is_open: Any
    slots: Any = None


class Found(NamedTuple):
    """What a search found; R = B * `num_return_sequences`.

    Args:
        sequences: int32[R, T], padded.
        length: int32[], of the longest sequence, prompt included.
        num_chosen: int32[], the steps of which scores were used.
        scores: float32[R], or None.
        origins: int32[R, T - P], see `Hypotheses`, or None.
    """

    sequences: Any
    length: Any
    num_chosen: Any
    scores: Any = None
    origins: Any = None


class Search:
    """A way to choose tokens; the base of all.

    Its attributes: `width` (int, K, hypotheses per document), `num_recorded` (int, M,
    those of them that records are kept of), `extra_reads` (int, steps it takes after
    the last token has been chosen from).
    """

    width = 1
    num_recorded = 1
    extra_reads = 0

    def start(self, tokens):
        """Makes the search's own nest of tensors.

        Args:
            tokens: int32[B, K, T] with the prompt in every slot.

        Returns:
            Nest of tensors; its shapes and dtypes stay.
        """
        raise NotImplementedError

    def observe(self, extras, state):
        """Sees a step that only read a token of the prompt.

        Args:
            extras: dict, see `StepOutput`.
            state: LoopState.

        Returns:
            The search's own nest of tensors.
        """
        del extras
        return state.search

    def advance(self, logits, extras, state):
        """Chooses the next tokens.

        Args:
            logits: float32[B, K, V].
            extras: dict, see `StepOutput`.
            state: LoopState.

        Returns:
            Move.
        """
        raise NotImplementedError

    def finish(self, state):
        """Collects what was found.

        Args:
            state: the last LoopState.

        Returns:
            Found.
        """
        raise NotImplementedError
