import sys

import keras
import numpy as np
import pytest

from tf_led.training.metrics import RougeCallback, TokenAccuracy, score_rouge

LOGITS = np.eye(7)[[[3, 5, 2], [6, 6, 6]]]  # [2, 3, 7], the best are as numbered
LABELS = np.array([[3, 4, -100], [6, 1, 1]])


def test_labels_that_do_not_count_are_neither_right_nor_wrong():
    accuracy = TokenAccuracy(pad_token_id=1)
    accuracy.update_state(LABELS, LOGITS)
    np.testing.assert_allclose(accuracy.result(), 2 / 3)
    # A batch weighs what it has of labels, not one vote.
    accuracy.update_state(LABELS[:, 2:], LOGITS[:, 2:])
    np.testing.assert_allclose(accuracy.result(), 2 / 3)
    accuracy.update_state(LABELS[:1, :1], LOGITS[:1, :1])
    np.testing.assert_allclose(accuracy.result(), 3 / 4)


def test_nothing_counted_is_zero():
    assert float(TokenAccuracy(pad_token_id=1).result()) == 0


def test_weights_of_rows():
    accuracy = TokenAccuracy(pad_token_id=1)
    accuracy.update_state(LABELS, LOGITS, sample_weight=np.array([1.0, 3.0]))
    np.testing.assert_allclose(accuracy.result(), 4 / 5)


def test_saving():
    config = keras.metrics.serialize(TokenAccuracy(pad_token_id=13, name="right"))
    again = keras.metrics.deserialize(config)
    assert again.pad_token_id == 13 and again.name == "right"


class Words:
    """A tokenizer of words by their number."""

    def batch_decode(self, rows, skip_special_tokens):
        assert skip_special_tokens
        return [" ".join(f"w{i}" for i in row if i > 2) for row in rows]


class Parrot:
    """A model that repeats the first tokens of its document."""

    class config:
        pad_token_id = 1

    def generate(self, input_ids, max_new_tokens, **inputs):
        self.given = inputs
        return input_ids[:, :max_new_tokens]


BATCHES = [
    {
        "input_ids": np.array([[5, 6, 7, 8], [9, 10, 11, 1]]),
        "attention_mask": np.array([[1, 1, 1, 1], [1, 1, 1, 0]]),
        "decoder_input_ids": np.array([[2, 5], [2, 9]]),
        "labels": np.array([[5, 6, 2], [13, 17, -100]]),
    }
]


def scored(batches, epoch=0, **options):
    callback = RougeCallback(batches, Words(), max_new_tokens=2, **options)
    callback.set_model(Parrot())
    logs = {"loss": 0.5}
    callback.on_epoch_end(epoch, logs)
    return logs, callback.model


def test_scores_stand_in_the_logs_of_an_epoch():
    logs, model = scored(BATCHES)
    names = ("rouge1", "rouge2", "rougeL", "rougeLsum")
    assert logs == {"loss": 0.5, **{f"val_{name}": 0.5 for name in names}}
    assert list(model.given) == ["attention_mask"]


@pytest.mark.parametrize("as_dict", [False, True])
def test_labels_beside_the_inputs(as_dict):
    labels = BATCHES[0]["labels"]
    inputs = {"input_ids": BATCHES[0]["input_ids"]}
    batch = (inputs, {"labels": labels} if as_dict else labels)
    logs, _ = scored([batch], names=["rouge1"])
    assert logs == {"loss": 0.5, "val_rouge1": 0.5}


def test_every_few_epochs():
    assert "val_rouge1" not in scored(BATCHES, epoch=1, every=3)[0]
    assert "val_rouge1" in scored(BATCHES, epoch=2, every=3)[0]


def test_lines_are_sentences():
    scores = score_rouge(["a b\nc d"], ["c d\na b"])
    assert scores["rougeL"] == 0.5 and scores["rougeLsum"] == 1.0


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="2 references for 1 summaries"):
        score_rouge(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="`every` must be an int .* got 0"):
        RougeCallback([], Words(), every=0)
    with pytest.raises(ValueError, match="no `labels`, only input_ids"):
        scored([{"input_ids": np.array([[5, 6]])}])


def test_without_rouge_score(monkeypatch):
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    with pytest.raises(ImportError, match=r"pip install tf_led\[train\]"):
        RougeCallback([], Words())
