"""On a machine with a GPU: `make test-gpu`. Skipped elsewhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tests.parity.compare import FORWARD, assert_outputs_match, relative_error
from tests.parity.oracle import EVERYTHING, make_pair, run_ours, run_theirs
from tests.parity.patterns import PATTERNS, make_inputs
from tf_led.layers.encoder_layer import EncoderLayer
from tf_led.ops.attention import ATTENTION_IMPLEMENTATIONS, GROUPED_BYTES, get_attention
from tf_led.testing import tiny_config

pytestmark = pytest.mark.gpu
GPU, CPU = "/GPU:0", "/CPU:0"
LAYOUT = {"attention_window": [8, 4], "encoder_attention_heads": 4}
IMPLEMENTATIONS = ["loop", "grouped"]


@pytest.fixture(autouse=True, scope="module")
def exact_products():
    """TF32 rounds float32 factors to 11 bits: errors of 1e-3."""
    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("TensorFlow sees no GPU")
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(before)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return make_pair(LAYOUT, tmp_path_factory.mktemp("pair"))


def copy_of(pair, **options):
    """Our model with the same weights, made another way."""
    model = tf_led.TFLEDForConditionalGeneration(pair.config, **options)
    model.set_weights(pair.ours.get_weights())
    return model


def test_a_model_takes_grouped_attention_by_itself():
    assert get_attention("auto") is ATTENTION_IMPLEMENTATIONS["grouped"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_equals_pytorch(pair, pattern):
    inputs = make_inputs(pattern, 3, 29)
    assert_outputs_match(
        run_ours(pair, inputs), run_theirs(pair, inputs, **EVERYTHING), inputs
    )


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_loss_and_gradients_equal_the_cpus(pair, name, jit_compile):
    inputs = make_inputs("unequal_globals", 3, 29)
    inputs["labels"] = inputs.pop("decoder_input_ids")
    inputs = {key: tf.constant(value, tf.int32) for key, value in inputs.items()}

    def step(model):
        variables = [variable.value for variable in model.trainable_variables]
        with tf.GradientTape() as tape:
            loss = model(inputs).loss
        grads = tape.gradient(loss, variables)
        return [loss, *(tf.convert_to_tensor(g) for g in grads if g is not None)]

    with tf.device(CPU):
        expected = step(copy_of(pair, attention_implementation="loop"))
    with tf.device(GPU):
        model = copy_of(pair, attention_implementation=name)
        mine = tf.function(lambda: step(model), jit_compile=jit_compile)()
    largest = max(np.abs(grad).max() for grad in expected)
    for one, other in zip(mine, expected, strict=True):
        assert np.abs(one - other).max() <= 1e-3 * np.abs(other).max() + 1e-6 * largest


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    ("policy", "tolerance"),
    [("float32", FORWARD), ("mixed_bfloat16", 0.1), ("mixed_float16", 0.02)],
)
def test_every_precision(pair, policy, tolerance, name):
    inputs = make_inputs("unequal_globals", 3, 29)
    expected = copy_of(pair)(inputs).logits
    model = copy_of(pair, dtype=policy, attention_implementation=name)
    logits = tf.cast(tf.function(lambda: model(inputs).logits)(), tf.float32)
    assert relative_error(logits, expected) <= tolerance


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_fit_learns_in_half_precision(policy):
    """mixed_float16 scales the loss by itself."""
    model = tf_led.TFLEDForConditionalGeneration(tiny_config(), dtype=policy)
    model.compile(keras.optimizers.AdamW(3e-3))
    inputs = make_inputs("first_global", 3, 29)
    inputs["labels"] = inputs.pop("decoder_input_ids")
    data = tf.data.Dataset.from_tensors(inputs).repeat(30)
    losses = model.fit(data, epochs=2, steps_per_epoch=15, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[1] < 0.8 * losses[0]


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}], ids=["greedy", "beams"])
def test_generates_the_cpus_tokens(pair, options):
    inputs = make_inputs("unequal_globals", 3, 29)
    del inputs["decoder_input_ids"]
    options = {**options, "max_new_tokens": 11}
    with tf.device(CPU):
        expected = copy_of(pair).generate(**inputs, **options)
    mine = copy_of(pair).generate(**inputs, **options)
    np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_training_step_of_a_layer_stays_in_its_memory(policy):
    """16,384 tokens of led-base: hidden states and weights, and a step of attention."""
    layer = EncoderLayer(768, 12, 512, 3072, dtype=policy)
    layer.build()
    variables = [variable.value for variable in layer.trainable_variables]
    hidden = tf.random.normal([1, 16_384, 768], dtype=layer.compute_dtype)
    mask = tf.ones([1, 16_384], tf.bool)
    global_mask = tf.one_hot([0], 16_384) > 0

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            output = layer(hidden, mask, global_mask=global_mask).hidden
        return [tf.reduce_sum(g) for g in tape.gradient(output, variables)]

    step()
    tf.config.experimental.reset_memory_stats("GPU:0")
    before = tf.config.experimental.get_memory_info("GPU:0")["current"]
    step()
    peak = tf.config.experimental.get_memory_info("GPU:0")["peak"] - before
    width = 16_384 * 768 * 4  # bytes of one tensor of hidden states in float32
    assert peak <= GROUPED_BYTES + 40 * width
