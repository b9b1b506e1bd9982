"""Windowed and global self-attention of the encoder."""

import functools
from typing import NamedTuple

import keras
import tensorflow as tf

from tf_led.layers import heads
from tf_led.ops.dropout import fold_seed
from tf_led.ops.global_attention import (
    Projection,
    Slots,
    global_attention,
    global_attention_maps,
    put_slots,
    take_slots,
    with_slots,
)
from tf_led.ops.local_attention import window_attention, window_attention_maps
from tf_led.ops.tensor_utils import heads_first


class AttentionOutput(NamedTuple):
    """Result of an attention layer; maps are None unless asked for."""

    hidden: tf.Tensor
    probs: tf.Tensor | None = None
    global_probs: tf.Tensor | None = None


class EncoderAttention(keras.layers.Layer):
    """Attends to a window of neighbours and to global tokens.

    Global tokens attend to everything through projections of their own, and everything
    attends to them (arXiv 2004.05150, section 3.1).

    Call arguments: `hidden` float[B, S, D]; `padding_mask` bool[B, S], True for real
    tokens; `global_mask` bool[B, S] or None, True for global tokens that are not
    padding; `slots`, the `Slots` of `global_mask`, needed for maps only; `head_mask`
    float[N] or None; `seed` int32[2] or None for no dropout; `keep_maps` bool. Returns
    `AttentionOutput`, `probs` float[B, N, S, G + 2R + 1] and `global_probs` float[B, N,
    S, G].

    Args:
        dim: int, D.
        num_heads: int, N; divides `dim`.
        radius: int >= 1, R, positions seen on either side.
        dropout_rate: float, share of the attention dropped.
        init_std: float, standard deviation of the initial kernels.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: if `num_heads` does not divide `dim`.
    """

    def __init__(
        self, dim, num_heads, radius, *, dropout_rate=0.0, init_std=0.02, **kwargs
    ):
        super().__init__(**kwargs)
        heads.check_heads(dim, num_heads)
        self.dim = dim
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.radius = radius
        self.dropout_rate = dropout_rate
        for name in (
            "query",
            "key",
            "value",
            "query_global",
            "key_global",
            "value_global",
            "output_proj",
        ):
            setattr(self, name, heads.dense(dim, init_std, name, self.dtype_policy))

    def build(self, input_shape=None):
        for projection in self._projections():
            projection.build((None, None, self.dim))
        self.built = True

    def call(
        self,
        hidden,
        padding_mask,
        global_mask=None,
        slots=None,
        head_mask=None,
        seed=None,
        keep_maps=False,
    ):
        local = self._project_local(hidden)
        options = {"padding_mask": padding_mask, "seed": seed}
        probs = global_probs = None
        if keep_maps:
            context, probs, global_probs = self._attend_with_maps(
                hidden, local, slots, global_mask=global_mask, **options
            )
            probs = heads.scale_maps(probs, head_mask)
            if global_probs is not None:
                global_probs = heads.scale_maps(global_probs, head_mask)
        elif global_mask is None:
            slots = no_slots(padding_mask)
            context = self._attend_window(slots, *local, global_mask=None, **options)
        else:
            context = with_slots(
                global_mask,
                functools.partial(self._attend, global_mask=global_mask, **options),
                [hidden, *local, *self._global_projections()],
            )
        context = heads.merge_heads(heads.scale_heads(context, head_mask))
        hidden = heads.on_rows(self.output_proj, context)
        return AttentionOutput(hidden, probs, global_probs)

    def _projections(self):
        local = [self.query, self.key, self.value]
        over_all = [self.query_global, self.key_global, self.value_global]
        return [*local, *over_all, self.output_proj]

    def _project_local(self, hidden):
        """Query, key and value, each [B, S, N, H]."""
        return [
            heads.split_heads(heads.on_rows(projection, hidden), self.num_heads)
            for projection in (self.query, self.key, self.value)
        ]

    def _global_projections(self):
        layers = (self.query_global, self.key_global, self.value_global)
        return [part for layer in layers for part in take_apart(layer, self.num_heads)]

    def _attend(self, slots, hidden, query, key, value, *projections, **options):
        """Context of all tokens, [B, S, N, H]."""
        context = self._attend_window(slots, query, key, value, **options)
        rows = self._attend_global(slots, hidden, projections, **options)
        return put_slots(context, rows, slots)

    def _attend_window(
        self,
        slots,
        query,
        key,
        value,
        *,
        padding_mask,
        global_mask,
        seed,
        attend=window_attention,
    ):
        key_mask = padding_mask if global_mask is None else padding_mask & ~global_mask
        return attend(
            query,
            key,
            value,
            take_slots(key, slots),
            take_slots(value, slots),
            query_mask=padding_mask,
            key_mask=key_mask,
            slot_mask=slots.mask,
            radius=self.radius,
            scale=self.head_dim**-0.5,
            dropout_rate=self.dropout_rate,
            seed=fold_seed(seed, 0),
        )

    def _attend_global(
        self,
        slots,
        hidden,
        projections,
        *,
        padding_mask,
        global_mask,
        seed,
        attend=global_attention,
    ):
        del global_mask
        make_query, make_key, make_value = (
            Projection(*projections[i : i + 2]) for i in (0, 2, 4)
        )
        query = heads_first(make_query(take_slots(hidden, slots)))  # [B, G, N, H]
        return attend(
            query * self.head_dim**-0.5,
            hidden,
            make_key,
            make_value,
            key_mask=padding_mask,
            dropout_rate=self.dropout_rate,
            seed=fold_seed(seed, 1),
        )

    def _attend_with_maps(self, hidden, local, slots, **options):
        global_mask = options["global_mask"]
        slots = no_slots(options["padding_mask"]) if global_mask is None else slots
        context, probs = self._attend_window(
            slots, *local, attend=window_attention_maps, **options
        )
        if global_mask is None:
            return context, probs, None
        zero = tf.zeros([], probs.dtype)
        probs = tf.where(global_mask[:, None, :, None], zero, probs)
        rows, global_probs = self._attend_global(
            slots,
            hidden,
            self._global_projections(),
            attend=global_attention_maps,
            **options,
        )
        global_probs = tf.transpose(global_probs, [0, 1, 3, 2])  # [B, N, S, G]
        global_probs = tf.where(slots.mask[:, None, None, :], global_probs, zero)
        return put_slots(context, rows, slots), probs, global_probs


def no_slots(mask):
    """Slots of a batch without global tokens, G = 0."""
    return Slots(tf.zeros_like(mask[:, :0], tf.int32), mask[:, :0])


def take_apart(layer, num_heads):
    """Kernel [D, N, H] and bias [N, H] of a built Dense layer."""
    dim = layer.input_spec.axes[-1]
    shape = [num_heads, layer.units // num_heads]
    kernel = layer.kernel
    if layer.quantization_mode is not None:
        # The kernel of a quantised layer lacks its scale; the layer itself knows it.
        kernel = layer(tf.eye(dim, dtype=layer.compute_dtype)) - layer.bias
    return Projection(tf.reshape(kernel, [dim, *shape]), tf.reshape(layer.bias, shape))
