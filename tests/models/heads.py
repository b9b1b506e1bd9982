"""The heads over whole documents, each with every pooling, and inputs for them."""

import functools

import numpy as np

import tf_led
from tests.models.conftest import SMALL, make_model

Classifier = tf_led.TFLEDForSequenceClassification
Answerer = tf_led.TFLEDForQuestionAnswering
HEADS = [
    (Classifier, "decoder"),
    (Classifier, "encoder_first"),
    (Classifier, "encoder_mean"),
    (Answerer, "decoder"),
    (Answerer, "encoder"),
]
WITHOUT_DECODER = [head for head in HEADS if head[1] != "decoder"]
# Every learning step is to give the same numbers.
FIELDS = {**SMALL, "dropout": 0.0, "num_labels": 3}
# A trace of a training step takes seconds; most tests take the step eagerly.
EAGER = {"run_eagerly": True}


def new_head(cls, pooling=None, options=(), **fields):
    """A head of its own, for tests that change it."""
    options = {"pooling": pooling, **dict(options)}
    return make_model(cls, options=options, **{**FIELDS, **fields})


# One of each for all tests that only look.
get_head = functools.cache(new_head)


def documents():
    """Two documents that end twice: one with two global tokens, one with padding."""
    ids = np.array([[0, 5, 11, 2, 17, 23, 2], [0, 7, 2, 13, 2, 1, 1]])
    global_mask = np.zeros_like(ids)
    global_mask[0, [0, 4]] = global_mask[1, 0] = 1
    return {
        "input_ids": ids,
        "attention_mask": (ids != 1).astype(int),
        "global_attention_mask": global_mask,
    }


def labels_for(cls):
    """Labels of the two documents, by name."""
    if cls is Classifier:
        return {"labels": np.array([2, 0])}
    return {"start_positions": np.array([1, 3]), "end_positions": np.array([5, 3])}


def scores_of(output):
    """[B, E], or [B, S, 2] of starts and ends, as an array."""
    if "logits" in output:
        return np.asarray(output["logits"])
    return np.stack([output["start_logits"], output["end_logits"]], axis=-1)
