"""What type checkers and editors know about the public names."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import tf_led
from tests.contract.pages import blocks
from tests.contract.public_surface import entrance, public_things
from tf_led.generation.options.option_table import OPTIONS, GenerationOptionTypes
from tf_led.models.generation.generation_inputs import (
    GenerateArguments,
    GenerationInputs,
)
from tf_led.models.inputs import call_arguments
from tf_led.models.serving.export import ExportArguments, export_saved_model
from tf_led.pipelines import (
    QuestionAnsweringPipeline,
    TextClassificationPipeline,
    base,
    build,
)
from tf_led.pipelines.text2text import CallOptions

SCRIPT = Path(__file__).with_name("users_script.py")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """{name of a file: {line: messages}} of one run of the checker, over all files."""
    pytest.importorskip("pyright", reason="it comes with the extra `test`")
    folder = tmp_path_factory.mktemp("checked")
    script = SCRIPT.read_text(encoding="utf-8")
    (folder / "script.py").write_text(script, encoding="utf-8")
    readme = "\n".join(blocks("README.md", "python"))
    (folder / "readme.py").write_text(readme, encoding="utf-8")
    # A user's checker finds the package installed: not as code of their own.
    package = Path(tf_led.__file__).parents[1]
    settings = {"extraPaths": [str(package)], "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath"]
    done = subprocess.run(
        [*command, sys.executable, "-p", str(folder)],
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
    )
    result = json.loads(done.stdout)
    assert result["summary"]["filesAnalyzed"] == 2, done.stdout
    lines = {"script.py": {}, "readme.py": {}}
    for one in result["generalDiagnostics"]:
        if one["severity"] == "error":
            line = one["range"]["start"]["line"] + 1
            name = Path(one["file"]).name
            lines[name].setdefault(line, []).append(one["message"])
    return lines


@pytest.mark.slow
def test_a_checker_finds_each_mistake_of_a_script_and_nothing_else(found):
    # But one kind: Keras chooses a model's bases at run time, so that no checker can
    # tell an attribute that a model has not.
    script = SCRIPT.read_text(encoding="utf-8").splitlines()
    wrong = {n for n, line in enumerate(script, 1) if line.endswith("# wrong")}
    assert len(wrong) > 25
    assert {n: script[n - 1] for n in wrong - set(found["script.py"])} == {}
    others = {n: m for n, m in found["script.py"].items() if n not in wrong}
    assert {script[n - 1]: messages for n, messages in others.items()} == {}


@pytest.mark.slow
def test_a_checker_finds_nothing_in_the_readme(found):
    assert found["readme.py"] == {}


def completions(code):
    """What an editor offers at the end of some code: names."""
    script = jedi.Script(code, project=jedi.Project(SCRIPT.parents[2]))
    return {one.name for one in script.complete()}


@pytest.mark.slow
def test_an_editor_completes_the_public_names():
    offered = completions("from tf_led import TF")
    assert {name for name in tf_led.__all__ if name.startswith("TF")} <= offered
    assert "RougeCallback" in completions("from tf_led.training import R")
    led = "from tf_led import TFLEDForConditionalGeneration as LED\nLED."
    assert "generate" in completions(led + "gen")
    assert {"from_pretrained", "from_config"} <= completions(led + "from_")


def unannotated(function):
    """The arguments of a function without a type, and "return" if it has none."""
    # `model`: the models' methods are functions in modules of their own.
    bound = {"self", "cls", "model"}
    signature = inspect.signature(function)
    missing = [
        one.name
        for one in signature.parameters.values()
        if one.annotation is one.empty and one.name not in bound
    ]
    is_open = signature.return_annotation is signature.empty
    return missing + ["return"] * is_open


@pytest.mark.parametrize("name, thing", public_things().items())
def test_every_argument_and_result_has_a_type(name, thing):
    function = entrance(thing)
    if function is not None and (function.__module__ or "").startswith("tf_led"):
        assert unannotated(function) == []
    if inspect.isclass(thing) and "call" in vars(thing):
        assert unannotated(thing.call) == []


def test_a_missing_type_is_caught():
    def attend(self, query, key: int): ...

    assert unannotated(attend) == ["query", "return"]


def names_of(typed_dict):
    return set(typed_dict.__annotations__)


def test_types_name_the_options_of_the_table():
    rows = {name for name, row in OPTIONS.items() if not row.is_argument}
    assert names_of(GenerationOptionTypes) == rows
    # The one that decides what is returned stands in the overloads.
    inputs = {*GenerationInputs._fields} - {"input_ids"}
    generate = names_of(GenerateArguments) - {"input_ids"}
    assert generate == (rows - {"return_dict_in_generate"}) | inputs
    table = {name: row for name, row in OPTIONS.items() if row.tensor is not None}
    hints = GenerationOptionTypes.__annotations__
    module = inspect.getsource(sys.modules[GenerationOptionTypes.__module__])
    assert set(hints) >= set(table)
    takes_tensors = re.findall(r"^    (\w+): (?:Integer|Number) \| None$", module, re.M)
    assert set(takes_tensors) == set(table)


@pytest.mark.parametrize(
    "name, arguments",
    {
        "TFLEDModel": call_arguments.CacheArguments,
        "TFLEDForConditionalGeneration": call_arguments.LanguageModelArguments,
        "TFLEDForSequenceClassification": call_arguments.ClassifierArguments,
        "TFLEDForQuestionAnswering": call_arguments.AnswerArguments,
    }.items(),
)
def test_types_name_the_arguments_of_a_call(name, arguments):
    call = inspect.signature(getattr(tf_led, name).call).parameters
    assert names_of(arguments) == set(call) - {"self", "input_ids", "return_dict"}


def test_types_name_the_options_of_pipelines_and_of_export():
    writing = names_of(base.WritingOptions) - names_of(GenerationOptionTypes)
    # What `generate` takes beside the options, and what raises with a hint.
    others = {"generation_config", "seed", "src_lang", "tgt_lang"}
    assert writing - others == {*CallOptions._fields}
    for pipeline, options in [
        (QuestionAnsweringPipeline, base.AnswerOptions),
        (TextClassificationPipeline, base.LabelOptions),
    ]:
        assert names_of(options) == set(pipeline.option_names)
    made = set(inspect.signature(build.pipeline).parameters)
    first = {"task", "model", "config", "tokenizer", "options"}
    assert names_of(base.MakingOptions) == made - first
    tasks = [*writing, *QuestionAnsweringPipeline.option_names]
    tasks += TextClassificationPipeline.option_names
    assert names_of(base.MakingAny) >= set(tasks)
    export = set(inspect.signature(export_saved_model).parameters)
    own = names_of(ExportArguments) - names_of(GenerationOptionTypes) - {"seed"}
    assert own == export - {"model", "path", "options"}
