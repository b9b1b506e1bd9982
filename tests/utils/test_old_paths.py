"""What version 0.1 pickled and saved loads, and the paths that it had lead on."""

import importlib
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tf_led.utils.old_paths import OLD_PATHS

DATA = Path(__file__).parent / "data"
PICKLES = pickle.loads((DATA / "pickled_by_0_1.pkl").read_bytes())


@pytest.mark.parametrize("name", sorted(PICKLES))
def test_what_was_pickled_loads(name):
    found = pickle.loads(PICKLES[name])
    assert not type(found).__module__.startswith("pickle")


def test_pickled_things_are_of_todays_classes():
    assert type(pickle.loads(PICKLES["output"])) is tf_led.TFLEDSeq2SeqLMOutput
    assert pickle.loads(PICKLES["class"]) is tf_led.TFLEDForQuestionAnswering
    assert pickle.loads(PICKLES["options"]).num_beams == 2
    assert pickle.loads(PICKLES["topp"]).top_p == 0.5


def test_a_saved_model_loads_and_answers():
    model = keras.models.load_model(DATA / "saved_by_0_1.keras")
    ids = tf.constant([[5, 6, 7]])
    logits = model(ids, decoder_input_ids=tf.constant([[2, 3]])).logits
    expected = pickle.loads(PICKLES["output"]).logits
    np.testing.assert_allclose(logits, expected, atol=1e-6)


@pytest.mark.parametrize("old", sorted(OLD_PATHS))
def test_an_old_path_leads_to_the_module_of_today(old):
    module, new = importlib.import_module(old), importlib.import_module(OLD_PATHS[old])
    names = [name for name in vars(new) if not name.startswith("_")]
    assert names
    assert all(getattr(module, name) is getattr(new, name) for name in names)


def test_a_name_that_never_was_is_named():
    with pytest.raises(AttributeError, match="no_such_name"):
        importlib.import_module("tf_led.ops.struct").no_such_name  # noqa: B018
