import json

import pytest

import tf_led
from tests.models.conftest import make_model


@pytest.fixture
def checkpoint(tmp_path):
    model = make_model(encoder_layers=1, decoder_layers=1, attention_window=6)
    model.generation_config.num_beams = 3
    model.save_pretrained(tmp_path)
    return tmp_path


def load(folder):
    return tf_led.TFLEDForConditionalGeneration.from_pretrained(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"num_beams": 5,', "Expecting property name"),
        (b"", "Expecting value"),
        (b"\xff\xfe{", "0xff"),
        (b"[5]", "list"),
    ],
)
def test_a_broken_generation_config_is_refused(checkpoint, content, reason):
    (checkpoint / "generation_config.json").write_bytes(content)
    with pytest.raises(ValueError, match=reason) as refusal:
        load(checkpoint)
    assert str(checkpoint / "generation_config.json") in str(refusal.value)


def test_without_a_generation_config_the_config_speaks(checkpoint):
    assert load(checkpoint).generation_config.num_beams == 3
    (checkpoint / "generation_config.json").unlink()
    found = load(checkpoint).generation_config
    assert found.num_beams in (None, 1)
    assert found.eos_token_id == 2


@pytest.mark.parametrize("window", ["8", 2.5, None, [6.0]])
def test_a_field_of_the_wrong_type_is_refused_on_one_line(checkpoint, window):
    file = checkpoint / "config.json"
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({**fields, "attention_window": window}))
    with pytest.raises(ValueError, match="attention_window") as refusal:
        load(checkpoint)
    assert "\n" not in str(refusal.value) and repr(window) in str(refusal.value)
