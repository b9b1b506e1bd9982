"""One run of all processors: eagerly, in a graph, compiled, from a SavedModel."""

import numpy as np
import pytest
import tensorflow as tf

from tf_led.generation import processors as p

VOCAB = 29
KINDS = ("plain", "tied", "banned", "hopeless")
UNKNOWN = (
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([], tf.int32),
)


def every_graph_processor(encoder_ids):
    number = tf.constant
    rules = [
        p.Processor(),
        p.SequenceBias({(1,): 2.0, (0, 1): -1.0, (2, 0, 1): -np.inf, (1, 0): 3.0}),
        p.EncoderRepetitionPenalty(1.3, encoder_ids, VOCAB),
        p.RepetitionPenalty(1.3, np.array([0, 2])),
        p.NoRepeatNGram(2),
        p.NoRepeatNGram(4),
        p.EncoderNoRepeatNGram(3, encoder_ids),
        p.NoBadWords([[3], [0, 1], [1, 1, 0]]),
        p.MinLength(number(7), [3, 5]),
        p.MinNewTokens(2, 5, 5),
        p.ForcedBOS(5),
        p.ForcedEOS(number(8), [3, 5]),
        p.InfNanRemove(),
        p.ExponentialDecayLength((1, 1.5), [3, 5], 2),
        p.SuppressTokens([2, 23]),
        p.SuppressTokensAtBegin([2, 23], 3),
        p.HammingDiversity(0.7, 6, 2).bind(encoder_ids[:, :6], 1),
        p.Temperature(number(0.7)),
        p.TopH(0.4),
        p.TopK(5),
        p.TopK(number(5)),
        p.TopP(0.83),
        p.TopP(number(0.4), 2),
        p.MinP(0.1, 2),
        p.Typical(0.4, 2),
        p.Epsilon(0.03),
        p.Eta(0.3),
        p.LogitNormalization(),
    ]
    assert not any(getattr(rule, "needs_python", False) for rule in rules)
    return rules


@pytest.fixture
def run_all(encoder_ids):
    rules = every_graph_processor(encoder_ids)

    def run(scores, tokens, length):
        return {f"{i}": rule(scores, tokens, length) for i, rule in enumerate(rules)}

    return run


def test_a_graph_and_xla_give_what_eager_gives(run_all, draws):
    ways = {
        "graph": tf.function(run_all, input_signature=UNKNOWN),
        "xla": tf.function(run_all, jit_compile=True),
    }
    for scores, tokens, length in draws(KINDS):
        inputs = tf.constant(scores), tf.constant(tokens), tf.constant(length)
        expected = run_all(*inputs)
        for way, run in ways.items():
            assert_same(run(*inputs), expected, f"{way}, length {length}")


def test_a_saved_model_gives_what_eager_gives(run_all, draws, tmp_path):
    module = tf.Module()
    module.run = tf.function(run_all, input_signature=UNKNOWN)
    tf.saved_model.save(module, tmp_path, signatures=module.run)
    reloaded = tf.saved_model.load(tmp_path)
    for scores, tokens, length in draws(KINDS[:1]):
        inputs = tf.constant(scores), tf.constant(tokens), tf.constant(length)
        assert_same(reloaded.run(*inputs), run_all(*inputs), f"length {length}")


def test_inside_a_compiled_loop(run_all, draws):
    """The length is then a tensor that the loop counts up."""
    scores, tokens, _ = next(draws(KINDS[:1]))
    tokens = tf.constant(np.clip(tokens, 0, VOCAB - 1))

    @tf.function(jit_compile=True)
    def sum_of_all_lengths():
        def step(length, total):
            every = run_all(tf.constant(scores), tokens, length)
            finite = [tf.where(tf.math.is_finite(x), x, 0.0) for x in every.values()]
            return length + 1, total + tf.stack(finite[:-1])

        start = tf.zeros([27, *scores.shape])
        return tf.while_loop(lambda n, _: n <= 13, step, [tf.constant(1), start])[1]

    expected = 0
    for length in range(1, 14):
        every = list(run_all(tf.constant(scores), tokens, tf.constant(length)).values())
        expected += np.array([np.where(np.isfinite(x), x, 0) for x in every[:-1]])
    # `InfNanRemove` sums up numbers near the largest float; relative errors only.
    np.testing.assert_allclose(sum_of_all_lengths(), expected, rtol=1e-4, atol=1e-4)


def assert_same(result, expected, what):
    for name, value in expected.items():
        np.testing.assert_allclose(
            result[name], value, rtol=1e-5, atol=1e-6, err_msg=f"{what}, rule {name}"
        )
