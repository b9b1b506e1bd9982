"""Input pipelines on tf.data."""

from tf_led.data.examples import Keys
from tf_led.data.pipeline import make_dataset
from tf_led.data.report import DataError, DataReport

__all__ = ["DataError", "DataReport", "Keys", "make_dataset"]
