import numpy as np

from tf_led import TFLEDForConditionalGeneration
from tf_led.testing import fill_spread, tiny_config


def test_transition_scores_add_up_to_the_score_of_a_sequence():
    model = TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1)
    )
    fill_spread(model, seed=5)
    ends = np.eye(29)[None, 2] * 3  # some sequences end early
    model.set_bias({"final_logits_bias": ends})
    result = model.generate(
        np.array([[0, 5, 7, 2], [0, 11, 13, 2]]),
        num_beams=3,
        num_return_sequences=3,
        max_new_tokens=7,
        length_penalty=0.7,
        output_scores=True,
        return_dict_in_generate=True,
    )
    scores = model.compute_transition_scores(
        result.sequences, result.scores, result.beam_indices
    ).numpy()
    assert scores.shape[0] == 6 and np.all(scores <= 0)
    lengths = (scores < 0).sum(axis=1)
    assert len(set(lengths)) > 1, lengths
    np.testing.assert_allclose(
        scores.sum(axis=1) / lengths**0.7, result.sequences_scores, rtol=1e-4
    )
    normalized = model.compute_transition_scores(
        result.sequences, result.scores, result.beam_indices, normalize_logits=True
    ).numpy()
    assert np.all(normalized <= 0)
