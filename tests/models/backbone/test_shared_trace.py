import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.conftest import make_model
from tests.ops.graph_memory import kept_for_gradient
from tf_led.layers.encoder_layer import EncoderLayer
from tf_led.models.backbone.layer_stack import SharedTrace, kind_of

SIZES = {"dim": 6, "num_heads": 2, "ffn_dim": 11, "activation": "gelu"}


def make_layers(count, radius=3, **options):
    layers = [EncoderLayer(radius=radius, **SIZES, **options) for _ in range(count)]
    for layer in layers:
        layer.build()
    return layers


def run_layer(index, layer, hidden, seed):
    mask = tf.ones(tf.shape(hidden)[:2], tf.bool)
    return layer(hidden, mask, seed=seed).hidden


def run_all(layers, hidden, run):
    """The hidden states and the gradients of every weight."""
    variables = [v.value for layer in layers for v in layer.trainable_variables]
    with tf.GradientTape() as tape:
        for index, layer in enumerate(layers):
            hidden = run(index, layer, hidden, seed=tf.constant([index, 7]))
        loss = tf.reduce_sum(hidden * hidden)
    return hidden, [g for g in tape.gradient(loss, variables) if g is not None]


# XLA draws other random numbers.
@pytest.mark.slow
@pytest.mark.parametrize(("jit_compile", "dropout_rate"), [(False, 0.5), (True, 0.0)])
def test_each_layer_has_its_own_weights_and_one_trace(jit_compile, dropout_rate):
    layers, traced = make_layers(3, dropout_rate=dropout_rate), []

    def traced_layer(index, *args, **kwargs):
        traced.append(index)
        return run_layer(index, *args, **kwargs)

    hidden = tf.constant(
        np.random.default_rng(0).standard_normal([2, 13, 6]), "float32"
    )

    @tf.function(jit_compile=jit_compile)
    def shared(hidden):
        return run_all(layers, hidden, SharedTrace(traced_layer))

    found, gradients = shared(tf.constant(hidden))
    expected, expected_gradients = run_all(layers, hidden, run_layer)
    assert traced == [0]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert len(gradients) == len(expected_gradients) > 30
    for one, other in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_what_a_trace_depends_on_makes_another_kind():
    first, same = map(kind_of, make_layers(2))
    assert first == same
    for options in (
        {"radius": 5},
        {"dropout_rate": 0.1},
        {"attention_dropout": 0.1},
        {"dtype": "bfloat16"},
    ):
        [other] = make_layers(1, **options)
        assert kind_of(other) != first
    [changed] = make_layers(1)
    changed.fc1.enable_lora(2)
    assert kind_of(changed) != first
    [frozen] = make_layers(1)
    frozen.self_attn.trainable = False
    assert kind_of(frozen) != first


def test_precision_is_that_of_each_layer():
    """Weights reach the trace as they are stored, and are cast within."""
    layers = make_layers(2, dtype=keras.DTypePolicy("mixed_bfloat16"))
    hidden = tf.cast(tf.fill([1, 3, 6], 0.5), tf.bfloat16)

    @tf.function
    def shared(hidden):
        run = SharedTrace(run_layer)
        return run(1, layers[1], run(0, layers[0], hidden, seed=None), seed=None)

    expected = run_layer(1, layers[1], run_layer(0, layers[0], hidden, None), None)
    np.testing.assert_allclose(
        tf.cast(shared(hidden), tf.float32), tf.cast(expected, tf.float32), atol=0.05
    )


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_a_graph_traces_one_layer_of_a_kind(inputs, monkeypatch, mode):
    """Without a gradient too; quantized layers read what stands for their weights."""
    model, traced = make_model(attention_window=14), []
    if mode == "int8":
        model.quantize("int8")
    expected, call = model(**inputs).logits, EncoderLayer.call

    def counted(layer, *args, **kwargs):
        traced.append(layer.name)
        return call(layer, *args, **kwargs)

    monkeypatch.setattr(EncoderLayer, "call", counted)
    found = tf.function(lambda: model(**inputs, use_cache=False).logits)()
    assert len(traced) == 1 < model.config.encoder_layers
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_layer_is_optimised_once_for_all_of_its_kind(jit_compile):
    """Outside XLA it stays a function of its own; XLA puts all in one program."""
    layers = make_layers(2)

    @tf.function(jit_compile=jit_compile)
    def shared(hidden):
        run = SharedTrace(run_layer)
        return run(1, layers[1], run(0, layers[0], hidden, seed=None), seed=None)

    graph = shared.get_concrete_function(tf.TensorSpec([1, 3, 6])).graph
    calls = [op for op in graph.get_operations() if op.type.endswith("PartitionedCall")]
    assert len({op.get_attr("f").name for op in calls}) == 1 < len(calls)
    function = graph._get_function(calls[0].get_attr("f").name)
    assert ("_noinline" in function.cached_definition.attr) == (not jit_compile)


def test_a_layer_keeps_little_for_its_gradient():
    """Of width D: the input, two updates, the first norm's result, and the context.

    The last is seen as heads. Of width F: what is activated. Queries, keys and values
    are kept as blocks.
    """
    [layer] = make_layers(1, dropout_rate=0.1)

    @tf.function
    def gradients(hidden):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            run = SharedTrace(run_layer)
            result = run(0, layer, hidden, seed=tf.constant([3, 5]))
        return tape.gradient(result, hidden)

    graph = gradients.get_concrete_function(tf.TensorSpec([1, 13, 6])).graph
    kept = kept_for_gradient(graph)
    widths = [x.shape[-1] for x in kept if 13 in x.shape]
    assert sorted(widths) == [3, 6, 6, 6, 6, 11]
