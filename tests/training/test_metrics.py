import keras
import numpy as np

from tf_led.training.metrics import TokenAccuracy

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
