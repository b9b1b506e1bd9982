"""`fit` over several devices and several machines, by `tf.distribute`.

Under MultiWorkerMirroredStrategy the `fit` of Keras 3.15 fails, and under
MirroredStrategy its `steps_per_execution`: on the optionals that it wraps batches in,
and on reducing a batch of ids to its mean. What stands here puts plain steps in their
place.
"""

import keras
import tensorflow as tf

from tf_led.training.accumulation import accumulation_steps, build_optimizer


class DistributedFit:
    """Mixin before `keras.Model`: a `fit` and `evaluate` that many workers share."""

    def make_train_function(self, force=False):
        """As `keras.Model.make_train_function`."""
        if not _has_replicas(self):
            # Before callbacks restore it, and before a step is traced: variables made
            # while it is would have it traced again.
            if self.optimizer is not None and self.trainable_variables:
                build_optimizer(self.optimizer, self.trainable_variables)
            return super().make_train_function(force)
        if force or self.train_function is None:
            self.train_function = _over_replicas(self, self.train_step)
        return self.train_function

    def make_test_function(self, force=False):
        """As `keras.Model.make_test_function`."""
        if not _has_replicas(self):
            return super().make_test_function(force)
        if force or self.test_function is None:
            self.test_function = _over_replicas(self, self.test_step)
        return self.test_function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Makes under the strategy what Keras would make inside the first step."""
        strategy = self._distribute_strategy
        if strategy is None:
            return
        if iterator is not None:
            data_batch = _first_batch(iterator, strategy)
        num_replicas = strategy.num_replicas_in_sync
        with strategy.scope():
            if self.optimizer is not None:
                check_accumulation(self.optimizer, num_replicas)
                build_optimizer(self.optimizer, self.trainable_variables)
            self._symbolic_build(data_batch=data_batch)


def _has_replicas(model):
    strategy = model.distribute_strategy
    workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return workers or strategy.num_replicas_in_sync > 1


def check_accumulation(optimizer, num_replicas):
    """Raises an error for what Keras cannot do.

    Args:
        optimizer: Keras optimizer.
        num_replicas: int.

    Raises:
        ValueError: if it accumulates gradients over several replicas.
    """
    steps = accumulation_steps(optimizer)
    if steps > 1 and num_replicas > 1:
        raise ValueError(
            f"The optimizer has `gradient_accumulation_steps` {steps}, which Keras "
            f"cannot do over {num_replicas} replicas. Give larger batches, or "
            "gradient_checkpointing_enable() to make them fit."
        )


def _first_batch(iterator, strategy):
    """The first replica's batch; on several workers they differ in shape."""
    for _, _, batches in iterator:
        return keras.tree.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], next(batches)
        )
    return None


def _over_replicas(model, step):
    strategy = model.distribute_strategy

    def run(batch):
        metrics = strategy.run(step, args=(batch,))
        return keras.tree.map_structure(
            lambda value: strategy.reduce("MEAN", value, axis=None), metrics
        )

    traced = {}

    def trace(iterator):
        """One trace for all lengths that the dataset may have."""
        if model.run_eagerly:
            return run
        spec = getattr(iterator, "element_spec", None)
        if repr(spec) not in traced:
            signature = None if spec is None else [spec]
            traced[repr(spec)] = tf.function(
                run, input_signature=signature, reduce_retracing=spec is None
            )
        return traced[repr(spec)]

    def run_some(iterator):
        for done in range(model.steps_per_execution):
            try:
                # Not inside of the graph: there a batch beyond the last is made up.
                batch = next(iterator)
            except StopIteration:
                if not done:
                    raise
                break
            metrics = trace(iterator)(batch)
        return metrics

    return run_some
