"""Eager, `tf.function` and XLA give the same numbers, and lengths share a trace."""

import numpy as np
import tensorflow as tf

from tests.parity.compare import assert_outputs_match, relative_error
from tests.parity.gradients import (
    assert_gradients_match,
    gradient_tensors,
    to_theirs,
    with_labels,
)
from tests.parity.oracle import (
    EVERYTHING,
    run_eagerly,
    run_ours,
    to_arrays,
    to_tensors,
)
from tests.parity.patterns import make_inputs

TOLERANCE = 5e-5


def test_every_output_in_a_graph(get_pair):
    pair = get_pair("falling_windows")
    inputs = make_inputs("unequal_globals", 3, 37)
    eager = run_eagerly(pair, inputs, **EVERYTHING)
    assert_outputs_match(run_ours(pair, inputs), eager, inputs, TOLERANCE)


def test_xla_with_any_number_of_global_tokens(get_pair):
    """One compilation serves them all: the number is data, not shape."""
    pair = get_pair("falling_windows")
    call = tf.function(pair.ours, jit_compile=True)
    for pattern in ("no_globals", "unequal_globals", "all_global", "tokenizer_padding"):
        inputs = make_inputs(pattern, 3, 37)
        inputs.setdefault("attention_mask", np.ones_like(inputs["input_ids"]))
        compiled = to_arrays(call(to_tensors(inputs)))
        assert set(compiled) == {"logits", "encoder_last_hidden_state"}
        eager = {name: run_ours(pair, inputs)[name] for name in compiled}
        assert_outputs_match(compiled, eager, inputs, TOLERANCE)
    assert call.experimental_get_tracing_count() == 1


def test_xla_gradients(get_pair):
    pair = get_pair("one_window")
    inputs = to_tensors(with_labels(make_inputs("unequal_globals", 5, 23), seed=5))
    outputs, eager = gradient_tensors(pair.ours, inputs)
    compiled = tf.function(
        lambda inputs: gradient_tensors(pair.ours, inputs), jit_compile=True
    )
    compiled_outputs, gradients = compiled(inputs)
    assert relative_error(compiled_outputs.loss, outputs.loss) <= TOLERANCE
    assert_gradients_match(to_theirs(gradients), to_theirs(eager))


def test_ten_lengths_share_one_trace(get_pair):
    pair = get_pair("falling_windows")
    for length in [1, 2, 3, 5, 7, 11, 17, 23, 41, 48]:
        run_ours(pair, make_inputs("first_global", 3, length))
    assert pair.run.experimental_get_tracing_count() == 1
