"""AdamW as transformers are fine-tuned with it."""

import keras

from tf_led.training.replicas import num_replicas, sum_over_replicas

# Biases, and gain and offset of norms.
NO_DECAY = (r"(^|/)(bias|gamma|beta)(:\d+)?$",)


@keras.saving.register_keras_serializable(package="tf_led")
class AdamW(keras.optimizers.AdamW):
    """Keras' AdamW without weight decay on biases and norms.

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
        >>> from tf_led.training.optimizer import AdamW
        >>> AdamW(3e-5, global_clipnorm=1.0).weight_decay
        0.01
    """

    def __init__(self, learning_rate=5e-5, weight_decay=0.01, epsilon=1e-8, **kwargs):
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
        return super()._clip_gradients(grads)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        # They have been summed before they were clipped.
        return grads_and_vars
