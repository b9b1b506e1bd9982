"""Texts in, texts out, around an endpoint of ids."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.serving.endpoint import Input, make_endpoint


class TextCodec(NamedTuple):
    """How texts become ids and back, in TensorFlow ops.

    Args:
        encode: callable (texts string[B]) -> (ids int[B, S], mask [B, S]).
        decode: callable (ids int[R, T]) -> string[R].
        mark_global: callable (ids int64[B, S], mask int64[B, S]) -> bool or int[B, S].
    """

    encode: Any
    decode: Any
    mark_global: Any


def text_endpoint(endpoint, codec):
    """Makes an endpoint of texts from one of ids.

    Args:
        endpoint: Endpoint of `input_ids`, `attention_mask`, `global_attention_mask` and
            options.
        codec: TextCodec.

    Returns:
        Endpoint from `text` string[B] and the same options to the same outputs, with
        `generated_text` string[R] in the place of `sequences` int[R, T].
    """

    def read(text, **options):
        ids, mask = codec.encode(text)
        ids, mask = tf.cast(ids, tf.int64), tf.cast(mask, tf.int64)
        global_mask = tf.cast(codec.mark_global(ids, mask), tf.int64)
        outputs = endpoint.function(
            input_ids=ids,
            attention_mask=mask,
            global_attention_mask=global_mask * mask,
            **options,
        )
        outputs = dict(outputs)
        if "sequences" in outputs:
            outputs["generated_text"] = codec.decode(outputs.pop("sequences"))
        return outputs

    options = [i for i in endpoint.inputs if not i.shape]
    return make_endpoint(read, [Input("text", tf.string, [None]), *options])
