"""What XLA makes of forward, a training step and decoding: read from its program.

Where it does not know how often a loop runs, a GPU asks the host before every step. And
every branch is compiled, that for a document of global tokens alone among them.
"""

import math
import re

import pytest
import tensorflow as tf

import tf_led
from tf_led.testing import tiny_config
from tf_led.training import AdamW
from tf_led.training.accumulation import build_optimizer

TOKENS, TARGET = 1021, 7
# All scores of all tokens would be 12 MB.
BOUND, BYTES = "grouped:1MB", 1 << 20
SIZES = {
    "encoder_layers": 1,
    "decoder_layers": 1,
    "attention_window": 32,
    "max_encoder_position_embeddings": 1024,
}
BYTES_OF = {"f64": 8, "s64": 8, "u64": 8, "f16": 2, "bf16": 2, "pred": 1, "s8": 1}


@pytest.fixture(scope="module")
def model():
    model = tf_led.TFLEDForConditionalGeneration(
        tiny_config(**SIZES), attention_implementation=BOUND
    )
    model.compile(AdamW(3e-5, global_clipnorm=1.0))
    build_optimizer(model.optimizer, model.trainable_variables)
    return model


def named(ids, mask, global_mask, target, name):
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": global_mask,
        name: target,
    }


def program_of(function):
    """The HLO of a function of ids, mask, global mask and target ids."""
    specs = [tf.TensorSpec([1, n], tf.int32) for n in [TOKENS] * 3 + [TARGET]]
    compiled = tf.function(function, jit_compile=True, autograph=False)
    return compiled.experimental_get_compiler_ir(*specs)(stage="optimized_hlo")


def loops_of(hlo):
    """How many loops there are, and of how many XLA does not know the length."""
    lines = [line for line in hlo.splitlines() if re.search(r" while\(", line)]
    return len(lines), sum("known_trip_count" not in line for line in lines)


def largest_array(hlo):
    """Bytes."""
    shapes = re.findall(r"\b(pred|bf16|[fsu]\d+)\[([\d,]+)\]", hlo)
    return max(
        BYTES_OF.get(kind, 4) * math.prod(map(int, sizes.split(",")))
        for kind, sizes in shapes
    )


def assert_bounded_with_known_loops(hlo, least):
    count, unknown = loops_of(hlo)
    assert count >= least and unknown == 0
    assert largest_array(hlo) <= BYTES


def test_forward(model):
    hlo = program_of(lambda *inputs: model(named(*inputs, "decoder_input_ids")).logits)
    assert_bounded_with_known_loops(hlo, least=2)


@pytest.mark.slow
def test_a_training_step(model):
    hlo = program_of(lambda *inputs: model.train_step((named(*inputs, "labels"),)))
    assert_bounded_with_known_loops(hlo, least=4)


@pytest.mark.parametrize("num_beams", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_decoding_waits_once_a_token(model, num_beams):
    """Whether there is another token is data: of that loop nobody knows the length."""
    prompt = tf.constant([[2, 5, 7]])

    def generate(ids, mask, global_mask, _):
        return model.generate(
            ids,
            attention_mask=mask,
            global_attention_mask=global_mask,
            decoder_input_ids=prompt,
            max_new_tokens=11,
            num_beams=num_beams,
        )

    hlo = program_of(generate)
    assert loops_of(hlo)[1] == 1
    assert largest_array(hlo) <= BYTES
