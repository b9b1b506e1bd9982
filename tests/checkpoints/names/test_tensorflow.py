"""The old TensorFlow names: both directions, whatever stands in front."""

import pytest

from tf_led.checkpoints.names.led import LED_NAMES
from tf_led.checkpoints.names.table import keep
from tf_led.checkpoints.names.tensorflow import recognise, to_old, to_ours


def paths():
    """Every path of LED's, of layer 13."""
    return [
        ours.replace("{}", "13")
        for ours, _ in {**LED_NAMES.body, **LED_NAMES.heads}.values()
    ]


def test_every_weight_there_and_back():
    assert len(paths()) > 50
    for path in paths():
        name = to_old(LED_NAMES, path)
        assert name.endswith(":0") and recognise(LED_NAMES, [name])
        assert to_ours(LED_NAMES, name) == (path, keep)
        assert to_old(LED_NAMES, f"led/{path}") == name


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("led.shared/embeddings:0", "shared/embeddings"),
        ("led.shared/led.shared/embeddings:0", "shared/embeddings"),
        ("led/led.shared/weight:0", "shared/embeddings"),
        (
            "x/led/encoder/embed_positions/weight:0",
            "encoder/embed_positions/embeddings",
        ),
        ("final_logits_bias:0", "final_logits_bias"),
        ("a/b/final_logits_bias", "final_logits_bias"),
        (
            "tfled_model_7/led/encoder/layers.10/self_attn/longformer_self_attn/"
            "key_global/kernel:0",
            "encoder/layers/10/self_attn/key_global/kernel",
        ),
        (
            "mine/led/decoder/layers.2/encoder_attn_layer_norm/gamma:12",
            "decoder/layers/2/encoder_attn_layer_norm/gamma",
        ),
    ],
)
def test_names_of_real_files(name, path):
    assert to_ours(LED_NAMES, name) == (path, keep)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        ":0",
        "led/encoder/layers.0/fc1:0",
        "led/encoder/layers.{}/fc1/kernel:0",
        "led/encoder/layers.01/fc1/kernel:0",
        "led/encoder/layers.-1/fc1/kernel:0",
        "led/encoder/layers.0/fc1/weight:0",
        "led/encoder/fc1/kernel:0",
        "led/decoder/layers.0/self_attn/query/kernel:0",
        "encoder/layers.0/fc1/kernel:0/x",
    ],
)
def test_names_that_are_not_leds(name):
    assert to_ours(LED_NAMES, name) is None


@pytest.mark.parametrize("path", ["", "led/", "encoder/layers/{}/fc1/kernel", "lora"])
def test_paths_that_are_not_leds(path):
    assert to_old(LED_NAMES, path) is None


def test_pytorchs_names_are_not_taken_for_them():
    pytorch = ["led.encoder.layers.0.fc1.weight", "final_logits_bias"]
    old = "final_logits_bias:0"
    assert [*recognise(LED_NAMES, [*pytorch, old])] == [old]
