import numpy as np
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tests.models.conftest import SMALL, make_model

SOURCE = ["input_ids", "attention_mask", "global_attention_mask"]


@pytest.fixture(scope="module")
def small():
    return make_model(**SMALL)


@pytest.fixture
def document(inputs):
    return {name: inputs[name] for name in SOURCE}


def by_hand(model, document, steps):
    """The likeliest token each time, in a loop of a user's own over the cache."""
    encoder_outputs = model.get_encoder()(document)
    tokens, past = np.full([2, 1], 2), None
    for _ in range(steps):
        output = model(
            **model.prepare_inputs_for_generation(
                tokens,
                past_key_values=past,
                encoder_outputs=encoder_outputs,
                attention_mask=document["attention_mask"],
                use_cache=True,
            )
        )
        past = output.past_key_values
        tokens = np.c_[tokens, np.argmax(output.logits[:, -1], -1)]
    return tokens


def test_greedy_search_equals_a_loop_by_hand(small, document):
    """Not ended early: the loop by hand knows no end."""
    expected = by_hand(small, document, 5)
    options = {"max_new_tokens": 5, "min_new_tokens": 5, "eos_token_id": None}
    generated = small.generate(document, num_beams=1, **options)
    np.testing.assert_array_equal(generated, expected)
    # With the same options nothing is traced again, whatever the documents.
    count = len(small._compiled_generation)
    other = {name: array[:1, :6] for name, array in document.items()}
    again = small.generate(other, num_beams=1, **options)
    assert again.shape == (1, 6) and len(small._compiled_generation) == count
    # Arrays by name, and what the encoder made of them, are the same documents.
    by_name = small.generate(**document, num_beams=1, **options)
    np.testing.assert_array_equal(by_name, expected)


def test_the_config_of_generation_follows_the_models():
    model = make_model(**SMALL, bos_token_id=7, forced_eos_token_id=None)
    config = model.generation_config
    assert isinstance(config, GenerationConfig)
    assert (config.bos_token_id, config.decoder_start_token_id) == (7, 2)
    assert (config.pad_token_id, config.eos_token_id) == (1, 2)


def test_the_start_token_is_looked_up_from_near_to_far(small):
    config = GenerationConfig(decoder_start_token_id=5)
    start = small._start_token_id
    assert start(config, {"decoder_start_token_id": 7}) == 7
    assert start(config, {}) == 5
    assert start(None, {}) == start(GenerationConfig(), {}) == 2


def test_the_next_step_reads_the_last_token_only():
    prepare = make_model(**SMALL).prepare_inputs_for_generation
    ids = np.array([[2, 5, 7]])
    assert prepare(ids)["decoder_input_ids"] is ids
    step = prepare(ids, past_key_values=((),), decoder_head_mask=3)
    assert step["decoder_input_ids"].tolist() == [[7]]
    assert step["decoder_head_mask"] == 3


def test_what_the_next_step_has_no_use_for_is_refused(small):
    with pytest.raises(ValueError, match="no use for 'global_attention_mask'"):
        small.prepare_inputs_for_generation([[2]], global_attention_mask=[[1]])


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "needs the documents"),
        ({"inputs": [[3, 29]]}, "`input_ids` holds 29"),
        ({"inputs": [[3] * 65]}, "`input_ids` has 65 tokens"),
        ({"inputs": [[3]], "attention_mask": [[0.5]]}, "is a float32 mask"),
        (
            {"inputs": [[3]], "decoder_head_mask": tf.ones([5])},
            "`decoder_head_mask` has",
        ),
        ({"inputs": [[3]], "num_beems": 3}, "num_beems"),
        ({"inputs": [[3]], "seed": 5}, "`seed` is 5, but nothing is sampled"),
        ({"inputs": [[3]], "pad_token_id": 29}, "`pad_token_id` is 29"),
        (
            {
                "inputs": [[3]],
                "decoder_input_ids": [[2, 3]],
                "decoder_attention_mask": [[1, -1]],
            },
            "`decoder_attention_mask` holds -1",
        ),
    ],
)
def test_wrong_input_is_refused(small, kwargs, message):
    """Before anything is compiled."""
    count = len(small._compiled_generation)
    with pytest.raises(ValueError, match=message):
        small.generate(max_new_tokens=2, **kwargs)
    assert len(small._compiled_generation) <= count + 1


def test_a_config_must_be_a_config(small):
    with pytest.raises(TypeError, match="GenerationConfig, got dict"):
        small.generate([[3]], {"num_beams": 2})


def test_start_tokens_may_be_numpys(small):
    ids = small.generate(
        [[3, 5], [7, 5]], decoder_start_token_id=np.array([2, 11]), max_new_tokens=1
    )
    assert ids[:, 0].numpy().tolist() == [2, 11]
