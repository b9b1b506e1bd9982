"""Group beam search against lists and loops."""

import itertools

import numpy as np
import pytest

from tests.generation.references import group_beam_search, toy_reader
from tests.generation.toy_step import ToyStep, generate
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.outputs import compute_transition_scores
from tf_led.generation.processors import ForcedBOS, HammingDiversity, LogitNormalization

LENGTH, EOS = 9, [2, 3]


def search(documents, *, eos_ids=EOS, more=(), **options):
    options = GenerationOptions(
        max_length=LENGTH,
        eos_token_id=eos_ids,
        pad_token_id=1,
        return_dict_in_generate=True,
        output_scores=True,
        **options,
    )
    step = ToyStep(LENGTH, eos_bias=1.5)
    diversity = HammingDiversity(
        options.diversity_penalty, options.num_beams, options.num_beam_groups
    )
    return step, generate(
        step,
        step.new_cache(documents, options.width),
        options=options,
        prompt_ids=[[4]] * len(documents),
        processors=[diversity, *more],
    )


EARLY, PENALTIES = [False, True, "never"], [-1.0, 0.0, 0.5, 2.0]
# What ends a text does not know how many groups there are.
CASES = [(4, 2, *case) for case in itertools.product(PENALTIES, EARLY)]
CASES += [(6, 3, -1.0, True), (6, 3, 0.0, "never"), (6, 3, 2.0, False)]
CASES += [(3, 3, -1.0, "never"), (3, 3, 0.5, False), (3, 3, 2.0, True)]


@pytest.mark.slow
@pytest.mark.parametrize(("beams", "groups", "length_penalty", "early"), CASES)
def test_sequences_and_scores_equal_the_reference(beams, groups, length_penalty, early):
    documents = [3, 5, 17]
    step, found = search(
        documents,
        num_beams=beams,
        num_beam_groups=groups,
        diversity_penalty=1.3,
        length_penalty=length_penalty,
        early_stopping=early,
        num_return_sequences=beams,
    )
    for row, document in enumerate(documents):
        expected = group_beam_search(
            toy_reader(step, document),
            [4],
            beams=beams,
            groups=groups,
            penalty=1.3,
            length=LENGTH,
            eos_ids=EOS,
            length_penalty=length_penalty,
            early=early,
        )[:beams]
        own = slice(row * beams, (row + 1) * beams)
        np.testing.assert_allclose(
            found.sequences_scores[own], [score for score, _ in expected], rtol=1e-4
        )
        for sequence, (_, history) in zip(
            found.sequences.numpy()[own], expected, strict=True
        ):
            # Whatever ended a text, the first end token stands for it.
            history = [2 if token in EOS else token for token in history]
            padding = [1] * (len(sequence) - len(history))
            assert sequence.tolist() == history + padding


def test_groups_differ_where_beams_do_not():
    def first_tokens(penalty):
        options = {"num_beams": 4, "num_beam_groups": 4, "num_return_sequences": 4}
        _, found = search([3], diversity_penalty=penalty, eos_ids=None, **options)
        return set(found.sequences.numpy()[:, 1])

    assert len(first_tokens(1e-6)) == 1
    assert len(first_tokens(50.0)) == 4


def test_diversity_comes_after_all_other_processors():
    """As in PyTorch: neither a forced token nor a renormalisation takes it back."""
    options = {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.7}
    _, found = search([3], more=[ForcedBOS(11), LogitNormalization()], **options)
    np.testing.assert_allclose(found.scores[0][:, 11], [0, 0, -1.4, -1.4], atol=1e-6)


def test_beam_indices_lead_to_the_scores():
    _, found = search(
        [3, 5],
        eos_ids=2,
        num_beams=6,
        num_beam_groups=3,
        num_return_sequences=6,
        diversity_penalty=1.3,
        length_penalty=0.0,
    )
    summed = compute_transition_scores(
        found.sequences, found.scores, found.beam_indices
    ).numpy()
    np.testing.assert_allclose(summed.sum(1), found.sequences_scores, rtol=1e-4)
    assert len(np.unique(np.sum(found.beam_indices.numpy() >= 0, axis=1))) > 1
