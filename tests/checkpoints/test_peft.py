import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

from tf_led.checkpoints.peft import load_adapters, save_adapters

PATH = "led/decoder/layers/1/fc1/kernel"
LEFT = np.arange(6, dtype="float32").reshape(3, 2)
RIGHT = np.arange(10, dtype="float32").reshape(2, 5)
KEY = "base_model.model.led.decoder.layers.1.fc1.lora_A.weight"


def saved(folder, **changes):
    bias = np.arange(5, dtype="float32")
    norm = "led/decoder/layers/1/final_layer_norm"
    save_adapters(
        folder,
        {PATH: (LEFT, RIGHT)},
        {
            "led/decoder/layers/0/fc2/bias": bias,
            f"{norm}/gamma": bias + 1,
            f"{norm}/beta": bias + 2,
        },
        rank=2,
        alpha=3,
        base="some/model",
    )
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_there_and_back(tmp_path):
    saved(tmp_path)
    adapters, others, config = load_adapters(tmp_path)
    assert list(adapters) == [PATH]
    np.testing.assert_array_equal(adapters[PATH][0], LEFT)
    np.testing.assert_array_equal(adapters[PATH][1], RIGHT)
    np.testing.assert_array_equal(others["led/decoder/layers/0/fc2/bias"], range(5))
    assert (config["r"], config["lora_alpha"]) == (2, 3)
    assert config["base_model_name_or_path"] == "some/model"
    assert config["target_modules"] == ["led.decoder.layers.1.fc1"]
    # PEFT wants whole layers here; it leaves the bias alone.
    assert config["modules_to_save"] == ["led.decoder.layers.1.final_layer_norm"]
    assert len(others) == 3


def test_weights_as_older_versions_of_peft_wrote_them(tmp_path):
    saved(tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    torch.save(load_file(file), tmp_path / "adapter_model.bin")
    file.unlink()
    adapters, others, _ = load_adapters(tmp_path)
    np.testing.assert_array_equal(adapters[PATH][0], LEFT)
    np.testing.assert_array_equal(adapters[PATH][1], RIGHT)
    assert len(others) == 3
    (tmp_path / "adapter_model.bin").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="adapter_model.bin"):
        load_adapters(tmp_path)


def test_an_unknown_path():
    with pytest.raises(ValueError, match="`led/heart/kernel` has no name"):
        save_adapters(
            "x", {"led/heart/kernel": (LEFT, RIGHT)}, {}, rank=2, alpha=2, base=""
        )


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_file_is_missing(tmp_path, name):
    saved(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"has no {name}"):
        load_adapters(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "IA3"}, "does not describe LoRA"),
        ({"use_rslora": True}, "use_rslora: True, which is not plain LoRA"),
        ({"r": 7}, "is not two factors of rank 7"),
        ({"r": 0}, "has `r` 0 and `lora_alpha` 3; .* above 0"),
        *(
            ({"lora_alpha": alpha}, f"`r` 2 and `lora_alpha` {shown}")
            for alpha, shown in (
                (0, "0; "),
                (-1, "-1; "),
                (10**400, "10000"),
                (float("nan"), "nan"),
                (float("inf"), "inf"),
            )
        ),
    ],
)
def test_configs_that_do_not_fit(tmp_path, changes, message):
    saved(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        load_adapters(tmp_path)


def test_a_config_that_is_no_json(tmp_path):
    saved(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(ValueError, match="adapter_config.json` is not valid JSON"):
        load_adapters(tmp_path)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "holds no tensor"),
        ({"base_model.model.led.shared.weight": LEFT}, "holds no adapters"),
        ({KEY: LEFT.T}, "is not two factors"),
        ({KEY: LEFT.T * np.float32("nan")}, "`base_model.*lora_A.weight` holds NaN"),
        (
            {KEY: np.full_like(LEFT.T, np.inf)},
            "`base_model.*lora_A.weight` holds NaN or inf",
        ),
        ({"base_model.model.bert.lora_A.weight": LEFT}, "`base_model.model.bert.lora"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, tensors, message):
    saved(tmp_path)
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    with pytest.raises(ValueError, match=message):
        load_adapters(tmp_path)
