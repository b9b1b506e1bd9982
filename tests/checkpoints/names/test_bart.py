from tf_led.checkpoints.names.bart import expected, to_led
from tf_led.checkpoints.names.led import LED_NAMES


def test_what_keeps_its_name_and_what_does_not():
    attention = "encoder.layers.0.self_attn"
    inner = f"{attention}.longformer_self_attn"
    assert to_led("model.shared.weight") == ("shared.weight",)
    assert to_led("decoder.layers.10.encoder_attn.q_proj.bias") == (
        "decoder.layers.10.encoder_attn.q_proj.bias",
    )
    assert to_led(f"model.{attention}.v_proj.weight") == (
        f"{inner}.value.weight",
        f"{inner}.value_global.weight",
    )
    assert to_led(f"{attention}.out_proj.bias") == (f"{attention}.output.bias",)
    assert to_led("qa_outputs.bias") == ("qa_outputs.bias",)
    assert to_led("lm_head.weight") == ("lm_head.weight",)
    assert to_led("model.encoder.version") == ()


def test_names_of_neither():
    for name in (
        "encoder.layers.0.self_attn.longformer_self_attn.query.bias",
        "encoder.layers.0.self_attn.output.bias",
        "encoder.layers.0.self_attn.r_proj.bias",
        "model.encoder.layer_norm.weight",
        "roberta.pooler.weight",
    ):
        assert to_led(name) is None, name


def test_every_weight_of_a_led_is_expected():
    listed = expected(2, 1)
    assert len(listed) == len({*listed}) == 77
    assert all(LED_NAMES.to_ours(name) for name in listed)
    assert "encoder.layers.1.fc1.bias" in listed
    assert "decoder.layers.1.fc1.bias" not in listed
