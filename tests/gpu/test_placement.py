"""What forward, a training step and decoding do on a GPU, counted without one."""

import pytest
import tensorflow as tf

import tf_led
from tests.gpu.placement import count, has_gpu_kernels
from tf_led.ops import control_flow
from tf_led.testing import tiny_config
from tf_led.training import AdamW
from tf_led.training.accumulation import build_optimizer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not has_gpu_kernels(), reason="this TensorFlow is no CUDA build"
    ),
]
TOKENS, TARGET = 16_384, 256
# led-base's attention; two layers each, and little beside it.
SIZES = {
    "d_model": 768,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 67,
    "decoder_ffn_dim": 67,
    "attention_window": 1024,
    "max_encoder_position_embeddings": TOKENS,
    "max_decoder_position_embeddings": 1024,
}
# Limits a little above what was reached.
LAUNCHES_OF_FORWARD = {"float32": 620, "mixed_bfloat16": 680, "mixed_float16": 720}
LAUNCHES_OF_TRAINING = {
    "float32": 2600,
    "mixed_bfloat16": 3400,
    "mixed_float16": 4200,
}
LAUNCHES_OF_DECODING = {1: 84, 4: 88}
# In half precision norms, and the softmax of float16, are computed in float32.
MORE_CASTS = {"float32": 0, "mixed_bfloat16": 20, "mixed_float16": 28}
# Two numbers for each hypothesis, which beam search ranks on the host.
SCORES = {
    "TopKV2->Reshape/float",
    "TopKV2->EnsureShape/float",
    "Identity->ConcatV2/float",
    "Identity->GatherV2/float",
    "GatherV2->EnsureShape/float",
}
INTEGERS = {"int32", "bool"}
STEPS = 5  # in which 1 GB handles the 128 blocks of 16,384 tokens


@pytest.fixture(autouse=True)
def beside_a_gpu(monkeypatch):
    monkeypatch.setattr(control_flow, "_has_gpu", lambda: True)


def make_model(policy):
    return tf_led.TFLEDForConditionalGeneration(
        tiny_config(**SIZES), dtype=policy, attention_implementation="grouped"
    )


def counts_of(function, *lengths):
    specs = [tf.TensorSpec([1, length], tf.int32) for length in lengths]
    graph = tf.function(function, autograph=False).get_concrete_function(*specs).graph
    return count(graph, is_taken=lambda name: "branch1" not in name)


def launches(counts, steps):
    """Of all of it, every loop run `steps` times."""
    return sum(counts[loops].totals[0] * steps ** len(loops) for loops in counts)


def assert_stays_on_the_gpu(counts):
    """No op for which there is no GPU kernel, and no copy in a loop."""
    for loops, part in counts.items():
        assert not part.cpu_only, (loops, part.cpu_only)
        if loops:
            assert not part.to_host and not part.from_host, part


@pytest.mark.parametrize("policy", LAUNCHES_OF_FORWARD)
def test_forward(policy):
    model = make_model(policy)

    def forward(ids, mask, global_mask, decoder_ids):
        return model(
            ids,
            attention_mask=mask,
            global_attention_mask=global_mask,
            decoder_input_ids=decoder_ids,
        ).logits

    counts = counts_of(forward, TOKENS, TOKENS, TOKENS, TARGET)
    assert_stays_on_the_gpu(counts)
    assert launches(counts, STEPS) <= LAUNCHES_OF_FORWARD[policy]


# Of the three, the one with the most launches is compiled by every run.
@pytest.mark.parametrize(
    "policy",
    [
        pytest.param("float32", marks=pytest.mark.large),
        pytest.param("mixed_bfloat16", marks=pytest.mark.large),
        "mixed_float16",
    ],
)
def test_a_training_step(policy):
    model = make_model(policy)
    model.compile(AdamW(3e-5, global_clipnorm=1.0))
    build_optimizer(model.optimizer, model.trainable_variables)

    def step(ids, mask, global_mask, labels):
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "global_attention_mask": global_mask,
            "labels": labels,
        }
        return model.train_step((inputs,))

    counts = counts_of(step, TOKENS, TOKENS, TOKENS, TARGET)
    assert_stays_on_the_gpu(counts)
    assert launches(counts, STEPS) <= LAUNCHES_OF_TRAINING[policy]


@pytest.mark.parametrize("num_beams", LAUNCHES_OF_DECODING)
@pytest.mark.parametrize("policy", MORE_CASTS)
def test_a_decoding_step(policy, num_beams):
    model = make_model(policy)

    def generate(ids, mask, global_mask):
        return model.generate(
            ids,
            attention_mask=mask,
            global_attention_mask=global_mask,
            max_new_tokens=64,
            num_beams=num_beams,
        )

    counts = counts_of(generate, 512, 512, 512)
    (step,) = [
        part
        for loops, part in counts.items()
        if len(loops) == 1 and "encoder" not in loops[0]
    ]
    # Nothing but numbers of tokens, flags and scores: no cache.
    assert not step.cpu_only
    copies = {copy for copy in (*step.to_host, *step.from_host)}
    floats = {copy for copy in copies if copy.rpartition("/")[2] not in INTEGERS}
    assert floats <= (SCORES if num_beams > 1 else set())
    limit = LAUNCHES_OF_DECODING[num_beams] + MORE_CASTS[policy]
    assert step.totals[0] <= limit
