"""What a model offers to be served: its functions of a document, flat and by name."""

import tensorflow as tf

from tf_led.serving.endpoint import Endpoint, Input, make_endpoint

TABLE = [None, None]
EMPTY = [[]]  # A mask that was not fed.
IDS = Input("input_ids", tf.int64, TABLE)
MASKS = (
    Input("attention_mask", tf.int64, TABLE, EMPTY),
    Input("global_attention_mask", tf.int64, TABLE, EMPTY),
)
DECODER_IDS = Input("decoder_input_ids", tf.int64, TABLE)
DECODER_MASK = Input("decoder_attention_mask", tf.int64, TABLE, EMPTY)


def endpoints(model) -> dict[str, Endpoint]:
    """Lists what can be served.

    A head overrides this and sets `default_endpoint`.

    Returns:
        Dict from the signature's name to an Endpoint: "encode", the encoder's
        states of a document, and "forward", the decoder's answer to a prefix.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> sorted(model.endpoints())
        ['encode', 'forward']
    """
    fields = ("logits", "last_hidden_state")
    return {
        "encode": model.encoder_endpoint(),
        "forward": model.endpoint_of(*fields, decodes=True),
    }


def encoder_endpoint(model) -> Endpoint:
    """Makes an endpoint of the encoder alone.

    Returns:
        Endpoint; masks that are not fed are those of a call without them.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> [i.name for i in model.encoder_endpoint().inputs]
        ['input_ids', 'attention_mask', 'global_attention_mask']
    """

    def encode(**tensors):
        call = model.get_encoder()
        output = call(**with_masks(tensors), return_dict=True, training=False)
        return {"last_hidden_state": output.last_hidden_state}

    return make_endpoint(encode, (IDS, *MASKS))


def endpoint_of(model, *fields: str, decodes: bool = False) -> Endpoint:
    """Makes an endpoint of a call of the model.

    Args:
        *fields: str, the fields of the output to serve; those that it lacks are
            left out.
        decodes: bool, whether the decoder's ids are an input.

    Returns:
        Endpoint; masks that are not fed are those of a call without them.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> forward = model.endpoint_of("last_hidden_state", decodes=True)
        >>> forward.inputs[1].name
        'decoder_input_ids'
    """

    def call(**tensors):
        output = model(with_masks(tensors), return_dict=True, training=False)
        return {name: output[name] for name in fields if name in output}

    if decodes:
        inputs = (IDS, DECODER_IDS, *MASKS, DECODER_MASK)
        return make_endpoint(call, inputs)
    return make_endpoint(call, (IDS, *MASKS))


def with_masks(tensors, **defaults):
    """Puts what a call takes for granted in the place of masks that were not fed.

    Args:
        tensors: dict of int64[B, S]; a mask of no entries was not fed.
        **defaults: int64[B, S] by name of a mask; for the others, all tokens are real
            and none is global.

    Returns:
        Dict of int64[B, S].
    """
    filled = dict(tensors)
    for name in tensors:
        if not name.endswith("mask"):
            continue
        ids = tensors["decoder_input_ids" if "decoder" in name else "input_ids"]
        fill = tf.zeros_like if name.startswith("global") else tf.ones_like
        default = defaults[name] if name in defaults else fill(ids)
        filled[name] = _where_fed(tensors[name], default)
    return filled


def _where_fed(mask, default):
    return tf.cond(tf.size(mask) > 0, lambda: mask, lambda: default)
