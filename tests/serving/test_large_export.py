"""Time and size of the export of a model of the size of led-large."""

import time

import numpy as np
import pytest
import tensorflow as tf

from tf_led import LEDConfig, TFLEDForConditionalGeneration, export_saved_model

LARGE = {
    "vocab_size": 50265,
    "d_model": 1024,
    "encoder_layers": 12,
    "decoder_layers": 12,
    "encoder_attention_heads": 16,
    "decoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "decoder_ffn_dim": 4096,
    "attention_window": [1024] * 12,
    "max_encoder_position_embeddings": 16384,
    "max_decoder_position_embeddings": 1024,
}


@pytest.mark.large
def test_led_large_is_written_in_minutes_and_each_weight_once(tmp_path, capsys):
    model = TFLEDForConditionalGeneration(LEDConfig(**LARGE))
    weights = sum(4 * int(tf.size(variable)) for variable in model.variables)
    started = time.perf_counter()
    path = export_saved_model(model, tmp_path, num_beams=4, max_new_tokens=256)
    seconds = time.perf_counter() - started
    files = [file for file in path.rglob("*") if file.is_file()]
    sizes = {file.name: file.stat().st_size for file in files}
    graph = sizes["saved_model.pb"]
    with capsys.disabled():
        print(
            f"\nled-large: {seconds:.0f} s, weights {weights / 2**20:,.0f} MiB, files "
            f"{sum(sizes.values()) / 2**20:,.0f} MiB, graph {graph / 2**20:.1f} MiB"
        )
    assert weights > 1.7e9 and seconds < 600
    assert graph < 64 * 2**20
    assert sum(sizes.values()) < 1.01 * weights + graph
    started = time.perf_counter()
    loaded = tf.saved_model.load(str(path))
    with capsys.disabled():
        print(f"loaded in {time.perf_counter() - started:.0f} s")
    ids = tf.constant(np.arange(3, 1000)[None], tf.int32)
    answer = loaded.generate(ids, max_new_tokens=tf.constant(2))["sequences"]
    expected = model.generate(ids, num_beams=4, max_new_tokens=2)
    np.testing.assert_array_equal(answer, expected)
