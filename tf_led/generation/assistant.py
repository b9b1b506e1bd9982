"""Drafts of the next tokens that a smaller model writes."""

import tensorflow as tf

from tf_led.generation.loop import call_step, with_shape_of


class AssistantDrafts:
    """Lets a smaller model write the next tokens, one after another, for a larger one.

    A wrong draft costs time and changes no token, as with `PromptLookup`. Its cache is
    never turned back: what it wrote after a wrong draft is overwritten.

    Args:
        num_tokens: int, how many tokens to propose.
        step: the smaller model's step function, see `StepOutput`; one that
            `reads_several`.

    Source: assisted generation (Leviathan et al. 2023, section 2, with the most likely
    token as draft); in transformers 5.24 `AssistedCandidateGenerator`.
    """

    def __init__(self, num_tokens, step):
        self.num_tokens, self._step = num_tokens, step
        self._beam_history, self._token_mask = None, None

    def start(self, tokens, beam_history, token_mask, prompt_len):
        """Reads the decoder prompt but for its last token.

        Args:
            tokens: int32[B, K, T], the sequences, which begin with the prompt.
            beam_history: int32[B, K, T], see `StepOutput`; without beams it stays.
            token_mask: bool[B, T], see `StepOutput`.
            prompt_len: int, P.

        Returns:
            The cache, a nest of tensors, which `propose` takes and returns.
        """
        self._beam_history, self._token_mask = beam_history, token_mask
        _, width, length = tokens.shape
        cache = self._step.make_cache(width, length, prompt_len)
        if not isinstance(self._step.cache_length(cache), int):  # one that can grow
            cache = self._step.grow(cache, tf.constant(length))
        if prompt_len > 1:
            before = tokens[:, :, : prompt_len - 1]
            _, cache = self._read(before, tf.constant(0), tokens, cache)
        return cache

    def propose(self, tokens, index, cache):
        """Proposes tokens for the positions after `index`.

        Args:
            tokens: int32[B, K, T], the sequences.
            index: int32[], the position of their last known token.
            cache: what `start` or the call before returned.

        Returns:
            int32[B, K, num_tokens], and the cache.
        """
        width, places = tokens.shape[1], tf.range(self.num_tokens + 1)

        def write(number, newest, drafts, kept):
            logits, read = self._read(newest, index + number, tokens, kept)
            newest = tf.argmax(logits, axis=2, output_type=tf.int32)
            drafts = tf.where(places == number, newest[..., None], drafts)
            return (
                number + 1,
                newest,
                drafts,
                tf.nest.map_structure(with_shape_of, read, kept),
            )

        newest = tf.gather(tokens, index, axis=2)
        drafts = tf.zeros([tf.shape(tokens)[0], width, self.num_tokens + 1], tf.int32)
        # The last draft is read as well: it may prove right, and be known from then on.
        _, _, drafts, cache = tf.while_loop(
            lambda number, *_: number <= self.num_tokens,
            write,
            (tf.constant(0), newest, drafts, cache),
            parallel_iterations=1,
        )
        return drafts[:, :, :-1], cache

    def _read(self, token_ids, index, tokens, cache):
        out = call_step(
            self._step,
            token_ids=token_ids,
            index=index,
            tokens=tokens,
            beam_history=self._beam_history,
            token_mask=self._token_mask,
            cache=cache,
        )
        return out.logits, out.cache
