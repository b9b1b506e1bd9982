"""Greedy search and sampling."""

import numpy as np
import pytest
import tensorflow as tf

from tests.generation.toy_step import ToyStep
from tf_led.generation.generate import generate
from tf_led.generation.options import GenerationOptions
from tf_led.generation.processors.build import build_processors
from tf_led.generation.step import StepOutput

PROBS = np.array([0.31, 0.23, 0.19, 0.13, 0.07, 0.05, 0.02])


def always(token_ids, index, ancestors, token_mask, cache):
    """A step whose tokens are drawn from PROBS, whatever came before."""
    shape = [*token_ids.shape, len(PROBS)]
    logits = tf.broadcast_to(tf.constant(np.log(PROBS), tf.float32), shape)
    return StepOutput(logits, cache, {})


def sample(seed, *, count=1999, length=4, **options):
    options = GenerationOptions(
        max_length=length, do_sample=True, num_return_sequences=count, **options
    )
    processors = build_processors(
        options, prompt_len=1, encoder_ids=None, vocab_size=len(PROBS), num_beams=1
    )
    found = generate(
        always, (), options=options, prompt_ids=[[0]], processors=processors, seed=seed
    )
    return found.sequences.numpy()[:, 1:]


def test_samples_follow_the_softmax():
    drawn = sample(3, top_k=None).ravel()
    expected = len(drawn) * PROBS
    counts = np.bincount(drawn, minlength=len(PROBS))
    # 6 degrees of freedom: 99.9 of 100 lie below 22.5.
    assert np.sum((counts - expected) ** 2 / expected) < 22.5


def test_samples_follow_the_filtered_and_tempered_softmax():
    drawn = sample(5, top_k=3, temperature=0.5).ravel()
    probs = np.where(PROBS >= 0.19, PROBS**2, 0)
    expected = len(drawn) * probs[:3] / probs.sum()
    counts = np.bincount(drawn)
    assert len(counts) == 3
    # 2 degrees of freedom: 99.9 of 100 lie below 13.8.
    assert np.sum((counts - expected) ** 2 / expected) < 13.8


def test_the_seed_decides():
    first, again, other = sample(7), sample([7, 7]), sample(11)
    np.testing.assert_array_equal(first, again)
    assert np.mean(first == other) < 0.5


def test_without_a_seed_two_calls_differ():
    assert np.mean(sample(None) == sample(None)) < 0.5


@pytest.mark.parametrize("do_sample", [False, True])
def test_finished_rows_are_padded_and_the_loop_ends_with_the_last(do_sample):
    options = GenerationOptions(
        max_length=31, eos_token_id=[2, 3], pad_token_id=1, do_sample=do_sample
    )
    step = ToyStep(31, eos_bias=2.0)
    found = generate(
        step,
        step.new_cache(tf.range(11), 1),
        options=options,
        prompt_ids=[[4]] * 11,
        seed=3,
    )
    sequences = found.sequences.numpy()
    ends = [next(t for t, x in enumerate(row) if x in (2, 3)) for row in sequences]
    assert sequences.shape[1] == max(ends) + 1 < 31
    assert len(set(ends)) > 2
    for row, end in zip(sequences, ends, strict=True):
        assert set(row[end + 1 :]) <= {1}


def test_without_an_end_token_it_goes_on_to_the_end():
    options = GenerationOptions(max_length=7)
    step = ToyStep(7, eos_bias=9.0)
    found = generate(
        step, step.new_cache([3], 1), options=options, prompt_ids=[[4]]
    ).sequences
    assert found.shape == (1, 7) and 2 in found.numpy()
