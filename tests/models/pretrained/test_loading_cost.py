"""Loading a checkpoint draws no random numbers and keeps no second copy of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tf_led
from tests.models.conftest import SMALL, make_model
from tests.models.pretrained import loading_cost
from tf_led.layers.initializers import Normal, blank_weights

Model = tf_led.TFLEDForConditionalGeneration


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = make_model(**SMALL)
    folder = tmp_path_factory.mktemp("saved")
    model.save_pretrained(folder)
    return folder


def test_nothing_is_drawn(saved, monkeypatch):
    def draw(*_, **__):
        raise AssertionError("a weight was drawn at random")

    place = "keras.src.initializers.random_initializers.random.normal"
    monkeypatch.setattr(place, draw)
    with pytest.raises(AssertionError):
        Normal()((3,), "float32")
    Model.from_pretrained(saved)


def test_what_the_file_lacks_is_drawn(saved):
    with pytest.warns(UserWarning, match="lacks 26 of the model's weights"):
        model = Model.from_pretrained(saved, decoder_layers=2)
    drawn = model.led.decoder.layers_1.fc1
    assert np.std(drawn.kernel) == pytest.approx(0.02, rel=0.3)
    assert not np.any(drawn.bias)
    norm = model.led.decoder.layers_1.final_layer_norm
    np.testing.assert_array_equal(norm.gamma, np.ones(12))
    with pytest.warns(UserWarning, match="1 weights of another shape"):
        model = Model.from_pretrained(
            saved, max_encoder_position_embeddings=67, ignore_mismatched_sizes=True
        )
    assert np.std(model.led.encoder.embed_positions.embeddings) == pytest.approx(
        0.02, rel=0.2
    )


def test_blank_weights_end_with_their_block():
    with blank_weights():
        assert not np.any(Normal()((5, 7), "float32"))
    assert np.any(Normal()((5, 7), "float32"))


@pytest.mark.large
def test_led_large(tmp_path, capsys):
    """At most 1.3 times the file above the process before it, the model included."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux to measure the peak")
    if shutil.disk_usage(tmp_path).free < 6e9:
        pytest.skip("needs 6 GB of disk")
    loading_cost.write_large(tmp_path)
    script = Path(loading_cost.__file__)
    run = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout.splitlines()[-1])
    with capsys.disabled():
        ratio = found["seconds"] / found["copy_seconds"]
        print(f"\n{found}: {ratio:.2f} times the reading and copying")
    assert found["parameters"] > 450e6
    assert found["file_bytes"] < found["held_bytes"] + 50e6
    assert found["peak_bytes"] <= 1.3 * found["file_bytes"]
    (tmp_path / "model.safetensors").unlink()
