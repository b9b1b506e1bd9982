"""A model learns two long documents by heart, by everything that training offers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tf_led.testing import tiny_config
from tf_led.training.schedules import AdamW, WarmUp

STEPS = 150
START, PAD, END = 0, 1, 2
# As a tokenizer makes them; one is shorter.
SUMMARIES = [[START, 7, 11, 7, 23, 5, END], [START, 13, 3, 11, END, PAD, PAD]]


@pytest.fixture(scope="module")
def documents():
    ids = np.random.default_rng(5).integers(3, 29, [2, 61])
    mask = np.ones_like(ids)
    ids[1, 53:], mask[1, 53:] = PAD, 0
    global_mask = np.zeros_like(ids)
    global_mask[:, 0] = 1
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": global_mask,
    }


@pytest.fixture(scope="module")
def learned(documents):
    keras.utils.set_random_seed(3)
    model = tf_led.TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1, attention_window=16)
    )
    schedule = WarmUp(0.03, STEPS, STEPS // 10, decay="cosine")
    model.compile(AdamW(schedule, global_clipnorm=1.0), metrics=["accuracy"])
    batch = {**documents, "labels": np.array(SUMMARIES)}
    batches = tf.data.Dataset.from_tensors(batch).repeat(STEPS)
    model.fit(batches, verbose=0)
    return model, model.evaluate(batches.take(1), verbose=0, return_dict=True)


@pytest.mark.slow
def test_the_loss_falls(learned):
    _, result = learned
    assert result["loss"] < 0.05 and result["accuracy"] == 1


@pytest.mark.parametrize("num_beams", [1, 3])
def test_the_summaries_are_generated_exactly(learned, documents, num_beams):
    """After the decoder's start token each ends once; padding follows."""
    model, _ = learned
    ids = model.generate(**documents, num_beams=num_beams, max_new_tokens=11)
    expected = [[END, *summary] for summary in SUMMARIES]
    assert np.array(ids).tolist() == expected
