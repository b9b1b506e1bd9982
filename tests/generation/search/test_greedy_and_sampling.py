"""Greedy search and sampling."""

import numpy as np
import pytest
import tensorflow as tf

from tests.generation.toy_step import ToyStep, generate
from tf_led.generation.loop import StepOutput
from tf_led.generation.options.build import build_processors
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.search.greedy_and_sampling import (
    add_gumbel_noise,
    apply_processors,
    is_one_of,
    make_seed,
)

PROBS = np.array([0.31, 0.23, 0.19, 0.13, 0.07, 0.05, 0.02])


def always(token_ids, index, beam_history, token_mask, cache):
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


TOKEN_PROBS = np.array([0.37, 0.23, 0.19, 0.13, 0.05, 0.03])
# The 99.9th percentile of chi-square, by degrees of freedom.
CHI_SQUARE = {5: 20.5, 29: 58.3}


def chi_square(counts, expected):
    return np.sum((counts - expected) ** 2 / expected)


def draw(num_rows, count, position=3):
    scores = tf.tile(tf.constant(np.log(TOKEN_PROBS), tf.float32)[None], [num_rows, 1])
    noisy = add_gumbel_noise(scores, make_seed(7), position)
    return tf.math.top_k(noisy, count).indices.numpy()


def test_the_largest_is_a_draw_from_the_softmax():
    counts = np.bincount(draw(20_011, 1)[:, 0], minlength=6)
    assert chi_square(counts, 20_011 * TOKEN_PROBS) < CHI_SQUARE[5]


def test_positions_are_drawn_independently():
    pairs = 6 * draw(20_011, 1)[:, 0] + draw(20_011, 1, position=4)[:, 0]
    counts = np.bincount(pairs, minlength=36)
    expected = 20_011 * np.outer(TOKEN_PROBS, TOKEN_PROBS).ravel()
    # 35 degrees of freedom: 99.9 of 100 lie below 66.6.
    assert chi_square(counts, expected) < 66.6


def test_the_two_largest_are_two_draws_without_replacement_in_order():
    first, second = draw(20_011, 2).T
    joint = np.outer(TOKEN_PROBS, TOKEN_PROBS) / (1 - TOKEN_PROBS)[:, None]
    pairs = [(a, b) for a in range(6) for b in range(6) if a != b]
    counts = np.array([np.sum((first == a) & (second == b)) for a, b in pairs])
    expected = 20_011 * np.array([joint[pair] for pair in pairs])
    assert chi_square(counts, expected) < CHI_SQUARE[29]


@pytest.mark.slow
def test_rare_tokens_of_a_large_vocabulary_keep_their_share():
    """Half a per cent, spread over 50,021 tokens of one in ten million each."""
    vocab_size, rows = 50_021, 211
    rare = 0.005 / (vocab_size - 1)
    scores = np.full([rows, vocab_size], np.log(rare), np.float32)
    scores[:, 0] = np.log(0.995)
    hits = 0
    for position in range(20):
        noisy = add_gumbel_noise(tf.constant(scores), make_seed(11), position)
        hits += int(tf.math.count_nonzero(tf.argmax(noisy, -1)))
    # Binomial of 4,220 draws: 21.1 expected, standard deviation 4.6.
    assert 21.1 - 4 * 4.6 < hits < 21.1 + 4 * 4.6


def test_what_is_forbidden_is_never_drawn():
    scores = tf.constant([[-np.inf, 0.0, -np.inf, 0.0]] * 499)
    drawn = tf.argmax(add_gumbel_noise(scores, make_seed(3), 0), -1).numpy()
    assert set(drawn) == {1, 3}


def test_noise_is_the_same_eagerly_in_a_graph_and_under_xla():
    scores = tf.zeros([3, 1009])
    expected = add_gumbel_noise(scores, make_seed(5), 2)
    assert np.isfinite(expected).all() and np.std(expected) > 1
    for jit_compile in (False, True):
        compiled = tf.function(add_gumbel_noise, jit_compile=jit_compile)
        noisy = compiled(scores, make_seed(5), tf.constant(2))
        np.testing.assert_allclose(noisy, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", [7, np.int64(7), [7, 7], tf.constant([7, 7])])
def test_an_int_is_a_pair_of_itself(seed):
    assert make_seed(seed).numpy().tolist() == [7, 7]


def test_every_int_of_64_bits_is_another_pair():
    wide = [7, -7, 2**31, -(2**31), 2**32 - 1, -1, 2**32 + 7, 2**40 + 7, 7 - 2**63]
    pairs = [tuple(make_seed(seed).numpy()) for seed in wide]
    assert len(set(pairs)) == len(wide)
    compiled = tf.function(make_seed, jit_compile=True, autograph=False)
    for seed, pair in zip(wide, pairs, strict=True):
        assert tuple(compiled(tf.constant(seed, tf.int64)).numpy()) == pair


def test_a_pair_beyond_32_bits_is_rejected():
    with pytest.raises(ValueError, match=r"32 bits, got \[1099511627776, 1\]"):
        make_seed((2**40, 1))
    in_graph = tf.function(make_seed, autograph=False)
    with pytest.raises(ValueError, match="32 bits, got int64"):
        in_graph(tf.constant([7, 7], tf.int64))


def test_no_seed_follows_tensorflows_global_seed():
    tf.random.set_seed(13)
    first, second = make_seed(None), make_seed(None)
    assert (first.numpy() != second.numpy()).any()
    tf.random.set_seed(13)
    np.testing.assert_array_equal(make_seed(None), first)


@pytest.mark.parametrize("seed", ["seven", 7.5, [7, 11, 13], [[7, 7]], 2**70])
def test_a_seed_must_be_an_int_or_a_pair(seed):
    with pytest.raises(ValueError, match="`seed` must be") as caught:
        make_seed(seed)
    assert repr(seed) in str(caught.value)


def test_processors_run_in_order_on_rows_of_beams():
    def add_row_sum(scores, tokens, length):
        sums = tf.reduce_sum(tokens[:, :length], axis=1)
        return scores + tf.cast(sums, tf.float32)[:, None]

    def double(scores, tokens, length):
        return 2 * scores

    tokens = tf.reshape(tf.range(2 * 3 * 5), [2, 3, 5])
    scores = apply_processors([add_row_sum, double], tf.ones([2, 3, 7]), tokens, 2)
    expected = 2 * (1 + tokens.numpy()[..., :2].sum(-1))
    np.testing.assert_array_equal(scores, np.repeat(expected[..., None], 7, axis=-1))


def test_membership():
    tokens = tf.constant([[3, 5], [7, 3]])
    assert is_one_of(tokens, (3, 11)).numpy().tolist() == [[True, False], [False, True]]
    assert not is_one_of(tokens, ()).numpy().any()
