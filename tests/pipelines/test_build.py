import importlib
import json
from pathlib import Path

import numpy as np
import pytest

import tf_led
from tests.pipelines.make_golden import CASES, TEXTS, head_of, make_model
from tests.tokenization.other_tokenizers import metaspace, save
from tf_led.pipelines.build import ALIASES, HOMES, TASKS, base_task, device_name

GOLDEN = Path(__file__).with_name("golden.json").read_text("utf-8").splitlines()


@pytest.fixture(scope="module")
def models():
    return {head: make_model(head) for head in {head_of(task) for task, *_ in CASES}}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)))
def test_results_are_those_of_transformers_4(models, tokenizer, number):
    """Keys, order and values; its pipelines place no global attention."""
    task, arguments, options = CASES[number]
    pipeline = tf_led.pipeline(task, models[head_of(task)], tokenizer=tokenizer)
    found = pipeline(*arguments, global_tokens="none", **options)
    found = json.loads(json.dumps(found, default=np.ndarray.tolist))
    check_equal(found, json.loads(GOLDEN[number]))


def check_equal(found, expected):
    assert type(found) is type(expected)
    if isinstance(found, dict):
        assert [*found] == [*expected]
        found, expected = [*found.values()], [*expected.values()]
    if isinstance(found, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            check_equal(one, other)
    elif isinstance(found, float):
        assert found == pytest.approx(expected, abs=1e-4)
    else:
        assert found == expected


@pytest.fixture
def folder(models, tokenizer, tmp_path):
    models["LEDForConditionalGeneration"].save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_directory_is_a_model_and_its_tokenizer(models, tokenizer, folder):
    model = models["LEDForConditionalGeneration"]
    options = {"max_new_tokens": 5, "num_beams": 1}
    expected = tf_led.pipeline("summarization", model, tokenizer=tokenizer, **options)
    expected = expected(TEXTS)
    for place in (folder, str(folder)):
        pipeline = tf_led.pipeline("summarization", place, **options)
        assert pipeline(TEXTS) == expected
    pipeline = tf_led.pipeline(
        "summarization", model, tokenizer=folder, device=-1, framework="tf", **options
    )
    assert pipeline(TEXTS) == expected


def test_a_checkpoint_of_another_task_raises(folder, models, tokenizer):
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="lacks .* weights"):
        tf_led.pipeline("question-answering", folder)
    model = models["LEDForConditionalGeneration"]
    with pytest.raises(ValueError, match="TFLEDForQuestion.* got TFLEDForCon"):
        tf_led.pipeline("question-answering", model, tokenizer=tokenizer)
    with pytest.raises(ValueError, match="'revision' belong to loading"):
        tf_led.pipeline("summarization", model, tokenizer=tokenizer, revision="main")


def test_a_model_without_a_checkpoint_needs_a_tokenizer(tokenizer):
    model = make_model("LEDForQuestionAnswering")
    with pytest.raises(ValueError, match="give its `tokenizer`"):
        tf_led.pipeline("question-answering", model)


def test_a_tokenizer_of_another_kind(models, tmp_path):
    save(metaspace(), tmp_path)
    model = models["LEDForConditionalGeneration"]
    with pytest.warns(UserWarning, match="Metaspace"):
        pipeline = tf_led.pipeline("summarization", model, tokenizer=tmp_path)
    (result,) = pipeline("der Zug", max_new_tokens=3)
    assert list(result) == ["summary_text"]


@pytest.mark.slow
def test_the_bundled_model_is_announced_in_one_line(capsys):
    pipeline = tf_led.pipeline("summarization")
    err = capsys.readouterr().err
    assert err.startswith("tf_led: using the bundled model") and err.count("\n") == 1
    (result,) = pipeline("Returns the names of all files in a folder.")
    assert result["summary_text"]
    with pytest.raises(ValueError, match="bundled model .*'translation_en_to_de'"):
        tf_led.pipeline("translation_en_to_de")


@pytest.mark.parametrize("task", ["summarisation", "translation_en", None, 3])
def test_an_unknown_task_raises(task):
    with pytest.raises(ValueError, match=f"`task` must be .* got {task!r}"):
        tf_led.pipeline(task)


def test_every_task_has_its_names():
    for task, (_, head) in TASKS.items():
        assert base_task(task) == task
        home = importlib.import_module(f"tf_led.models.tasks.{HOMES[head]}")
        assert getattr(home, head) is getattr(tf_led, head)
    assert base_task("translation_en_to_de") == "translation"
    assert set(ALIASES.values()) <= set(TASKS)


def test_frameworks_and_devices(tokenizer):
    with pytest.raises(ValueError, match="`framework` .* got 'pt'"):
        tf_led.pipeline("summarization", framework="pt")
    names = {None: None, -1: "/CPU:0", "cpu": "/CPU:0", 1: "/GPU:1"}
    names |= {"cuda": "/GPU:0", "cuda:1": "/GPU:1", "/CPU:0": "/CPU:0"}
    assert {device: device_name(device) for device in names} == names
    for wrong in (-2, "tpu", 0.5):
        with pytest.raises(ValueError, match=f"`device` .* got {wrong!r}"):
            device_name(wrong)
