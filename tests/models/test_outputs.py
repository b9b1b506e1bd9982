import pytest
import tensorflow as tf

import tf_led
from tf_led.models.outputs import TFLEDDecoderOutput

CACHE = ["past_key_values"]
DECODER = ["decoder_hidden_states", "decoder_attentions", "cross_attentions"]
ENCODER = [
    "encoder_last_hidden_state",
    "encoder_hidden_states",
    "encoder_attentions",
    "encoder_global_attentions",
]
PER_LAYER = ["hidden_states", "attentions"]
# The fields of transformers 4.57, in its order.
FIELDS = {
    tf_led.TFLEDEncoderBaseModelOutput: [
        "last_hidden_state",
        *PER_LAYER,
        "global_attentions",
    ],
    TFLEDDecoderOutput: ["last_hidden_state", *CACHE, *PER_LAYER, "cross_attentions"],
    tf_led.TFLEDSeq2SeqModelOutput: ["last_hidden_state", *CACHE, *DECODER, *ENCODER],
    tf_led.TFLEDSeq2SeqLMOutput: ["loss", "logits", *CACHE, *DECODER, *ENCODER],
    tf_led.TFLEDSeq2SeqSequenceClassifierOutput: [
        "loss",
        "logits",
        *CACHE,
        *DECODER,
        *ENCODER,
    ],
    tf_led.TFLEDSeq2SeqQuestionAnsweringModelOutput: [
        "loss",
        "start_logits",
        "end_logits",
        *CACHE,
        *DECODER,
        *ENCODER,
    ],
}


@pytest.mark.parametrize("cls", FIELDS)
def test_fields_and_their_order(cls):
    assert list(cls.fields()) == FIELDS[cls]
    backwards = cls({name: tf.constant(3) for name in reversed(FIELDS[cls])})
    assert list(backwards) == FIELDS[cls]


@pytest.mark.parametrize("cls", FIELDS)
def test_absent_fields_are_none_and_take_no_place(cls):
    *absent, last = FIELDS[cls]
    output = cls({last: tf.constant(3)})
    assert list(output) == [last] and output[0] is output[last]
    assert all(getattr(output, name) is None for name in absent)
    assert output.to_tuple() == (output[last],)
