"""Where TensorFlow's workers compute: on the GPU where there is one."""

import measure
import tensorflow as tf

NAME = "GPU:0"


class Gpu:
    """See `measure.Host`; memory is what TensorFlow's allocator gave out."""

    def wait(self):
        tf.test.experimental.sync_devices()

    def forget_peak(self):
        tf.config.experimental.reset_memory_stats(NAME)

    def peak_bytes(self):
        return tf.config.experimental.get_memory_info(NAME)["peak"]


GPUS = tf.config.list_physical_devices("GPU")
if GPUS:
    measure.device = Gpu()


def name():
    """What the first GPU is called; None without one."""
    if not GPUS:
        return None
    return tf.config.experimental.get_device_details(GPUS[0]).get("device_name", NAME)
