import tensorflow as tf

from tf_led.training.replicas import num_replicas, sum_over_replicas


def test_alone():
    tensor = tf.constant([3.0, 5.0])
    assert num_replicas() == 1
    assert sum_over_replicas(tensor) is tensor


def test_outside_of_a_step():
    """What several replicas sum is tested with them, in test_distribution.py."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        tensor = tf.constant(3)
        assert sum_over_replicas(tensor) is tensor
