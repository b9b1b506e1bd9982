"""Files that the old classes themselves wrote: the same numbers, the same outputs."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

import tf_led
from tests.checkpoints.old_files.make import INPUTS

ARCHIVE = Path(__file__).parent / "old_files" / "old.tar.xz"
Model = tf_led.TFLEDForConditionalGeneration
FOLDERS = [
    "tf-h5",
    "tf-sharded",
    "tf-second-of-a-process",
    "tf-safetensors",
    "tf-safetensors-sharded",
    "torch-bin",
    "torch-safetensors",
]


@pytest.fixture(scope="session")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written_by_the_old_classes")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old"


@pytest.fixture(scope="session")
def outputs(old):
    return dict(np.load(old / "outputs.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_models_file(old, outputs, folder):
    model, report = Model.from_pretrained(old / folder, output_loading_info=True)
    assert not any(report.values())
    logits = model(INPUTS).logits
    np.testing.assert_allclose(logits, outputs["tf"], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(logits, outputs["tied"], atol=1e-4, rtol=1e-4)


def test_an_untied_models_file(old, outputs):
    model, report = Model.from_pretrained(
        old / "torch-untied", output_loading_info=True
    )
    assert not any(report.values())
    assert not model.config.tie_word_embeddings
    logits = model(INPUTS).logits
    np.testing.assert_allclose(logits, outputs["untied"], atol=1e-4, rtol=1e-4)
    assert np.abs(outputs["untied"] - outputs["tied"]).max() > 0.1


def test_a_bare_file_into_the_bare_model(old, outputs):
    model = tf_led.TFLEDModel.from_pretrained(old / "tf-bare")
    states = model(INPUTS).last_hidden_state
    np.testing.assert_allclose(states, outputs["states"], atol=1e-4, rtol=1e-4)
    with pytest.warns(UserWarning, match="`final_logits_bias/final_logits_bias:0`"):
        model = tf_led.TFLEDModel.from_pretrained(old / "tf-h5")
    np.testing.assert_array_equal(model(INPUTS).last_hidden_state, states)


def test_a_bare_file_into_a_head(old, outputs):
    """As with files of before 2022, which left the bias out."""
    model, report = Model.from_pretrained(old / "tf-bare", output_loading_info=True)
    assert not any(report.values())
    assert not np.any(model.final_logits_bias)
    full = Model.from_pretrained(old / "tf-h5")
    np.testing.assert_allclose(
        model(INPUTS).logits, full(INPUTS).logits - full.final_logits_bias, atol=1e-5
    )
