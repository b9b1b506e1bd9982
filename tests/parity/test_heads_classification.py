"""Sequence classification equals transformers 4.57's, which version 5 dropped.

data/classification holds what that class wrote and computed; make_classification_golden
is the script.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import tf_led
from tests.parity.compare import FORWARD, GRADIENT, relative_error
from tests.parity.gradients import assert_gradients_match, our_gradients

FOLDER = Path(__file__).parent / "data" / "classification"
GOLDEN = json.loads((FOLDER / "golden.json").read_text())
INPUTS = {name: np.array(rows) for name, rows in GOLDEN["inputs"].items()}
LABELS = {name: np.array(rows) for name, rows in GOLDEN["labels"].items()}
Classifier = tf_led.TFLEDForSequenceClassification


@pytest.fixture(scope="module")
def model():
    model, report = Classifier.from_pretrained(FOLDER, output_loading_info=True)
    assert not any(report.values()), report
    return model


def with_problem_type(model, problem_type):
    """The same weights under a config that names the problem."""
    named = Classifier.from_pretrained(FOLDER, problem_type=problem_type)
    assert named.config.problem_type == problem_type
    return named


def test_logits(model):
    assert relative_error(model(INPUTS).logits, GOLDEN["logits"]) <= FORWARD


def test_single_labels_and_every_gradient(model):
    answer = GOLDEN["answers"]["single_label_classification"]
    labels = LABELS["single_label_classification"]
    loss, mine = our_gradients(model, {**INPUTS, "labels": labels})
    assert relative_error(loss, answer["loss"]) <= FORWARD
    theirs = load_file(FOLDER / "gradients.safetensors")
    assert_gradients_match(mine, theirs)
    assert np.abs(theirs["led.encoder.layers.0.fc1.weight"]).max() > 1e-3


@pytest.mark.parametrize("problem_type", LABELS)
def test_losses(model, problem_type):
    """The problem type is taken from the config, and for classes from the labels."""
    answer, labels = GOLDEN["answers"][problem_type], LABELS[problem_type]
    models = [with_problem_type(model, problem_type)]
    if problem_type != "regression":
        models.append(model)
    for classifier in models:
        loss, gradients = our_gradients(classifier, {**INPUTS, "labels": labels})
        assert relative_error(loss, answer["loss"]) <= FORWARD
        mine = gradients["classification_head.out_proj.weight"]
        assert relative_error(mine, answer["out_proj"]) <= GRADIENT
    assert model.config.problem_type is None  # PyTorch writes its choice there


def test_one_number():
    with pytest.warns(UserWarning, match="2 weights of another shape"):
        small = Classifier.from_pretrained(
            FOLDER, num_labels=1, ignore_mismatched_sizes=True
        )
    weights = load_file(FOLDER / "model.safetensors")
    head = small.classification_head.out_proj
    head.kernel.assign(weights["classification_head.out_proj.weight"][:1].T)
    head.bias.assign(weights["classification_head.out_proj.bias"][:1])
    answer = GOLDEN["one_number"]
    numbers = np.array(GOLDEN["numbers"], "float32")
    for labels in (numbers, numbers[:, None]):
        output = small(INPUTS, labels=labels)
        assert relative_error(output.logits, answer["logits"]) <= FORWARD
        assert relative_error(output.loss, answer["loss"]) <= FORWARD


def test_labels_of_minus_100_do_not_count(model):
    """As in PyTorch; where none counts the loss is 0, which there is NaN."""
    logits = model(INPUTS).logits
    labels = np.array([-100, 2, -100])
    cross_entropy = torch.nn.CrossEntropyLoss()
    theirs = cross_entropy(torch.tensor(np.array(logits)), torch.tensor(labels))
    np.testing.assert_allclose(model(INPUTS, labels=labels).loss, theirs, rtol=1e-5)
    assert model(INPUTS, labels=np.full(3, -100)).loss == 0.0


def test_the_checkpoint_comes_back_bit_equal(model, tmp_path):
    model.save_pretrained(tmp_path)
    written = load_file(tmp_path / "model.safetensors")
    theirs = load_file(FOLDER / "model.safetensors")
    assert written.keys() == theirs.keys()
    for name, array in theirs.items():
        np.testing.assert_array_equal(written[name], array, err_msg=name)
    fields = json.loads((tmp_path / "config.json").read_text())
    assert fields["architectures"] == ["LEDForSequenceClassification"]
