import copy

import numpy as np
import pytest

import tf_led
from tf_led import LEDConfig
from tf_led.models.config import (
    check_bound,
    is_tied,
    split_config,
    window_radii,
)
from tf_led.testing import tiny_config


def test_one_window_is_for_all_layers():
    config = LEDConfig(encoder_layers=3, attention_window=10)
    assert window_radii(config) == (5, 5, 5)
    assert config.attention_window == 10


def test_a_window_per_layer():
    config = LEDConfig(encoder_layers=3, attention_window=[2, 10, 4])
    assert window_radii(config) == (1, 5, 2)
    assert config.attention_window == [2, 10, 4]


@pytest.mark.parametrize(
    ("window", "layer", "remedy"),
    [([4, 7], 1, 8), (5, 0, 6), (0, 0, 2), ([4, -2], 1, 2)],
)
def test_bad_windows_are_rejected(window, layer, remedy):
    wrong = window[layer] if isinstance(window, list) else window
    with pytest.raises(
        ValueError, match=f"even, got {wrong} for layer {layer}. Try {remedy}"
    ):
        window_radii(tiny_config(attention_window=window))


def test_a_window_far_wider_than_any_document_is_rejected():
    for window in (1026, [4, 2**40]):
        with pytest.raises(ValueError, match="for layer .* with 64 .* than 1024"):
            window_radii(
                tiny_config(attention_window=window, max_encoder_position_embeddings=64)
            )
    wide = {"attention_window": 1402, "max_encoder_position_embeddings": 701}
    assert window_radii(tiny_config(**wide)) == (701, 701)


def test_a_list_of_another_length_is_rejected():
    with pytest.raises(
        ValueError, match=r"lists 3 windows, \[4, 6, 8\], for 2 encoder"
    ):
        window_radii(tiny_config(attention_window=[4, 6, 8]))


def test_embeddings_are_tied_unless_the_config_says_no():
    assert is_tied(tiny_config()) and is_tied(tiny_config(tie_word_embeddings=True))
    assert not is_tied(tiny_config(tie_word_embeddings=False))


@pytest.mark.parametrize("bound", [0, -3, 2.5, "7"])
def test_a_bound_that_is_no_positive_int_raises(bound):
    check_bound(None)
    check_bound(1)
    with pytest.raises(ValueError, match=f"`max_global_tokens` is {bound!r}"):
        check_bound(bound)


def test_splitting_a_config_changes_nothing():
    config = {"name": "encoder", "config": {"d_model": 12}, "dtype": "float32"}
    before = copy.deepcopy(config)
    fields, options = split_config(config)
    assert fields == {"d_model": 12}
    assert options == {"name": "encoder", "dtype": "float32"}
    assert config == before


def test_options_of_generation_stay_with_the_config():
    config = LEDConfig.from_dict({"d_model": 12, "top_k": 7}, num_beams=4)
    assert (config.d_model, config.top_k, config.num_beams) == (12, 7, 4)
    config, unused = LEDConfig.from_dict({}, return_unused_kwargs=True, num_beam=4)
    assert unused == {"num_beam": 4} and not hasattr(config, "num_beam")
    with pytest.raises(ValueError, match="'num_beam'"):
        LEDConfig.from_dict({}, num_beam=4)


def test_another_config_reaches_every_part(tmp_path):
    model = tf_led.TFLEDModel(tiny_config())
    model.config = tiny_config(output_hidden_states=True)
    assert len(model(input_ids=[[0, 5, 2]]).encoder_hidden_states) == 3
    model.config = tiny_config(encoder_layers=3)
    for run in (
        lambda: model(input_ids=[[0, 5, 2]]),
        lambda: model.save_pretrained(tmp_path),
        lambda: model.get_config(),
        lambda: model.predict({"input_ids": np.array([[0, 5, 2]])}, verbose=0),
    ):
        with pytest.raises(ValueError, match=r"`model.config.encoder_layers` .* 3.* 2"):
            run()


def test_editing_forgives_no_other_change():
    model = tf_led.TFLEDModel(tiny_config(attention_window=4))
    model.config.attention_window, model.config.dropout = 6, 0.5
    model.set_attention_window(6)
    with pytest.raises(ValueError, match=r"`model.config.dropout` .* 0.5"):
        model.check_config()
