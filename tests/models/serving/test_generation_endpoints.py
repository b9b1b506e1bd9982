"""Every search stops where a request's own `max_new_tokens` says."""

import numpy as np
import pytest
import tensorflow as tf

from tests.models.conftest import SMALL, make_model

IDS = np.array([[0, 5, 7, 2], [0, 11, 13, 2]])
SEARCHES = {
    "greedy": {"forced_eos_token_id": 2},
    "beams to the end": {"num_beams": 3, "early_stopping": "never"},
    "groups": {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    "contrastive": {"penalty_alpha": 0.6, "top_k": 3},
    "beams, drawn": {"num_beams": 2, "do_sample": True},
}


@pytest.fixture(scope="module")
def small():
    return make_model(**SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHES)
def test_fewer_new_tokens_are_as_if_no_more_had_been_possible(small, name):
    options = SEARCHES[name]
    endpoint = small.endpoints(max_new_tokens=7, **options)["generate"]
    seed = {"seed": 5} if "do_sample" in options else {}
    fed = {key: tf.constant(value) for key, value in seed.items()}
    for count in (3, 7):
        answer = endpoint.function(
            tf.constant(IDS), max_new_tokens=tf.constant(count), **fed
        )
        expected = small.generate(IDS, max_new_tokens=count, **options, **seed)
        np.testing.assert_array_equal(answer["sequences"], expected)


@pytest.mark.slow
def test_the_models_own_config_is_the_default(small):
    names = [i.name for i in small.endpoints(max_length=5)["generate"].inputs]
    assert names[-1] == "max_new_tokens"
    endpoint = small.endpoints(max_length=5)["generate"]
    answer = endpoint.function(tf.constant(IDS))["sequences"]
    np.testing.assert_array_equal(answer, small.generate(IDS, max_length=5))
