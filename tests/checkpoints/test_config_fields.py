import pytest

from tf_led.checkpoints.bart_config import led_config
from tf_led.checkpoints.config_fields import check_num_labels
from tf_led.checkpoints.errors import CheckpointError


@pytest.mark.parametrize("count", [1, 1 << 20, None])
def test_numbers_of_labels_that_can_be(count):
    check_num_labels({"num_labels": count})
    check_num_labels({})


@pytest.mark.parametrize("count", [0, -3, 1 << 40, 1e300])
def test_numbers_of_labels_that_would_fill_the_memory(count):
    with pytest.raises(
        CheckpointError, match=f"`num_labels` {count}".replace("+", ".")
    ):
        check_num_labels({"num_labels": count})


def test_a_bart_is_looked_at_too():
    with pytest.raises(CheckpointError, match="`num_labels` 1099511627776"):
        led_config({"model_type": "bart", "num_labels": 1 << 40})
