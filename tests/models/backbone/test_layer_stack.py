from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_led.models.backbone.layer_stack import LayerStack, choose, per_layer

SEED = tf.constant([3, 5])


class Output(NamedTuple):
    hidden: tf.Tensor
    number: int


class Scale(keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.runs = 0

    def build(self, input_shape=None):
        self.scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(self.factor)
        )
        self.built = True

    def call(self, hidden):
        self.runs += 1
        return hidden * self.scale


class Stack(LayerStack, keras.layers.Layer):
    def __init__(self, factors=(2.0, 3.0, 5.0)):
        super().__init__()
        self.add_layers(map(Scale, factors))
        self.seed_generator = keras.random.SeedGenerator(7)
        self.build_layers()
        self.built = True

    def run(
        self,
        hidden,
        seed=None,
        drop_rate=0.0,
        output_attentions=False,
        seen=None,
        offsets=None,
    ):
        offsets = offsets or [None] * self.num_layers

        def run_layer(index, layer, hidden, offset, *, seed):
            if seen is not None:
                seen.append((index, None if seed is None else tuple(np.array(seed))))
            return Output(layer(hidden) + (0 if offset is None else offset), index)

        return self.run_layers(
            run_layer,
            hidden,
            extras=[[offset] for offset in offsets],
            seed=seed,
            drop_rate=drop_rate,
            output_attentions=output_attentions,
        )


def test_layers_run_in_order():
    hidden, states, attentions = Stack().run(tf.constant(1.0))
    assert [float(state) for state in states] == [1, 2, 6, 30]
    assert float(hidden) == 30 and attentions is None


def test_attentions_come_by_kind():
    _, states, attentions = Stack().run(tf.constant(1.0), output_attentions=True)
    assert attentions == ((0, 1, 2),) and len(states) == 4


def test_every_layer_has_a_seed_of_its_own():
    seen = []
    Stack().run(tf.constant(1.0), seed=SEED, seen=seen)
    assert [index for index, _ in seen] == [0, 1, 2]
    assert len({seed for _, seed in seen}) == 3


def test_seeds_are_drawn_in_training_only():
    stack = Stack()
    assert stack.draw_seed(False) is None
    first, second = stack.draw_seed(True), stack.draw_seed(True)
    assert first.dtype == tf.int32 and first.shape == [2]
    assert np.any(first != second)


def test_layers_are_tracked():
    """`tf.train.Checkpoint` does not see layers that a list alone holds."""
    stack = Stack()
    assert [layer.factor for layer in stack.layers] == [2, 3, 5]
    assert stack.layers_1 is stack.layers[1]
    assert len(stack.trainable_variables) == 3


def test_a_rate_of_one_drops_every_layer_in_training():
    stack = Stack()
    assert float(stack.run(tf.constant(1.0), SEED, drop_rate=1.0)[0]) == 1
    assert float(stack.run(tf.constant(1.0), None, drop_rate=1.0)[0]) == 30


@pytest.mark.parametrize("graph", [False, True])
def test_layers_are_dropped_at_the_rate(graph):
    stack = Stack([2.0] * 41)

    def run(seed):
        return stack.run(tf.constant(1.0), seed, drop_rate=0.25)[0]

    run = tf.function(run, autograph=False) if graph else run
    kept = np.log2(run(SEED))
    assert 20 < kept < 40
    assert kept == np.log2(run(SEED)) != np.log2(run(SEED + 1))


def test_attention_probs_of_dropped_layers_raise():
    stack = Stack()
    with pytest.raises(ValueError, match=r"layers are dropped \(layerdrop 0.25\)"):
        stack.run(tf.constant(1.0), SEED, drop_rate=0.25, output_attentions=True)
    stack.run(tf.constant(1.0), None, drop_rate=0.25, output_attentions=True)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_graph_drops_and_recomputes_at_once(jit_compile):
    """The gradient of a layer is 0 where it was dropped, the others' product else."""
    stack = Stack()
    stack.gradient_checkpointing = True
    variables = [variable.value for variable in stack.trainable_variables]

    @tf.function(jit_compile=jit_compile, autograph=False)
    def train(seed):
        with tf.GradientTape() as tape:
            hidden, *_ = stack.run(tf.constant(1.0), seed, drop_rate=0.5)
        return hidden, tape.gradient(hidden, variables)

    seen = set()
    for number in range(11):
        hidden, gradients = train(SEED + number)
        kept = [factor for factor in (2.0, 3.0, 5.0) if float(hidden) % factor == 0]
        assert float(hidden) == np.prod(kept)
        expected = [np.prod(kept) / f if f in kept else 0 for f in (2.0, 3.0, 5.0)]
        assert [float(gradient) for gradient in gradients] == expected
        seen.add(len(kept))
    assert len(seen) > 1


def test_checkpointing_runs_layers_again_for_the_same_gradient():
    def gradient(stack):
        with tf.GradientTape() as tape:
            hidden, *_ = stack.run(tf.constant(1.0), SEED)
        variables = [variable.value for variable in stack.trainable_variables]
        return [float(one) for one in tape.gradient(hidden, variables)]

    plain, checkpointed = Stack(), Stack()
    checkpointed.gradient_checkpointing = True
    assert gradient(plain) == gradient(checkpointed) == [15, 10, 6]
    assert [layer.runs for layer in plain.layers] == [1, 1, 1]
    assert [layer.runs for layer in checkpointed.layers] == [2, 2, 2]


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_reach_what_else_layers_read(checkpointing):
    """What a recomputed layer only closes over would get none, in silence."""
    stack = Stack()
    stack.gradient_checkpointing = checkpointing
    offset = tf.constant(7.0)
    with tf.GradientTape() as tape:
        tape.watch(offset)
        hidden, *_ = stack.run(tf.constant(1.0), SEED, offsets=[offset, None, offset])
    # ((1 * 2 + o) * 3) * 5 + o
    assert float(hidden) == 142 and float(tape.gradient(hidden, offset)) == 16


def test_per_layer():
    assert per_layer(None, 3) == [None] * 3
    rows = per_layer(tf.constant([[1, 2], [3, 4]]), 2)
    assert [row.numpy().tolist() for row in rows] == [[1, 2], [3, 4]]


def test_choose():
    assert choose(None, 3) == 3
    assert choose(False, True) is False
