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


@pytest.mark.slow
def test_a_graph_and_xla_give_what_eager_gives(run_all, draws):
    ways = {
        "graph": tf.function(run_all, input_signature=UNKNOWN),
        "xla": tf.function(run_all, jit_compile=True, autograph=False),
    }
    for scores, tokens, length in draws(KINDS):
        inputs = tf.constant(scores), tf.constant(tokens), tf.constant(length)
        expected = run_all(*inputs)
        for way, run in ways.items():
            assert_same(run(*inputs), expected, f"{way}, length {length}")


def test_a_saved_model_gives_what_eager_gives(run_all, draws, tmp_path):
    module = tf.Module()
    module.run = tf.function(run_all, input_signature=UNKNOWN, autograph=False)
    tf.saved_model.save(module, tmp_path, signatures=module.run)
    reloaded = tf.saved_model.load(tmp_path)
    for scores, tokens, length in draws(KINDS[:1]):
        inputs = tf.constant(scores), tf.constant(tokens), tf.constant(length)
        assert_same(reloaded.run(*inputs), run_all(*inputs), f"length {length}")


def test_loops_of_rules_inside_a_compiled_loop(encoder_ids, draws):
    """The decoding loop counts the length up, and n-grams loop over their tokens."""
    scores, tokens, _ = next(draws(KINDS[:1]))
    scores, tokens = tf.constant(scores), tf.constant(np.clip(tokens, 0, VOCAB - 1))
    rules = [p.NoRepeatNGram(3), p.EncoderNoRepeatNGram(3, encoder_ids)]
    rules.append(p.SequenceBias({(1,): 2.0, (0, 1): -np.inf}))

    def count_banned(length):
        banned = [rule(scores, tokens, length) == -np.inf for rule in rules]
        return tf.cast(tf.stack(banned), tf.int32)

    @tf.function(jit_compile=True)
    def over_all_lengths():
        return tf.while_loop(
            lambda length, _: length <= 13,
            lambda length, total: (length + 1, total + count_banned(length)),
            [tf.constant(1), tf.zeros([len(rules), *scores.shape], tf.int32)],
        )[1]

    expected = sum(count_banned(tf.constant(n)).numpy() for n in range(1, 14))
    np.testing.assert_array_equal(over_all_lengths(), expected)
    assert expected.reshape(3, -1).sum(axis=1).min() > 0


def assert_same(result, expected, what):
    for name, value in expected.items():
        np.testing.assert_allclose(
            result[name], value, rtol=1e-5, atol=1e-6, err_msg=f"{what}, rule {name}"
        )
