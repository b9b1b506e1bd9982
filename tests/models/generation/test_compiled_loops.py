"""Compiled loops: few for many lengths and numbers, and freed when they leave."""

import gc
import weakref

import numpy as np
import pytest
from tensorflow.python.eager import context

from tests.models.conftest import SMALL, make_model
from tf_led.models.generation.compiled_loops import CompiledLoops, buffer_length

IDS = [[5, 6, 7, 2], [11, 4, 3, 2]]


@pytest.fixture(scope="module")
def small():
    return make_model(**SMALL)


class Loop:
    pass


def test_the_loop_not_used_for_longest_leaves_and_is_freed():
    loops = CompiledLoops(most=2)
    first = weakref.ref(loops.get("first", Loop))
    second = loops.get("second", Loop)
    assert loops.get("first", Loop) is first()
    loops.get("third", Loop)
    assert loops.get("second", Loop) is not second and len(loops) == 2
    assert first() is None
    loops.clear()
    assert len(loops) == 0


def test_buffers_have_few_lengths_and_are_long_enough():
    lengths = [buffer_length(length, limit=1025) for length in range(1, 1026)]
    assert all(buffer >= length for length, buffer in enumerate(lengths, start=1))
    assert len(set(lengths)) == 14 and lengths[-1] == 1025


@pytest.mark.slow
def test_thirty_lengths_and_any_numbers_share_few_loops(small):
    """What is kept of them in TensorFlow stays the same when they come again."""
    position_limit = small.config.max_decoder_position_embeddings

    def run(penalty):
        return [
            small.generate(
                IDS,
                num_beams=2,
                max_length=2 + length % (position_limit - 2),
                length_penalty=penalty + length,
                repetition_penalty=1.1 + length / 10,
                min_length=1 + length % 5,
                eos_token_id=None,
            ).shape[1]
            for length in range(30)
        ]

    lengths = run(0.5)
    assert lengths == [2 + length % (position_limit - 2) for length in range(30)]
    assert len(small._compiled_generation) <= 4
    gc.collect()
    functions = len(context.context().list_function_names())
    assert run(1.5) == lengths
    gc.collect()
    assert len(context.context().list_function_names()) == functions


def test_a_shared_loop_gives_what_one_of_its_own_gives(small):
    options = {"num_beams": 3, "num_return_sequences": 3, "eos_token_id": [2, 5]}
    small.generate(IDS, max_length=16, length_penalty=-1.0, **options)
    count = len(small._compiled_generation)
    shared = small.generate(IDS, max_length=9, length_penalty=2.0, **options)
    assert len(small._compiled_generation) == count
    eager = small.generate(
        IDS, max_length=9, length_penalty=2.0, max_time=1000.0, **options
    )
    np.testing.assert_array_equal(shared, eager)
