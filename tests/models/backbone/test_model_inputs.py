import pytest
import tensorflow as tf

from tf_led.models.backbone.model_inputs import as_encoder_output, validate_inputs
from tf_led.testing import tiny_config

IDS = [[0, 5, 7, 2], [0, 11, 2, 1]]


def test_fields_of_a_tuple_are_told_by_place():
    output = as_encoder_output((tf.constant(1), (), (), "global"))
    assert output.global_attentions == "global"


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ((), "has 0 entries; expected 1 to 4: last_hidden_state"),
        ((1, 2, 3, 4, 5), "has 5 entries"),
        ({"hidden": 1}, r"has the fields \['hidden'\]; expected last_hidden_state"),
        ({"attentions": 1}, r"has the fields \['attentions'\]"),
        ({}, r"has the fields \[\]"),
    ],
)
def test_what_is_no_encoder_output_is_rejected(outputs, message):
    with pytest.raises(ValueError, match=f"`encoder_outputs` {message}"):
        as_encoder_output(outputs)


def check(**inputs):
    return validate_inputs(tiny_config(), "float32", **inputs)


def test_everything_is_cast_once():
    mask, flags = [[1] * 4, [1, 1, 1, 0]], [[1, 0, 0, 0], [1, 0, 0, -1]]
    document, decoder, encoded = check(
        input_ids=IDS, attention_mask=mask, global_attention_mask=flags
    )
    assert encoded is None
    assert document.input_ids.dtype == decoder.input_ids.dtype == tf.int32
    assert document.attention_mask.dtype == tf.bool
    assert decoder.document_mask is document.attention_mask
    assert document.global_attention_mask.numpy().tolist() == flags
    assert decoder.input_ids.numpy().tolist() == [[2, 0, 5, 7], [2, 0, 11, 2]]


def test_a_decoder_batch_of_another_size_is_an_error():
    with pytest.raises(ValueError, match="a batch of 1, the document's one of 2"):
        check(input_ids=IDS, decoder_input_ids=[[2]])


def test_a_decoder_batch_of_another_size_is_an_error_in_graphs_of_open_shapes():
    spec = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[spec, spec])
    def run(ids, decoder_ids):
        return check(input_ids=ids, decoder_input_ids=decoder_ids).decoder.input_ids

    assert run(IDS, [[2], [3]]).shape == [2, 1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="is a batch of"):
        run(IDS, [[2]])


def test_the_mask_of_a_cached_document_has_its_shape():
    past = [[tf.zeros([2, 3, 1, 4])] * 2 + [tf.zeros([2, 3, 7, 4])] * 2] * 2
    step = {"decoder_input_ids": [[5], [7]], "past_key_values": past}
    inputs = check(**step, attention_mask=[[1] * 7] * 2)
    assert inputs.decoder.document_mask.shape == [2, 7]
    assert not inputs.encoder_outputs  # nothing is encoded
    with pytest.raises(ValueError, match=r"`attention_mask` has shape \[2, 5\]"):
        check(**step, attention_mask=[[1] * 5] * 2)
