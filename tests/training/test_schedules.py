import keras
import numpy as np
import pytest
import torch
from transformers import (
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from tf_led.training.schedules import WarmUp


@pytest.mark.parametrize(
    ("decay", "theirs"),
    [
        ("linear", get_linear_schedule_with_warmup),
        ("cosine", get_cosine_schedule_with_warmup),
    ],
)
@pytest.mark.parametrize("warmup", [0, 3])
def test_learning_rates_are_those_of_transformers(decay, theirs, warmup):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.7)
    scheduler = theirs(optimizer, warmup, 11)
    expected = []
    for _ in range(12):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    schedule = WarmUp(0.7, 11, warmup, decay=decay)
    np.testing.assert_allclose([schedule(i) for i in range(12)], expected, atol=1e-7)


def test_it_stays_at_the_lowest():
    schedule = WarmUp(0.5, 7, 2, decay="cosine", lowest=0.2)
    np.testing.assert_allclose(
        [schedule(2), schedule(7), schedule(23)], [0.5, 0.1, 0.1]
    )


def test_a_constant_rate_after_the_warm_up():
    schedule = WarmUp(0.5, 7, 2, decay="constant")
    np.testing.assert_allclose([schedule(i) for i in (0, 1, 2, 9)], [0, 0.25, 0.5, 0.5])


def test_it_is_saved_with_its_optimizer():
    schedule = WarmUp(0.5, 7, 2, decay="cosine", lowest=0.2)
    optimizer = keras.optimizers.SGD(schedule)
    config = keras.optimizers.serialize(optimizer)
    again = keras.optimizers.deserialize(config)._learning_rate
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"peak": 0.0}, "`peak` must be above 0, got 0.0"),
        ({"total_steps": 0}, "`total_steps` must be at least 1, got 0"),
        ({"warmup_steps": 13}, "`warmup_steps` must be from 0 to 11, got 13"),
        ({"decay": "steep"}, "`decay` must be one of linear, .*, got 'steep'"),
        ({"lowest": 1.5}, "`lowest` must be from 0 to 1, got 1.5"),
    ],
)
def test_values_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        WarmUp(**{"peak": 0.1, "total_steps": 11, **arguments})
