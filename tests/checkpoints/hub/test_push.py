import pytest
from huggingface_hub import ModelCard

from tf_led.checkpoints.hub.push import model_card
from tf_led.testing import tiny_config


def test_header_and_sizes():
    text = model_card(tiny_config(), "LEDForConditionalGeneration", "me/led", "you/led")
    data = ModelCard(text).data
    assert (data.library_name, data.base_model) == ("transformers", "you/led")
    assert {"led", "tf_led", "tensorflow", "pytorch"} <= {*data.tags}
    assert "# led\n" in text and "up to 64 tokens" in text
    assert "sees 4 around it" in text and "32 positions" in text


def test_windows_of_different_sizes():
    text = model_card(tiny_config(attention_window=[6, 1024]), "LEDModel", "me/led")
    assert "sees 6 to 1,024, depending on the layer, around it" in text


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("LEDModel", None),
        ("LEDForSequenceClassification", "text-classification"),
        ("LEDForQuestionAnswering", "question-answering"),
    ],
)
def test_every_head_in_both_frameworks(name, task):
    text = model_card(tiny_config(), name, "me/led")
    assert ModelCard(text).data.pipeline_tag == task
    assert f'TF{name}.from_pretrained("me/led")' in text
    assert f'= {name}.from_pretrained("me/led")' in text
    # transformers 5 has no sequence classification for LED.
    assert ("transformers below 5" in text) == ("Sequence" in name)


def test_a_head_that_pytorch_does_not_have():
    config = tiny_config(pooling="encoder")
    text = model_card(config, "LEDForQuestionAnswering", "me/led")
    assert "PyTorch's LED has no such head" in text
    assert "from transformers" not in text
