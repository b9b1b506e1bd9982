"""Another number of tokens: the embedding, its bias and the config together."""

import copy
import operator

import numpy as np
import tensorflow as tf

# New rows spread this little around the mean: enough to tell them apart.
VARIANCE_SCALE = 1e-9
SPECIAL_IDS = (
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "decoder_start_token_id",
)


class ResizeMixin:
    """Changes the vocabulary of a model."""

    def resize_token_embeddings(
        self, new_num_tokens=None, pad_to_multiple_of=None, mean_resizing=True
    ):
        """Gives the vocabulary another size, V', keeping the first tokens' weights.

        Encoder, decoder and output projection go on sharing one table. The bias on the
        logits gets zeros. The model gets a new config with `vocab_size` V'; the old
        config object stays as it is. What the model has compiled (`fit`, `predict`,
        `generate`, `serving`) is compiled anew; a `tf.function` of your own that was
        traced before fails from now on: make it again. So does a reference to the old
        table.

        Args:
            new_num_tokens: int, V'; None for the present size.
            pad_to_multiple_of: int or None. V' is rounded up to a multiple of it.
            mean_resizing: bool. True draws new rows close to the mean of the old ones,
                with their covariance times 1e-9, so that new tokens hardly change the
                probabilities of the others; False draws them as a new model does.
                `tf.random.set_seed` makes either repeat.

        Returns:
            The token embedding, as `get_input_embeddings()`.

        Raises:
            ValueError: if V' is no positive int or would cut off a special token; if
                the embedding is quantised or has LoRA weights; or if the model was
                compiled with an optimizer that holds state for the old table.

        Source: transformers 5.23, method of this name.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.resize_token_embeddings(31).embeddings.shape
            TensorShape([31, 12])
            >>> model.config.vocab_size
            31
        """
        embedding = self.get_input_embeddings()
        old_size = embedding.input_dim
        new_size = _round_up(
            _as_size(new_num_tokens, "new_num_tokens", default=old_size),
            _as_size(pad_to_multiple_of, "pad_to_multiple_of", default=1),
        )
        if new_size == old_size:
            return embedding
        _check_special_ids(self.config, new_size)
        _check_plain(embedding)
        _check_optimizer(getattr(self, "optimizer", None))
        with self.distribute_strategy.scope():
            draw = _draw_around_mean if mean_resizing else self._draw_as_new
            _resize_embedding(embedding, new_size, draw)
            if self.get_bias() is not None:
                _resize_bias(self, new_size)
        self._forget_compiled()
        self._set_config(new_size)
        return embedding

    def _draw_as_new(self, values, num_rows):
        shape = [num_rows, values.shape[1]]
        return tf.random.normal(shape, stddev=self.config.init_std)

    def _set_config(self, vocab_size):
        config = copy.deepcopy(self.config)
        config.vocab_size = vocab_size
        for part in (self, self.led, self.led.encoder, self.led.decoder):
            part.config = config

    def _forget_compiled(self):
        self.train_function = self.test_function = self.predict_function = None
        self.__dict__.pop("serving", None)
        self.__dict__.get("_compiled_generation", {}).clear()


def _resize_embedding(embedding, new_size, draw):
    old = embedding._embeddings
    values = tf.convert_to_tensor(old.value)
    embedding.input_dim = new_size
    embedding.built = False
    _replace_weight(embedding, old, lambda: embedding.build((None, None)))
    embedding._embeddings.trainable = old.trainable
    embedding._embeddings.assign(_resize_rows(values, new_size, draw))


def _resize_bias(model, new_size):
    old = model.final_logits_bias
    values = tf.convert_to_tensor(old.value)[0]
    _replace_weight(model, old, lambda: model._add_bias(new_size))
    values = _resize_rows(values, new_size, lambda _, num_added: tf.zeros([num_added]))
    model.final_logits_bias.assign(values[None])


def _resize_rows(values, new_size, draw):
    """Cuts [V, ...] to its first V' rows, or adds what `draw(values, V' - V)` gives."""
    rows = draw(values, max(0, new_size - values.shape[0]))
    return tf.concat([values[:new_size], tf.cast(rows, values.dtype)], axis=0)


def _replace_weight(layer, old, add_new):
    """Lets a layer, which Keras has locked, add a variable in place of an old one."""
    layer._untrack_variable(old)
    layer._tracker.unlock()
    add_new()
    layer._tracker.lock()
    _retire(old)


def _draw_around_mean(values, num_rows):
    """Rows with the mean of `values` [V, D] and `VARIANCE_SCALE` of its covariance."""
    values = np.asarray(values).astype("float32")
    mean = values.mean(axis=0)
    centred = values - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(values))
    spread = axes * np.sqrt(VARIANCE_SCALE * variances.clip(0))  # [D, D]
    noise = tf.random.normal([num_rows, len(mean)])
    return mean + tf.matmul(noise, spread, transpose_b=True)


def _retire(variable):
    """Makes a variable unreadable: graphs that captured it would use stale weights."""
    value = variable.value
    for copy_of_value in getattr(value, "values", [value]):  # one for each replica
        tf.raw_ops.AssignVariableOp(
            resource=copy_of_value.handle,
            value=tf.zeros([], value.dtype),
            validate_shape=False,
        )


def _as_size(value, name, default):
    if value is None:
        return default
    try:
        size = operator.index(value)
    except TypeError:
        size = 0
    if size < 1 or isinstance(value, bool):
        raise ValueError(f"`{name}` must be an int of at least 1, got {value!r}.")
    return size


def _round_up(size, multiple):
    return -(-size // multiple) * multiple


def _check_special_ids(config, new_size):
    for name in SPECIAL_IDS:
        ids = getattr(config, name, None)
        ids = ids if isinstance(ids, (list, tuple)) else [ids]
        for token_id in ids:
            if token_id is not None and token_id >= new_size:
                raise ValueError(
                    f"`new_num_tokens` {new_size} would cut off token {token_id}, the "
                    f"config's `{name}`. Keep at least {token_id + 1} tokens."
                )


def _check_plain(embedding):
    if embedding.quantization_mode is not None or embedding.lora_enabled:
        state = embedding.quantization_mode or "LoRA"
        raise ValueError(
            f"The token embedding has {state} weights, which cannot be resized. Resize "
            "the model first, then quantise it or add LoRA."
        )


def _check_optimizer(optimizer):
    if optimizer is not None and optimizer.built:
        raise ValueError(
            f"The model is compiled with {type(optimizer).__name__}, which holds state "
            "for the old table. Resize before training, or call "
            "model.compile(optimizer) with a new optimizer first."
        )
