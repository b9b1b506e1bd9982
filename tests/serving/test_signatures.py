"""Writing a SavedModel."""

import pytest
import tensorflow as tf

from tf_led.serving.signatures import write_saved_model


def test_a_full_disk_is_an_os_error(tmp_path, monkeypatch):
    def save(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "no space\nleft")

    monkeypatch.setattr(tf.saved_model, "save", save)
    with pytest.raises(OSError, match="no space left") as caught:
        write_saved_model(tmp_path / "1", {}, [])
    assert str(tmp_path / "1") in str(caught.value)
