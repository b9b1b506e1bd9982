import numpy as np
import pytest
import tensorflow as tf
import torch  # noqa: F401  transformers' processors need it
from transformers.generation import logits_process as theirs
from transformers.generation.logits_process import MinLengthLogitsProcessor

from tf_led.generation.processors import (
    CustomProcessor,
    MinLength,
    NoRepeatNGram,
    PrefixAllowedTokens,
    Temperature,
    as_processor,
    merge_processors,
)


def negate(input_ids, scores):
    return -scores


def test_others_follow_at_the_end():
    defaults = [MinLength(3, 1), NoRepeatNGram(2)]
    mine = Temperature(2.0)
    merged = merge_processors(defaults, [mine, negate])
    assert merged[:3] == [*defaults, mine]
    assert isinstance(merged[3], CustomProcessor) and merged[3].fn is negate
    assert merge_processors(defaults, None) == defaults


def test_one_of_the_same_type_takes_the_place_with_a_warning():
    defaults, mine = [MinLength(3, 1), NoRepeatNGram(2)], MinLength(5, 1)
    with pytest.warns(UserWarning, match="holds a MinLength, which the options"):
        merged = merge_processors(defaults, [mine])
    assert merged == [mine, defaults[1]]


def test_one_given_twice_counts_once():
    assert len(merge_processors([], [negate, negate])) == 1


@pytest.mark.parametrize(
    ("custom", "named"),
    [
        (5, "must be callable, got 5"),
        (MinLength, "holds the class MinLength, not a processor"),
        (MinLengthLogitsProcessor(3, 1), "MinLengthLogitsProcessor of transformers"),
    ],
)
def test_what_is_no_processor_is_named(custom, named):
    with pytest.raises(TypeError, match=named):
        as_processor(custom)


def test_what_is_no_list_is_named():
    with pytest.raises(TypeError, match="`logits_processor` must be a list, got <func"):
        merge_processors([], negate)


def allowed(document, tokens):
    """Depends on the document and on every token."""
    seed = [document, *np.asarray(tokens).tolist()]
    return np.random.default_rng(seed).integers(0, 29, 5).tolist()


@pytest.mark.parametrize("beams", [1, 3])
def test_allowed_tokens(agrees, beams):
    peer = theirs.PrefixConstrainedLogitsProcessor(allowed, beams)
    assert agrees(PrefixAllowedTokens(allowed, beams), peer)


def test_the_function_wins_where_every_beam_is_stuck(agrees):
    only = lambda document, tokens: [4]  # noqa: E731
    scores = np.zeros([4, 7], np.float32)
    scores[:3, 4] = -np.inf  # both beams of document 0, one of document 1
    result = PrefixAllowedTokens(only, 2)(scores, np.zeros([4, 1], np.int32), 1)
    assert result.numpy()[:, 4].tolist() == [0, 0, -np.inf, 0]
    assert np.all(np.delete(result.numpy(), 4, axis=1) == -np.inf)


@pytest.mark.parametrize("ids", [[], [7], [-1], [0.5], [[3], [29]]])
def test_bad_ids_are_named(ids):
    rule = PrefixAllowedTokens(lambda document, tokens: ids, 1)
    flat = np.ravel(ids).tolist()
    with pytest.raises(ValueError) as caught:
        rule(np.zeros([1, 5], np.float32), [[0]], 1)
    assert f"from 0 to 4, got {flat} for document 0" in str(caught.value)


def test_a_custom_processor_sees_the_filled_columns_alone():
    seen = []

    def favour_last(input_ids, scores):
        seen.append(input_ids.numpy().tolist())
        return scores.numpy() + [0, 0, 5]

    rule = CustomProcessor(favour_last)
    result = rule([[1.0, 2.0, 3.0]], [[4, 5, 9, 9]], tf.constant(2))
    assert seen == [[[4, 5]]]
    assert result.numpy().tolist() == [[1, 2, 8]] and result.dtype == tf.float32


def test_a_processor_of_the_old_form_gets_the_length_as_cur_len():
    class AsInTransformers4:
        def __call__(self, input_ids, scores, cur_len):
            assert input_ids.shape == (1, cur_len)
            return scores + cur_len

    result = CustomProcessor(AsInTransformers4())([[1.0]], [[4, 5, 9]], tf.constant(2))
    assert result.numpy().tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("returned", "named"),
    [(None, "got None"), ([[1.0, 2.0]], r"\(1, 3\), got \(1, 2\)")],
)
def test_a_custom_result_that_does_not_fit_is_named(returned, named):
    rule = CustomProcessor(lambda input_ids, scores: returned)
    with pytest.raises(ValueError, match=f"`logits_processor` .* {named}"):
        rule([[1.0, 2.0, 3.0]], [[0]], 1)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (PrefixAllowedTokens(allowed, 1), "prefix_allowed_tokens_fn"),
        (CustomProcessor(lambda input_ids, scores: scores), "logits_processor"),
    ],
)
def test_in_a_graph_they_raise_by_name(rule, name):
    assert rule.needs_python
    with pytest.raises(ValueError, match=f"`{name}` runs Python at every token"):
        tf.function(rule)(tf.zeros([1, 3]), tf.zeros([1, 2], tf.int32), 1)


@pytest.mark.parametrize(
    "make", [lambda: PrefixAllowedTokens(5, 1), lambda: CustomProcessor(5)]
)
def test_what_is_no_function_is_named(make):
    with pytest.raises(TypeError, match="must be callable, got 5"):
        make()
