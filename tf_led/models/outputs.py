"""What the models return: the fields of transformers' TF classes, in their order."""

import tensorflow as tf

from tf_led.utils.output_struct import OutputStruct


class TFLEDEncoderBaseModelOutput(OutputStruct):
    """What the encoder returns. Fields that were not requested are absent.

    Args:
        pairs: fields as (name, value) pairs, or by name:
        last_hidden_state: float[B, S, D].
        hidden_states: tuple of L + 1 float[B, S, D], embeddings first.
        attentions: tuple of L float[B, N, S, G + W]: each token's attention
            probabilities, for the G global tokens of the row, then for the W =
            `attention_window` + 1 tokens around it, itself at G + `attention_window` /
            2. 0 where a neighbour is global (see the first G) and in the rows of
            padding and global tokens.
        global_attentions: tuple of L float[B, N, S, G]: in [..., g] the attention
            probabilities of global token g over the document. Absent if no global mask
            was given.

    Source: transformers 4.57, class of this name.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led import TFLEDEncoderBaseModelOutput
        >>> output = TFLEDEncoderBaseModelOutput(last_hidden_state=tf.zeros([1, 3, 5]))
        >>> output[0].shape, output.attentions
        (TensorShape([1, 3, 5]), None)
    """

    last_hidden_state: tf.Tensor
    hidden_states: tuple[tf.Tensor, ...]
    attentions: tuple[tf.Tensor, ...]
    global_attentions: tuple[tf.Tensor, ...]


class TFLEDDecoderOutput(OutputStruct):
    """What the decoder returns. Fields that were not requested are absent.

    Args:
        pairs: fields as (name, value) pairs, or by name:
        last_hidden_state: float[B, T, D].
        past_key_values: tuple of L tuples (self key, self value, cross key, cross
            value), float[B, N, P + T, H] twice and float[B, N, S, H] twice.
        hidden_states: tuple of L + 1 float[B, T, D], embeddings first.
        attentions: tuple of L float[B, N, T, P + T].
        cross_attentions: tuple of L float[B, N, T, S].
    """

    last_hidden_state: tf.Tensor
    past_key_values: tuple[tuple[tf.Tensor, ...], ...]
    hidden_states: tuple[tf.Tensor, ...]
    attentions: tuple[tf.Tensor, ...]
    cross_attentions: tuple[tf.Tensor, ...]


class TFLEDSeq2SeqModelOutput(OutputStruct):
    """What `TFLEDModel` returns. Fields that were not requested are absent.

    Args:
        pairs: fields as (name, value) pairs, or by name:
        last_hidden_state: float[B, T, D], of the decoder.
        past_key_values: tuple of L tuples (self key, self value, cross key, cross
            value), float[B, N, P + T, H] twice and float[B, N, S, H] twice.
        decoder_hidden_states: tuple of L + 1 float[B, T, D].
        decoder_attentions: tuple of L float[B, N, T, P + T].
        cross_attentions: tuple of L float[B, N, T, S].
        encoder_last_hidden_state: float[B, S, D].
        encoder_hidden_states: see `TFLEDEncoderBaseModelOutput`.
        encoder_attentions: likewise.
        encoder_global_attentions: likewise.

    Source: transformers 4.57, class of this name.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led import TFLEDSeq2SeqModelOutput
        >>> output = TFLEDSeq2SeqModelOutput(last_hidden_state=tf.zeros([1, 3, 5]))
        >>> output["last_hidden_state"].shape
        TensorShape([1, 3, 5])
    """

    last_hidden_state: tf.Tensor
    past_key_values: tuple[tuple[tf.Tensor, ...], ...]
    decoder_hidden_states: tuple[tf.Tensor, ...]
    decoder_attentions: tuple[tf.Tensor, ...]
    cross_attentions: tuple[tf.Tensor, ...]
    encoder_last_hidden_state: tf.Tensor
    encoder_hidden_states: tuple[tf.Tensor, ...]
    encoder_attentions: tuple[tf.Tensor, ...]
    encoder_global_attentions: tuple[tf.Tensor, ...]


class TFLEDSeq2SeqLMOutput(OutputStruct):
    """What `TFLEDForConditionalGeneration` returns; absent what was not requested.

    Args:
        pairs: fields as (name, value) pairs, or by name:
        loss: float32[], mean cross-entropy over the labels that count.
        logits: float[B, T, V], scores of every token before softmax.
        past_key_values: see `TFLEDSeq2SeqModelOutput`, like all that follow.
        decoder_hidden_states: likewise.
        decoder_attentions: likewise.
        cross_attentions: likewise.
        encoder_last_hidden_state: likewise.
        encoder_hidden_states: likewise.
        encoder_attentions: likewise.
        encoder_global_attentions: likewise.

    Source: transformers 4.57, class of this name.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led import TFLEDSeq2SeqLMOutput
        >>> TFLEDSeq2SeqLMOutput(logits=tf.zeros([1, 3, 29])).logits.shape
        TensorShape([1, 3, 29])
    """

    loss: tf.Tensor
    logits: tf.Tensor
    past_key_values: tuple[tuple[tf.Tensor, ...], ...]
    decoder_hidden_states: tuple[tf.Tensor, ...]
    decoder_attentions: tuple[tf.Tensor, ...]
    cross_attentions: tuple[tf.Tensor, ...]
    encoder_last_hidden_state: tf.Tensor
    encoder_hidden_states: tuple[tf.Tensor, ...]
    encoder_attentions: tuple[tf.Tensor, ...]
    encoder_global_attentions: tuple[tf.Tensor, ...]


class TFLEDSeq2SeqSequenceClassifierOutput(OutputStruct):
    """What `TFLEDForSequenceClassification` returns; absent what was not requested.

    Without a decoder, all that is the decoder's is absent.

    Args:
        pairs: fields as (name, value) pairs, or by name:
        loss: float32[], the loss of the labels, see `TFLEDForSequenceClassification`.
        logits: float[B, E], scores of the classes before softmax or sigmoid, or the
            numbers themselves.
        past_key_values: see `TFLEDSeq2SeqModelOutput`, like all that follow.
        decoder_hidden_states: likewise.
        decoder_attentions: likewise.
        cross_attentions: likewise.
        encoder_last_hidden_state: likewise.
        encoder_hidden_states: likewise.
        encoder_attentions: likewise.
        encoder_global_attentions: likewise.

    Source: transformers 4.57, `LEDSeq2SeqSequenceClassifierOutput`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led import TFLEDSeq2SeqSequenceClassifierOutput
        >>> TFLEDSeq2SeqSequenceClassifierOutput(logits=tf.zeros([1, 3])).logits.shape
        TensorShape([1, 3])
    """

    loss: tf.Tensor
    logits: tf.Tensor
    past_key_values: tuple[tuple[tf.Tensor, ...], ...]
    decoder_hidden_states: tuple[tf.Tensor, ...]
    decoder_attentions: tuple[tf.Tensor, ...]
    cross_attentions: tuple[tf.Tensor, ...]
    encoder_last_hidden_state: tf.Tensor
    encoder_hidden_states: tuple[tf.Tensor, ...]
    encoder_attentions: tuple[tf.Tensor, ...]
    encoder_global_attentions: tuple[tf.Tensor, ...]


class TFLEDSeq2SeqQuestionAnsweringModelOutput(OutputStruct):
    """What `TFLEDForQuestionAnswering` returns; absent what was not requested.

    Without a decoder, all that is the decoder's is absent, and T is S.

    Args:
        pairs: fields as (name, value) pairs, or by name:
        loss: float32[], mean of the cross-entropies of first and last token.
        start_logits: float[B, T], scores of every token as the answer's first.
        end_logits: float[B, T], scores of every token as the answer's last.
        past_key_values: see `TFLEDSeq2SeqModelOutput`, like all that follow.
        decoder_hidden_states: likewise.
        decoder_attentions: likewise.
        cross_attentions: likewise.
        encoder_last_hidden_state: likewise.
        encoder_hidden_states: likewise.
        encoder_attentions: likewise.
        encoder_global_attentions: likewise.

    Source: transformers 5.23, `LEDSeq2SeqQuestionAnsweringModelOutput`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led import TFLEDSeq2SeqQuestionAnsweringModelOutput
        >>> scores = tf.zeros([1, 7])
        >>> output = TFLEDSeq2SeqQuestionAnsweringModelOutput(start_logits=scores)
        >>> output.start_logits.shape, output.end_logits
        (TensorShape([1, 7]), None)
    """

    loss: tf.Tensor
    start_logits: tf.Tensor
    end_logits: tf.Tensor
    past_key_values: tuple[tuple[tf.Tensor, ...], ...]
    decoder_hidden_states: tuple[tf.Tensor, ...]
    decoder_attentions: tuple[tf.Tensor, ...]
    cross_attentions: tuple[tf.Tensor, ...]
    encoder_last_hidden_state: tf.Tensor
    encoder_hidden_states: tuple[tf.Tensor, ...]
    encoder_attentions: tuple[tf.Tensor, ...]
    encoder_global_attentions: tuple[tf.Tensor, ...]
