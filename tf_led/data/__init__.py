"""Input pipelines on tf.data."""

from tf_led.data.examples import Keys
from tf_led.data.pipeline import make_dataset
from tf_led.data.report import DataError, DataReport, DataWarning

__all__ = ["DataError", "DataReport", "DataWarning", "Keys", "make_dataset"]
