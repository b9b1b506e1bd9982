"""The interface between the decoding loop and a search."""

from typing import Any, NamedTuple


class StepResult(NamedTuple):
    """What a search makes of the logits of one step.

    Args:
        tokens: int32[B, K, T], with the next tokens at `index + 1`.
        beam_history: int32[B, K, T], with each beam's own index at `index + 1`.
        search: the search's own nest of tensors.
        scores: float32[B, M, V], the scores from which the tokens were chosen.
        is_open: bool[], False when everything has been generated.
        beam_index: int32[B, M], the beams whose step outputs are collected; None for
            all of them, M = K.
    """

    tokens: Any
    beam_history: Any
    search: Any
    scores: Any
    is_open: Any
    beam_index: Any = None


class SearchResult(NamedTuple):
    """What a search found; R = B * `num_return_sequences`.

    Args:
        sequences: int32[R, T], padded.
        length: int32[], of the longest sequence, prompt included.
        num_chosen: int32[], the steps of which scores were used.
        scores: float32[R], or None.
        beam_indices: int32[R, T - P], see `Hypotheses`, or None.
        step_outputs: dict of tensors with one entry per step: "scores" and "logits"
            float32[T - P, B, K, V], extras float32[T, L, B, K, ...].
    """

    sequences: Any
    length: Any
    num_chosen: Any
    scores: Any = None
    beam_indices: Any = None
    step_outputs: Any = None


class Search:
    """A way to choose tokens; the base of all.

    Its attributes: `width` (int, K, hypotheses per document), `num_kept` (int, M, how
    many of them step outputs are collected of), `extra_reads` (int, steps that it takes
    after the last token was chosen).
    """

    width = 1
    num_kept = 1
    extra_reads = 0

    def start(self, tokens):
        """Makes the search's own nest of tensors.

        Args:
            tokens: int32[B, K, T] with the prompt in every beam.

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
            StepResult.
        """
        raise NotImplementedError

    def finish(self, state):
        """Collects what was found.

        Args:
            state: the last LoopState.

        Returns:
            SearchResult.
        """
        raise NotImplementedError
