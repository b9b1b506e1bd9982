"""Transition scores against PyTorch's, and what they add up to."""

import numpy as np
import pytest
import torch

from tests.generation.torch_oracle import generate_theirs, make_torch_led
from tf_led.generation.outputs import compute_transition_scores

pytestmark = pytest.mark.usefixtures("quiet_torch")

OPTIONS = {
    "max_new_tokens": 7,
    "return_dict_in_generate": True,
    "output_scores": True,
    "length_penalty": 0.5,
}


@pytest.fixture(scope="module")
def model():
    model = make_torch_led(7)
    with torch.no_grad():
        model.final_logits_bias[0, 2] = 4.0
    return model


def generate(model, **options):
    ids = np.arange(3, 18).reshape(3, 5)
    return generate_theirs(model, ids, np.ones_like(ids), **OPTIONS, **options)


@pytest.mark.parametrize("normalize_logits", [False, True])
@pytest.mark.parametrize("beams", [1, 4])
def test_scores_are_pytorchs(model, beams, normalize_logits):
    found = generate(model, num_beams=beams)
    indices = found.get("beam_indices")
    theirs = model.compute_transition_scores(
        found.sequences, found.scores, indices, normalize_logits=normalize_logits
    )
    scores = tuple(step.numpy() for step in found.scores)
    ours = compute_transition_scores(
        found.sequences.numpy(),
        scores,
        None if indices is None else indices.numpy(),
        normalize_logits=normalize_logits,
    )
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    stacked = compute_transition_scores(
        found.sequences.numpy(),
        np.stack(scores),
        None if indices is None else indices.numpy(),
        normalize_logits=normalize_logits,
    )
    np.testing.assert_array_equal(stacked, ours)


def test_they_add_up_to_the_scores_of_the_sequences(model):
    found = generate(model, num_beams=4, num_return_sequences=4)
    indices = found.beam_indices.numpy()
    scores = compute_transition_scores(
        found.sequences.numpy(), tuple(step.numpy() for step in found.scores), indices
    )
    lengths = np.sum(indices >= 0, axis=1)
    assert len(set(lengths)) > 1
    np.testing.assert_allclose(
        scores.numpy().sum(1) / lengths**0.5, found.sequences_scores, rtol=1e-4
    )
