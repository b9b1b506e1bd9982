import numpy as np
import pytest

from tf_led import TFLEDForConditionalGeneration, TFLEDModel
from tf_led.testing import fill_spread, tiny_config


@pytest.fixture
def model():
    model = TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1, d_model=1200, init_std=0.07)
    )
    fill_spread(model)
    return model


@pytest.fixture(scope="module")
def untouched():
    """Not to be changed."""
    return TFLEDModel(tiny_config(encoder_layers=1, decoder_layers=1))


def table_of(model):
    return model.get_input_embeddings().embeddings.numpy()


@pytest.mark.parametrize(("stddev", "expected"), [(None, 0.07), (0.3, 0.3)])
def test_noise_on_one_row(model, stddev, expected):
    before = table_of(model)
    assert model.perturb_bos_embedding(stddev) is None
    change = table_of(model) - before
    assert 0.9 < change[0].std() / expected < 1.1
    assert np.abs(change[0].mean()) < 0.1 * expected
    np.testing.assert_array_equal(change[1:], 0)


def test_a_seed_repeats_it():
    def rows(seed):
        model = TFLEDModel(tiny_config(bos_token_id=3))
        fill_spread(model)
        before = table_of(model)
        model.perturb_bos_embedding(seed=seed)
        assert np.flatnonzero((table_of(model) != before).any(axis=1)) == [3]
        return table_of(model)[3]

    np.testing.assert_array_equal(rows(5), rows(5))
    assert np.abs(rows(5) - rows(7)).max() > 1e-3


@pytest.mark.parametrize("stddev", [0, -0.1, True, float("nan"), "0.1"])
def test_a_deviation_that_is_none(untouched, stddev):
    with pytest.raises(ValueError, match=f"`stddev` must be above 0, got {stddev!r}"):
        untouched.perturb_bos_embedding(stddev)


@pytest.mark.parametrize("bos", [None, 29])
def test_a_model_without_bos(bos):
    model = TFLEDModel(tiny_config(bos_token_id=bos))
    with pytest.raises(ValueError, match=f"`bos_token_id` is {bos}, no token of 29"):
        model.perturb_bos_embedding()


def test_lora_is_refused():
    model = TFLEDModel(tiny_config(encoder_layers=1, decoder_layers=1))
    model.get_input_embeddings().enable_lora(3)
    with pytest.raises(ValueError, match="has LoRA weights"):
        model.perturb_bos_embedding()


def test_tables_that_are_not_tied_get_noise_each():
    model = TFLEDForConditionalGeneration(tiny_config(tie_word_embeddings=False))
    led = model.led
    tables = [
        led.shared._embeddings,
        led.encoder.embed_tokens._embeddings,
        led.decoder.embed_tokens._embeddings,
        model.lm_head._kernel,
    ]
    before = [table.numpy() for table in tables]
    model.perturb_bos_embedding()
    changes = [table.numpy() - old for table, old in zip(tables, before, strict=True)]
    changes[3] = changes[3].T
    for change in changes:
        assert np.all(change[0] != 0)
        np.testing.assert_array_equal(change[1:], 0)
    assert np.abs(changes[0][0] - changes[1][0]).max() > 1e-4
