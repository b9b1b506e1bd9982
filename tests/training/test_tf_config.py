import json

import pytest

from tf_led.training.tf_config import read_tf_config

TWO = {"worker": ["a:1", "b:1"]}


@pytest.mark.parametrize("text", ["", " ", "{}", '{"environment": "cloud"}'])
def test_nothing_named_is_alone(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    assert read_tf_config() == (1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "{cluster",
        '["a:1"]',
        '{"task": {"index": "x"}}',
        '{"cluster": {"worker": "a:1"}}',
    ],
)
def test_a_broken_environment_is_named(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError) as caught:
        read_tf_config()
    assert text in str(caught.value) and "host1:2222" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "index"), [("worker", 2), ("worker", -1), ("chief", 0), ("ps", 0)]
)
def test_a_task_that_is_not_there_is_named(monkeypatch, kind, index):
    config = {"cluster": TWO, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    message = f"the task {index} of type '{kind}', .* 0 of type 'chief' and 2 of"
    with pytest.raises(ValueError, match=message):
        read_tf_config()
