"""Where we differ from PyTorch on purpose; docs/parity.md says why."""

import inspect
import pathlib
import re

import numpy as np
import pytest
import torch

import tf_led
from tests.parity.compare import FORWARD, relative_error
from tests.parity.oracle import EVERYTHING, make_pair, run_eagerly, run_ours
from tests.parity.patterns import make_inputs
from tf_led.testing import tiny_config

LEDGER = pathlib.Path(__file__).parents[2] / "docs" / "parity.md"


def raw_theirs(pair, inputs, **options):
    tensors = {name: torch.tensor(array) for name, array in inputs.items()}
    with torch.no_grad():
        return pair.theirs(**tensors, **options)


def test_global_probabilities_have_the_documents_length(get_pair):
    pair = get_pair("falling_windows")  # pads to a multiple of 8
    inputs = make_inputs("first_global", 3, 19)
    probs_per_layer = raw_theirs(pair, inputs, **EVERYTHING).encoder_global_attentions
    assert [probs.shape[2] for probs in probs_per_layer] == [24, 24]
    mine = run_ours(pair, inputs)["encoder_global_attentions"]
    assert [probs.shape[2] for probs in mine] == [19, 19]


def test_unused_global_positions_are_zero(get_pair):
    pair = get_pair("falling_windows")
    inputs = make_inputs("unequal_globals", 3, 16)  # the first row has no global token
    probs_per_layer = raw_theirs(pair, inputs, **EVERYTHING).encoder_global_attentions
    np.testing.assert_allclose(probs_per_layer[0][0], 1 / 16, rtol=1e-6)
    assert np.all(run_ours(pair, inputs)["encoder_global_attentions"][0][0] == 0)


def test_head_masks_are_honoured(get_pair):
    """PyTorch takes the argument and does nothing with it."""
    pair = get_pair("one_window")
    inputs = make_inputs("first_global", 3, 13)
    mask = np.array([[1.0, 0.0, 1.0]] * 2, "float32")
    plain, masked = (
        raw_theirs(pair, given).logits
        for given in (inputs, {**inputs, "head_mask": mask})
    )
    assert torch.equal(plain, masked)
    mine = run_eagerly(pair, inputs, head_mask=mask)["logits"]
    assert relative_error(mine, plain) > 100 * FORWARD


def test_single_steps_honour_the_decoder_mask(get_pair):
    """PyTorch leaves the mask aside where there is one query."""
    pair = get_pair("one_window")
    inputs = make_inputs("first_global", 3, 13, target=5)
    inputs["decoder_attention_mask"] = np.ones([3, 5], int)
    inputs["decoder_attention_mask"][:, :2] = 0
    whole = run_eagerly(pair, inputs)["logits"][:, 4]
    assert relative_error(last_logits(pair.ours, inputs, np.asarray), whole) <= FORWARD
    with torch.no_grad():
        theirs = last_logits(pair.theirs, inputs, torch.tensor)
    assert relative_error(theirs, whole) > 100 * FORWARD


def last_logits(model, inputs, tensor):
    """Logits of the last decoder input, fed by itself after all others."""
    given = {name: tensor(array) for name, array in inputs.items()}
    ids, mask = given.pop("decoder_input_ids"), given.pop("decoder_attention_mask")
    past = model(
        **given,
        decoder_input_ids=ids[:, :-1],
        decoder_attention_mask=mask[:, :-1],
        use_cache=True,
    ).past_key_values
    last = model(
        **given,
        decoder_input_ids=ids[:, -1:],
        decoder_attention_mask=mask,
        **{cache_name(model): past},
    )
    return np.asarray(last.logits)[:, 0]


def cache_name(model):
    """What PyTorch's models call it: transformers 5.24 has a new name for it."""
    call = getattr(model, "forward", None) or model.call
    names = inspect.signature(call).parameters
    return "cache" if "cache" in names else "past_key_values"


def test_the_attention_mask_makes_no_token_global(get_pair):
    """PyTorch's encoder takes 2 for a global token."""
    pair = get_pair("one_window")
    inputs = make_inputs("plain", 3, 13)
    two = np.ones([3, 13], int)
    two[:, 0] = 2
    with pytest.raises(ValueError, match="`attention_mask` holds 2; allowed are 0"):
        pair.ours({**inputs, "attention_mask": two})


def test_the_config_is_left_alone():
    """PyTorch turns an int into a list in the caller's config."""
    config = tiny_config(attention_window=6)
    before = config.to_dict()
    tf_led.TFLEDModel(config)
    assert config.attention_window == 6
    assert config.to_dict() == before


def test_layers_are_dropped_as_in_pytorch(tmp_path):
    """TF has no LayerDrop; PyTorch crashes on probs_per_layer of dropped layers."""
    layout = {"dropout": 0.0, "encoder_layerdrop": 1.0, "decoder_layerdrop": 1.0}
    pair = make_pair(layout, tmp_path)
    inputs = make_inputs("first_global", 3, 13)
    pair.theirs.train()
    theirs = raw_theirs(pair, inputs).logits
    mine = pair.ours(inputs, training=True).logits
    assert relative_error(mine, theirs) <= FORWARD
    with pytest.raises(ValueError, match=r"layerdrop 1\.0.*training=False"):
        pair.ours(inputs, training=True, output_attentions=True)


def test_probabilities_of_the_encoder_are_before_dropout(tmp_path):
    """PyTorch's are after it: in training its rows do not add up to 1."""
    layout = {"dropout": 0.0, "attention_dropout": 0.5}
    pair = make_pair(layout, tmp_path)
    inputs = make_inputs("plain", 3, 13)
    pair.theirs.train()
    theirs = raw_theirs(pair, inputs, output_attentions=True).encoder_attentions[0]
    assert float(torch.abs(theirs.sum(-1) - 1).max()) > 0.1
    mine = pair.ours(inputs, training=True, output_attentions=True)
    still = pair.ours(inputs, output_attentions=True)
    np.testing.assert_array_equal(
        mine.encoder_attentions[0], still.encoder_attentions[0]
    )
    assert np.abs(mine.logits - still.logits).max() > 0.1


@pytest.mark.slow
def test_predict_returns_no_cache():
    """TF's returns what the config says; a cache of all batches helps nobody."""
    config = tiny_config(encoder_layers=1, decoder_layers=1)
    model = tf_led.TFLEDForConditionalGeneration(config)
    inputs = make_inputs("first_global", 3, 13)
    predicted = model.predict(inputs, batch_size=2, verbose=0)
    assert set(predicted) == {"logits", "encoder_last_hidden_state"}
    assert relative_error(predicted["logits"], model(inputs).logits) <= FORWARD


@pytest.mark.parametrize(
    ("name", "length", "message"),
    [
        ("input_ids", 65, "`input_ids` has 65 tokens.*64 positions"),
        ("decoder_input_ids", 33, "`decoder_input_ids` has 33 tokens.*32 positions"),
    ],
)
def test_lengths_beyond_the_limit(name, length, message):
    model = tf_led.TFLEDModel(tiny_config())
    inputs = {"input_ids": np.full([1, 5], 3), "decoder_input_ids": np.full([1, 5], 3)}
    inputs[name] = np.full([1, length], 3)
    with pytest.raises(ValueError, match=message):
        model(inputs)


def test_every_row_of_the_ledger_names_a_test():
    text = LEDGER.read_text()
    rows = [line for line in text.splitlines() if re.match(r"\| (?!---|What)", line)]
    assert len(rows) > 10
    root = LEDGER.parents[1]
    for row in rows:
        tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert tests, row
        for file, name in tests:
            assert f"def {name}(" in (root / file).read_text(), row
