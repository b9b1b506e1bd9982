"""Input pipelines on tf.data."""

from tf_led.data.pipeline import make_dataset
from tf_led.data.records import DataError, DataReport, DataWarning, Keys

__all__ = ["DataError", "DataReport", "DataWarning", "Keys", "make_dataset"]
