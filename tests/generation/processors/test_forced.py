import pytest
import tensorflow as tf
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import ForcedBOS, ForcedEOS


def test_forced_bos_follows_the_start_token_alone(agrees):
    assert agrees(ForcedBOS(5), theirs.ForcedBOSTokenLogitsProcessor(5))
    assert not agrees(ForcedBOS(5), lambda ids, scores: scores, lengths=(2, 5))


@pytest.mark.parametrize("ends", [5, [2, 23]])
def test_forced_eos_takes_the_last_place(agrees, ends):
    assert agrees(ForcedEOS(8, ends), theirs.ForcedEOSTokenLogitsProcessor(8, ends))


def test_max_length_may_be_a_tensor(agrees):
    peer = theirs.ForcedEOSTokenLogitsProcessor(8, 3)
    assert agrees(ForcedEOS(tf.constant(8), 3), peer)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ForcedBOS(-2), "`forced_bos_token_id` .* got -2"),
        (lambda: ForcedBOS(1.5), "`forced_bos_token_id` .* got 1.5"),
        (lambda: ForcedEOS(0, 2), "`max_length` .* at least 1, got 0"),
        (lambda: ForcedEOS(5, [2, -2]), "`forced_eos_token_id` .* got -2"),
        (lambda: ForcedEOS(5, True), "`forced_eos_token_id` .* got True"),
    ],
)
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize(
    "make", [lambda ids: ForcedBOS(ids), lambda ids: ForcedEOS(5, ids)]
)
def test_an_id_beyond_the_vocabulary_is_named(make):
    with pytest.raises(ValueError, match=r"\[31\]; allowed are 0 to 2"):
        make(31)([[0.0, 0.0, 0.0]], [[0]], 1)
