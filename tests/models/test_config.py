import copy

import pytest

from tf_led.models.config import (
    LEDConfig,
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
def test_windows_that_cannot_be_are_refused(window, layer, remedy):
    wrong = window[layer] if isinstance(window, list) else window
    with pytest.raises(
        ValueError, match=f"even, got {wrong} for layer {layer}. Try {remedy}"
    ):
        window_radii(tiny_config(attention_window=window))


def test_a_list_of_another_length_is_refused():
    with pytest.raises(
        ValueError, match=r"lists 3 windows, \[4, 6, 8\], for 2 encoder"
    ):
        window_radii(tiny_config(attention_window=[4, 6, 8]))


def test_embeddings_are_tied_unless_the_config_says_no():
    assert is_tied(tiny_config()) and is_tied(tiny_config(tie_word_embeddings=True))
    assert not is_tied(tiny_config(tie_word_embeddings=False))


@pytest.mark.parametrize("bound", [0, -3, 2.5, "7"])
def test_a_bound_that_is_none_is_refused(bound):
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
