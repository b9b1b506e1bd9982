"""`fit` over several devices and several machines, by `tf.distribute`.

Keras 3.15 trains under MirroredStrategy; under MultiWorkerMirroredStrategy its `fit`
fails, on the optionals that it wraps batches in and on reducing a batch of ids to its
mean. What stands here puts plain steps in their place.
"""

import keras
import tensorflow as tf

from tf_led.training.accumulation import build_optimizer


class DistributedFit:
    """Mixin before `keras.Model`: a `fit` and `evaluate` that many workers share."""

    def make_train_function(self, force=False):
        """As `keras.Model.make_train_function`."""
        if not _has_workers(self):
            return super().make_train_function(force)
        if force or self.train_function is None:
            self.train_function = _over_workers(self, self.train_step)
        return self.train_function

    def make_test_function(self, force=False):
        """As `keras.Model.make_test_function`."""
        if not _has_workers(self):
            return super().make_test_function(force)
        if force or self.test_function is None:
            self.test_function = _over_workers(self, self.test_step)
        return self.test_function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Makes under the strategy what Keras would make inside the first step."""
        strategy = self._distribute_strategy
        if strategy is None:
            return
        if iterator is not None:
            data_batch = _first_batch(iterator, strategy)
        with strategy.scope():
            if self.optimizer is not None:
                build_optimizer(self.optimizer, self.trainable_variables)
            self._symbolic_build(data_batch=data_batch)


def _has_workers(model):
    return isinstance(
        model.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy
    )


def _first_batch(iterator, strategy):
    """The first replica's batch; on several workers they differ in shape."""
    for _, _, batches in iterator:
        return keras.tree.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], next(batches)
        )
    return None


def _over_workers(model, step):
    strategy = model.distribute_strategy

    @tf.function(reduce_retracing=True)
    def run(batch):
        metrics = strategy.run(step, args=(batch,))
        return keras.tree.map_structure(
            lambda value: strategy.reduce("MEAN", value, axis=None), metrics
        )

    def run_some(iterator):
        for done in range(model.steps_per_execution):
            try:
                metrics = run(next(iterator))
            except StopIteration:
                if not done:
                    raise
                break
        return metrics

    return run_some
