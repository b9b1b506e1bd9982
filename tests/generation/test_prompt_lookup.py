"""Drafts from the document: where they come from, and that they change no token."""

import numpy as np
import pytest
import tensorflow as tf

from tests.generation.toy_step import ToyStep, generate
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.options.resolve import resolve_options
from tf_led.generation.prompt_lookup import PromptLookup

DOCUMENT = tf.constant([[0, 5, 7, 9, 5, 8, 2]])


@pytest.mark.parametrize(
    ("written", "size", "expected"),
    [
        ([2, 5, 7], 2, [9, 5, 8]),  # "5 7" in the document
        ([2, 9, 5], 2, [8, 2, 2]),  # "9 5", the longer match, before the first "5"
        ([2, 9, 5], 1, [7, 9, 5]),  # "5" where it is first
        ([2, 4, 3, 4], 2, [3, 4, 0]),  # "4" in what was written
    ],
)
def test_what_followed_the_longest_match_is_proposed(written, size, expected):
    tokens = tf.constant([[written + [0] * (7 - len(written))]])
    lookup = PromptLookup(3, document_ids=DOCUMENT, max_ngram_size=size)
    found, _ = lookup.propose(tokens, tf.constant(len(written) - 1))
    assert found.numpy().tolist() == [[expected]]


def test_each_document_has_its_own_drafts_and_needs_no_ids():
    tokens = tf.constant([[[3, 5, 0, 0]], [[3, 6, 0, 0]]])
    documents = tf.constant([[5, 7, 1], [8, 6, 9]])
    lookup = PromptLookup(1, document_ids=documents)
    found, _ = lookup.propose(tokens, tf.constant(1))
    assert found.numpy().tolist() == [[[7]], [[9]]]
    found, _ = PromptLookup(2).propose(tokens, tf.constant(1))
    assert found.shape == [2, 1, 2]


class SeveralStep(ToyStep):
    """A ToyStep that reads several tokens in one call, and counts the calls."""

    reads_several = True

    def __init__(self, length, **kwargs):
        super().__init__(29, **kwargs)
        # The same toy for buffers of every length.
        self.length, self.factors = length, self.factors[:length]
        self.calls = 0

    def __call__(self, token_ids, index, beam_history, token_mask, cache):
        self.calls += 1
        read = super().__call__
        if token_ids.shape.rank == 2:
            return read(token_ids, index, beam_history, token_mask, cache)
        outs = []
        for number in range(token_ids.shape[2]):
            out = read(
                token_ids[:, :, number],
                tf.minimum(index + number, self.length - 1),
                beam_history,
                token_mask,
                cache,
            )
            cache = out.cache
            outs.append(out)
        extras = {
            name: tuple(
                tf.concat(layers, axis=-2) for layers in zip(*parts, strict=True)
            )
            for name, *parts in zip(
                outs[0].extras, *(out.extras.values() for out in outs), strict=True
            )
        }
        return out._replace(logits=tf.stack([o.logits for o in outs], 2), extras=extras)


def run(drafts, num_drafts, prompt, documents, **options):
    options = {"eos_token_id": [2, 3], "pad_token_id": 1, "max_length": 13, **options}
    options = GenerationOptions(
        return_dict_in_generate=True,
        output_scores=True,
        output_logits=True,
        output_hidden_states=True,
        prompt_lookup_num_tokens=num_drafts,
        **options,
    )
    step = SeveralStep(
        options.buffer_length, eos_bias=1.0, extras=["decoder_hidden_states"]
    )
    found = generate(
        step,
        step.new_cache(documents, options.width),
        options=options,
        prompt_ids=prompt,
        drafts=drafts,
        seed=5,
    )
    return found, step.calls


class Oracle:
    """Proposes what will be chosen, but for every third token."""

    def __init__(self, num_tokens, sequences):
        self.num_tokens = num_tokens
        padding = [[0, 0], [0, 29]]
        self.sequences = tf.pad(sequences, padding, constant_values=1)[:, None]

    def start(self, *given):
        return ()

    def propose(self, tokens, index, kept):
        places = index + 1 + tf.range(self.num_tokens)
        right = tf.gather(self.sequences, places, axis=2)
        return tf.where(places % 3 == 2, 0, right), kept


@pytest.mark.parametrize("prompt", [[[4], [4]], [[4, 7, 5], [4, 8, 5]]])
@pytest.mark.parametrize("do_sample", [False, True])
@pytest.mark.parametrize("kind", ["lookup", "oracle"])
def test_drafts_change_no_token_and_no_score(kind, do_sample, prompt):
    documents = [3, 17]
    expected, calls = run(None, None, prompt, documents, do_sample=do_sample)
    drafts = PromptLookup(4, document_ids=tf.constant([[5, 7, 9], [11, 4, 6]]))
    if kind == "oracle":
        drafts = Oracle(4, expected.sequences)
    found, fewer = run(drafts, 4, prompt, documents, do_sample=do_sample)
    np.testing.assert_array_equal(found.sequences, expected.sequences)
    for name in ("scores", "logits", "decoder_hidden_states"):
        ours, theirs = (tf.nest.flatten(struct[name]) for struct in (found, expected))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert fewer <= calls
    if kind == "oracle":
        assert fewer < calls


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_beams": 3}, "`prompt_lookup_num_tokens` is 5, .* beam search"),
        (
            {"penalty_alpha": 0.6, "top_k": 4},
            "contrastive search .penalty_alpha=0.6",
        ),
        ({"use_cache": False}, "is 5, which needs `use_cache=True`"),
        ({"max_matching_ngram_size": 0}, "`max_matching_ngram_size` must .* got 0"),
    ],
)
def test_what_drafts_do_not_go_with_is_named(given, message):
    given = {"prompt_lookup_num_tokens": 5, "max_length": 9, **given}
    with pytest.raises(ValueError, match=message):
        resolve_options(overrides={"bos_token_id": 0, **given})
