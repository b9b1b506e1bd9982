import json

import numpy as np
import pytest

from tf_led.cli import evaluate as command
from tf_led.cli.checkpoint import load_model
from tf_led.cli.evaluate import NAMES, score_texts, with_interval
from tf_led.cli.main import main

QUICK = ["--num-beams", "1", "--max-new-tokens", "7"]


@pytest.fixture(scope="module")
def loaded():
    """The models that the command loaded: each has compiled its `generate`."""
    return {}


@pytest.fixture(scope="module")
def evaluated(checkpoint, files, tmp_path_factory, loaded):
    """Arguments of an evaluation, its predictions and what it printed."""
    import contextlib
    import io

    file = tmp_path_factory.mktemp("evaluated") / "predictions.jsonl"
    argv = ["evaluate", "--model", str(checkpoint), "--data", str(files[0]), *QUICK]
    out, err = io.StringIO(), io.StringIO()

    def load_and_keep(name, **options):
        return loaded.setdefault(name, load_model(name, **options))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "load_model", load_and_keep)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            assert main([*argv, "--predictions", str(file)]) == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return argv, rows, out.getvalue(), err.getvalue()


@pytest.mark.slow
def test_one_line_of_json_with_intervals(evaluated):
    _, rows, out, _ = evaluated
    result = json.loads(out)
    assert out.count("\n") == 1 and result["examples"] == len(rows) == 11
    texts = [[row[name] for row in rows] for name in ("prediction", "summary")]
    for name, values in score_texts(*texts).items():
        mean = round(float(np.mean(values)), 4)
        assert result[name]["mean"] == mean
        assert result[name]["low"] <= mean <= result[name]["high"]
    assert set(result) == {"model", "data", "examples", *NAMES}


def test_predictions_are_the_models_and_in_the_order_of_the_file(
    evaluated, checkpoint, loaded
):
    from tf_led import LEDTokenizerFast

    argv, rows, *_ = evaluated
    model = loaded[str(checkpoint)]
    tokenizer = LEDTokenizerFast.from_pretrained(checkpoint)
    with open(argv[4]) as file:
        documents = [line for line in file if '"summary": "' in line]
    kept = [json.loads(line) for line in documents if '"a"' not in line]
    row = kept[3]
    inputs = tokenizer(row["document"], return_tensors="tf")
    inputs["global_attention_mask"] = [[1] + [0] * (inputs["input_ids"].shape[1] - 1)]
    ids = model.generate(**inputs, num_beams=1, max_new_tokens=7)[0]
    assert rows[3]["summary"] == row["summary"]
    assert rows[3]["prediction"] == tokenizer.decode(ids, skip_special_tokens=True)


def test_what_became_of_the_data(evaluated):
    assert "11 examples; 2 bad records left out; 1 documents cut" in evaluated[3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-new-tokens", "33"], "33: the model's decoder has 32 positions"),
        (["--data", "nowhere.jsonl"], "--data: [Errno 2] No such file"),
        (["--summary-key", "title"], "no example that can be used"),
        (["--strict"], "train.jsonl:3: not JSON"),
        (["--global-tokens", "question"], "needs --question-key"),
        (["--batch-size", "0"], "at least 1, got '0'"),
        (
            ["--predictions", "no/where"],
            "--predictions no/where: there is no directory",
        ),
    ],
)
def test_a_mistake_is_one_line(evaluated, capsys, options, message):
    assert main([*evaluated[0], *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err.splitlines()[-1]


def test_the_interval_holds_the_mean_and_narrows():
    values = np.random.default_rng(0).normal(30, 10, 500)
    wide, narrow = with_interval(values[:50], seed=0), with_interval(values, seed=0)
    assert (
        wide == with_interval(values[:50], seed=0) != with_interval(values[:50], seed=1)
    )
    for numbers in (wide, narrow):
        assert numbers["low"] < numbers["mean"] < numbers["high"]
    # 1.96 standard errors to each side
    width = narrow["high"] - narrow["low"]
    assert width == pytest.approx(2 * 1.96 * 10 / np.sqrt(500), rel=0.15)
    assert wide["high"] - wide["low"] > 2 * width


def test_scores_are_percentages():
    scores = score_texts(["the cat sat"], ["the cat ran"])
    assert scores["rouge2"] == [50.0] and scores["rougeL"][0] == pytest.approx(200 / 3)
