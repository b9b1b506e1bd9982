"""What every test runs under: quiet TensorFlow, fixed seeds, no network."""

import gc
import os
import random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow loads
os.environ["HF_HUB_OFFLINE"] = "1"  # a forgotten Hub id fails at once, everywhere

import hypothesis  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

# Tracing makes objects by the million that live on: Python need not look for garbage
# after every few hundred of them.
gc.set_threshold(200_000, 20, 100)

# A run gives the same answer twice. HYPOTHESIS_PROFILE=explore looks further.
_COMMON = {
    "deadline": None,  # a first call traces or compiles: seconds, then microseconds
    "database": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, max_examples=50, **_COMMON
)
hypothesis.settings.register_profile("explore", max_examples=1000, **_COMMON)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(autouse=True, scope="session")
def tensorflow_seed():
    """One seed of TensorFlow's a run: setting it drops every compiled function."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="module")
def frozen_leftovers(tensorflow_seed):
    """Spares Python's collector what outlives a file of tests.

    Graphs are millions of objects. Python looks at all of them again and again (Keras
    asks it to for every layer that is quantised), up to half of the time of a test.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def seeds(tensorflow_seed):
    """Python and NumPy start each test from one state, whatever ran before it.

    Keras draws the seeds of its initialisers and layers from Python's generator. A
    test that draws from TensorFlow or torch itself gives a seed of its own.
    """
    random.seed(0)
    np.random.seed(0)
