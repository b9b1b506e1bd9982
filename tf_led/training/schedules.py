"""Learning rates that rise first and then fall."""

import math
from typing import Any

import keras
import tensorflow as tf

from tf_led.training.steps import num_replicas, sum_over_replicas
from tf_led.utils.annotations import TensorLike

_on_all_replicas = tf.__internal__.distribute.interim.maybe_merge_call
# Biases, and gain and offset of norms.
NO_DECAY = (r"(^|/)(bias|gamma|beta)(:\d+)?$",)


@keras.saving.register_keras_serializable(package="tf_led")
class AdamW(keras.optimizers.AdamW):
    """Keras' AdamW without weight decay on biases and norms, in few operations.

    A variable is updated by two operations where Keras has some 25: on a GPU that is
    most of what a training step launches. Names and shapes of its state are Keras'.

    Over several replicas it clips what they have found together; Keras' optimizers clip
    each replica's part on its own, which gives other numbers than one large batch.

    Args:
        learning_rate: float or schedule, such as `tf_led.training.schedules.WarmUp`.
        weight_decay: float.
        epsilon: float. Keras adds it elsewhere than PyTorch: with PyTorch's 1e-8 the
            steps differ a little, with 1e-10 in both hardly at all.
        **kwargs: of `keras.optimizers.AdamW`: `beta_1`, `beta_2`, `global_clipnorm`,
            `gradient_accumulation_steps`, ...

    Source: Decoupled Weight Decay Regularization (arXiv 1711.05101), algorithm 2.

    Example:
        >>> from tf_led.training.schedules import AdamW
        >>> AdamW(3e-5, global_clipnorm=1.0).weight_decay
        0.01
    """

    def __init__(
        self,
        learning_rate: Any = 5e-5,
        weight_decay: float | None = 0.01,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            epsilon=epsilon,
            **kwargs,
        )
        self.exclude_from_weight_decay(var_names=NO_DECAY)

    def _clip_gradients(self, grads):
        if num_replicas() > 1:
            grads = [sum_over_replicas(gradient) for gradient in grads]
        if self.global_clipnorm and not self.clipnorm:
            return tf.clip_by_global_norm(grads, self.global_clipnorm)[0]
        return super()._clip_gradients(grads)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # They have been summed before they were clipped.
        return grads_and_vars

    def _apply_weight_decay(self, variables):
        if not self.weight_decay:
            return

        def decay(variable, rate):
            variable.assign_sub(variable * tf.cast(rate, variable.dtype))

        def decay_all(strategy, variables):
            rate = self.learning_rate * self.weight_decay
            for variable in variables:
                if isinstance(variable, keras.Variable):
                    variable = variable.value
                if self._use_weight_decay(variable):
                    strategy.extended.update(variable, decay, (rate,), group=False)

        _on_all_replicas(decay_all, self._distribution_strategy, variables)

    def _distributed_tf_update_step(self, distribution, grads_and_vars, learning_rate):
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = [tf.pow(beta, step) for beta in (self.beta_1, self.beta_2)]
        for gradient, variable in grads_and_vars:
            distribution.extended.update(
                variable,
                self._update,
                args=(gradient, learning_rate, powers),
                group=False,
            )

    def _update(self, variable, gradient, learning_rate, powers):
        """Changes a variable and its two means, in one op where there is one."""
        is_sparse = isinstance(gradient, tf.IndexedSlices)
        if self.amsgrad or is_sparse or variable.dtype != tf.float32:
            self.update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )


@keras.saving.register_keras_serializable(package="tf_led")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises in a straight line to its peak, then falls to a fraction of it.

    The learning rates are those of transformers' `get_linear_schedule_with_warmup` and
    `get_cosine_schedule_with_warmup`: the first is 0 where there is a warm-up.

    Args:
        peak: float > 0, the highest learning rate.
        total_steps: int >= 1, updates until the lowest; it stays there afterwards.
            Batches whose gradients are only accumulated are no updates.
        warmup_steps: int from 0 to `total_steps`.
        decay: "linear", "cosine" or "constant", the way down.
        lowest: float from 0 to 1, the fraction of the peak that is left at the end.

    Raises:
        ValueError: on a value out of range.

    Source: Attention Is All You Need (arXiv 1706.03762), section 5.3, for the warm-up;
    SGDR (arXiv 1608.03983), section 3, for the cosine, here without restarts.

    Example:
        >>> from tf_led.training.schedules import WarmUp
        >>> schedule = WarmUp(0.1, total_steps=6, warmup_steps=2)
        >>> [round(float(schedule(step)), 3) for step in range(7)]
        [0.0, 0.05, 0.1, 0.075, 0.05, 0.025, 0.0]
    """

    def __init__(
        self,
        peak: float,
        total_steps: int,
        warmup_steps: int = 0,
        decay: str = "linear",
        lowest: float = 0.0,
    ) -> None:
        super().__init__()
        _check("peak", peak, peak > 0, "above 0")
        _check("total_steps", total_steps, total_steps >= 1, "at least 1")
        in_range = 0 <= warmup_steps <= total_steps
        _check("warmup_steps", warmup_steps, in_range, f"from 0 to {total_steps}")
        _check("decay", decay, decay in _DECAYS, f"one of {', '.join(_DECAYS)}")
        _check("lowest", lowest, 0 <= lowest <= 1, "from 0 to 1")
        self.peak = peak
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps
        self.decay = decay
        self.lowest = lowest

    def __call__(self, step: TensorLike) -> tf.Tensor:
        """The learning rate of an update.

        Args:
            step: int[], counted from 0.

        Returns:
            float32[].
        """
        step = tf.cast(step, tf.float32)
        rising = step / max(1, self.warmup_steps)
        down = max(1, self.total_steps - self.warmup_steps)
        done = tf.clip_by_value((step - self.warmup_steps) / down, 0.0, 1.0)
        falling = self.lowest + (1 - self.lowest) * _DECAYS[self.decay](done)
        return self.peak * tf.where(step < self.warmup_steps, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        names = ("peak", "total_steps", "warmup_steps", "decay", "lowest")
        return {name: getattr(self, name) for name in names}


# What is left of the peak when a fraction of the way down is done, both from 0 to 1.
_DECAYS = {
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + tf.cos(math.pi * done)) / 2,
    "constant": tf.ones_like,
}


def _check(name, value, is_right, allowed):
    if not is_right:
        raise ValueError(f"`{name}` must be {allowed}, got {value!r}.")
