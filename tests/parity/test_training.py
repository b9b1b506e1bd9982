"""Training learns what PyTorch learns, step by step."""

import keras
import numpy as np
import pytest
import torch

from tests.parity.compare import relative_error
from tests.parity.gradients import assert_gradients_match, to_theirs, with_labels
from tests.parity.oracle import make_config, make_theirs
from tests.parity.patterns import make_inputs
from tf_led import TFLEDForConditionalGeneration
from tf_led.testing import fill_spread

LAYOUT = {"attention_window": 4, "encoder_layers": 1, "decoder_layers": 1}
NO_DROPOUT = {"dropout": 0.0, "attention_dropout": 0.0}
STEPS = 20


def make_both(optimizer, **options):
    config = make_config({**LAYOUT, **NO_DROPOUT})
    ours = TFLEDForConditionalGeneration(config)
    theirs = make_theirs(config, fill_spread(ours, seed=5)).train()
    ours.compile(optimizer, **options)
    return ours, theirs


def make_batches(count):
    """Other documents and labels, of one shape: a step is traced once."""
    inputs = make_inputs("unequal_globals", 0, 13)
    draw = np.random.default_rng(17).integers
    shape = inputs["input_ids"].shape
    return [
        with_labels({**inputs, "input_ids": draw(3, 29, shape)}, seed=seed)
        for seed in range(count)
    ]


def torch_step(theirs, optimizer, batch):
    optimizer.zero_grad()
    tensors = {name: torch.tensor(array) for name, array in batch.items()}
    loss = theirs(**tensors).loss
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def test_the_gradient_that_fit_applies():
    """Plain descent by a rate of 1 shows it: it is the change of the weights."""
    ours, theirs = make_both(keras.optimizers.SGD(1.0), run_eagerly=True)
    before = {path: np.array(v) for path, v in ours.weight_table().items()}
    [batch] = make_batches(1)
    loss = ours.train_on_batch(batch)
    their_loss = torch_step(theirs, torch.optim.SGD(theirs.parameters(), 0.0), batch)
    assert relative_error(loss, their_loss) <= 1e-5
    table = ours.weight_table()
    del table["final_logits_bias"]
    mine = to_theirs({path: before[path] - np.array(v) for path, v in table.items()})
    gradients = {
        name: np.zeros(weight.shape) if weight.grad is None else weight.grad.numpy()
        for name, weight in theirs.named_parameters()
    }
    assert_gradients_match(mine, gradients)


@pytest.mark.slow
def test_twenty_steps_of_adamw():
    """The same epsilon, tiny: Keras and PyTorch put it in different places."""
    options = {"weight_decay": 0.01, "eps": 1e-10}
    mine = keras.optimizers.AdamW(3e-3, weight_decay=0.01, epsilon=1e-10)
    ours, theirs = make_both(mine)
    optimizer = torch.optim.AdamW(theirs.parameters(), 3e-3, **options)
    batches = make_batches(4) * (STEPS // 4)
    expected = [torch_step(theirs, optimizer, batch) for batch in batches]
    losses = [ours.train_on_batch(batch) for batch in batches]
    assert np.mean(expected[-4:]) < 0.8 * np.mean(expected[:4])
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_a_mask_without_global_tokens_lets_weights_decay():
    """Deliberately not PyTorch's: a gradient of 0 is a gradient, on every replica."""
    rate, decay = 0.1, 0.5
    mine = keras.optimizers.AdamW(rate, weight_decay=decay)
    ours, theirs = make_both(mine, run_eagerly=True)
    optimizer = torch.optim.AdamW(theirs.parameters(), rate, weight_decay=decay)
    [batch] = make_batches(1)
    batch["global_attention_mask"] = np.zeros_like(batch["global_attention_mask"])
    name = "led.encoder.layers.0.self_attn.longformer_self_attn.key_global.weight"
    weights = dict(theirs.named_parameters())
    before = weights[name].detach().numpy().copy()
    torch_step(theirs, optimizer, batch)
    ours.train_on_batch(batch)
    np.testing.assert_array_equal(weights[name].detach().numpy(), before)
    kernel = ours.led.encoder.layers_0.self_attn.key_global.kernel
    np.testing.assert_allclose(kernel, before.T * (1 - rate * decay), rtol=1e-5)
