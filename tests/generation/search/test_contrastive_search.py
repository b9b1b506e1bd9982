"""Contrastive search against loops without a cache."""

import numpy as np
import pytest

from tests.generation.references import contrastive_search, toy_reader
from tests.generation.toy_step import ToyStep, generate
from tf_led.generation.options.generation_options import GenerationOptions

LENGTH, EOS = 11, [2, 3]


def search(documents, prompt, *, extras=("decoder_hidden_states",), **options):
    options = GenerationOptions(
        max_length=LENGTH, eos_token_id=EOS, pad_token_id=1, **options
    )
    step = ToyStep(LENGTH, eos_bias=1.0, extras=extras)
    return step, generate(
        step,
        step.new_cache(documents, options.width),
        options=options,
        prompt_ids=[prompt] * len(documents),
    )


@pytest.mark.parametrize("prompt", [[4], [4, 7, 5]])
@pytest.mark.parametrize(("alpha", "top_k"), [(0.2, 5), (0.6, 4), (0.9, 7), (0.6, 2)])
def test_sequences_equal_the_reference(alpha, top_k, prompt):
    documents = [3, 5, 17, 29, 31]
    step, found = search(documents, prompt, penalty_alpha=alpha, top_k=top_k)
    lengths = set()
    for sequence, document in zip(found.sequences.numpy(), documents, strict=True):
        expected = contrastive_search(
            toy_reader(step, document),
            prompt,
            top_k=top_k,
            alpha=alpha,
            length=LENGTH,
            eos_ids=EOS,
        )
        lengths.add(len(expected))
        padding = [1] * (len(sequence) - len(expected))
        assert sequence.tolist() == expected + padding
    assert len(lengths) > 1


def test_almost_no_penalty_is_greedy_search():
    _, found = search([3, 5], [4], penalty_alpha=1e-9, top_k=4)
    _, greedy = search([3, 5], [4])
    np.testing.assert_array_equal(found.sequences, greedy.sequences)


def test_records_are_those_of_the_chosen_candidates():
    options = {"return_dict_in_generate": True, "output_hidden_states": True}
    options |= {"output_scores": True, "output_logits": True}
    step, found = search([3, 5], [4, 7], penalty_alpha=0.6, top_k=4, **options)
    steps = found.sequences.shape[1] - 2
    assert len(found.scores) == len(found.logits) == steps
    assert len(found.decoder_hidden_states) == steps
    for row, document in enumerate([3, 5]):
        read, sequence = toy_reader(step, document), found.sequences.numpy()[row]
        for number in range(steps):
            _, hidden = read(sequence[: number + 2])
            kept = found.decoder_hidden_states[number][-1][row, -1]
            np.testing.assert_allclose(kept, hidden, rtol=1e-5)
            log_probs, _ = read(sequence[: number + 2])
            logits = found.logits[number][row].numpy()
            np.testing.assert_allclose(
                logits - np.log(np.sum(np.exp(logits))), log_probs, rtol=1e-4, atol=1e-5
            )
            if sequence[number + 2] in EOS:
                break


def test_the_step_must_return_hidden_states():
    with pytest.raises(ValueError, match=r"only \['cross_attentions'\]"):
        search([3], [4], extras=["cross_attentions"], penalty_alpha=0.6, top_k=4)


def test_more_candidates_than_tokens_are_rejected():
    """With the message of whoever set `top_k`, not of an operation within."""
    step = ToyStep(7, extras=["decoder_hidden_states"])
    options = GenerationOptions(max_length=7, penalty_alpha=0.6, top_k=1000)
    with pytest.raises(ValueError, match="`top_k` is 1000, .* vocabulary has"):
        generate(step, step.new_cache([3], 1000), options=options, prompt_ids=[[4]])
