import numpy as np
import pytest

from tf_led.checkpoints.convert.bart_config import (
    check_positions,
    led_config,
    tile_rows,
)
from tf_led.checkpoints.errors import CheckpointError


@pytest.mark.parametrize("num_rows", [1, 3, 5, 6, 7, 17])
def test_rows_go_round(num_rows):
    table = np.arange(10, dtype="float16").reshape(5, 2)
    made = tile_rows(table, num_rows)
    assert made.dtype == table.dtype and made.shape == (num_rows, 2)
    for row, values in enumerate(made):
        np.testing.assert_array_equal(values, table[row % 5])


@pytest.mark.parametrize("value", [0, -7, 2.0, "7", None, True])
def test_what_is_no_number_of_positions(value):
    with pytest.raises(ValueError, match=f"`n` must be .* got {value!r}"):
        check_positions(value, "n")
    assert check_positions(np.int64(7), "n") == 7


BART = {"model_type": "bart", "d_model": 12}


def test_fields_of_leds_own_and_of_others():
    fields = {**BART, "max_position_embeddings": 23, "dropout": 0.3, "project": "kept"}
    before = dict(fields)
    config = led_config(fields, attention_window=6, max_positions=101)
    assert fields == before
    assert (config.d_model, config.dropout, config.project) == (12, 0.3, "kept")
    assert config.attention_window == 6
    assert config.max_encoder_position_embeddings == 101
    assert config.max_decoder_position_embeddings == 23
    assert config.encoder_layers == 12  # BART's default, which the file left unsaid
    assert config.architectures == ["LEDForConditionalGeneration"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mbart"}, "model type 'mbart', not 'bart'"),
        ({"model_type": None}, "model type None"),
        ({"scale_embedding": True}, "`scale_embedding` True.*with False"),
        ({"normalize_before": True}, "`normalize_before` True"),
        ({"add_final_layer_norm": True}, "`add_final_layer_norm` True"),
        ({"static_position_embeddings": True}, "`static_position_embeddings` True"),
        ({"normalize_embedding": False}, "`normalize_embedding` False.*with True"),
        ({"architectures": ["BartForCausalLM"]}, "BartForCausalLM, which has no LED"),
        ({"d_model": "wide"}, "a field that BartConfig rejects.*d_model.*wide"),
    ],
)
def test_what_is_no_bart_is_an_error(change, message):
    with pytest.raises(CheckpointError, match=message):
        led_config({**BART, **change})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention_window": 5}, "`attention_window` must be even, got 5. Try 6"),
        ({"attention_window": 0}, "`attention_window`.*got 0"),
        ({"max_positions": -1}, "`max_positions`.*got -1"),
        ({"max_positions": 1.5}, "`max_positions`.*got 1.5"),
        ({"max_decoder_positions": True}, "`max_decoder_positions`.*got True"),
    ],
)
def test_numbers_that_cannot_be_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        led_config(BART, **options)
