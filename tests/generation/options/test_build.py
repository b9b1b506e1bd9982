"""The processors of any options, against those that PyTorch's `generate` makes."""

import logging
import types

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers import GenerationConfig
from transformers.generation.utils import GenerationMixin

from tf_led.generation.options.build import build_processors, resolve_lengths
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.options.option_table import DEFAULTS

BATCH, SOURCE, VOCAB, BUFFER = 2, 17, 29, 11
EXAMPLES = hypothesis.settings.default.max_examples // 2
# Every option: the value that is off first.
CHOICES = {
    "do_sample": [False, True],
    "sequence_bias": [None, [[[5], 2.0], [[0, 1], -3.0]]],
    "encoder_repetition_penalty": [1.0, 1.4],
    "repetition_penalty": [1.0, 1.3],
    "no_repeat_ngram_size": [0, 1, 2],
    "encoder_no_repeat_ngram_size": [0, 2],
    "bad_words_ids": [None, [[3], [0, 1], [23]]],
    "min_length": [0, 6],
    "min_new_tokens": [None, 3],
    "forced_bos_token_id": [None, 4],
    "forced_eos_token_id": [None, 3, [3, 5]],
    "remove_invalid_values": [False, True],
    "exponential_decay_length_penalty": [None, (1, 1.5)],
    "suppress_tokens": [None, [7, 8]],
    "begin_suppress_tokens": [None, [9, 10]],
    "temperature": [1.0, 0.6],
    "top_h": [None, 0.8],
    "top_k": [0, 7, 50],
    "top_p": [1.0, 0.77],
    "min_p": [None, 0.05],
    "typical_p": [1.0, 0.8],
    "epsilon_cutoff": [0.0, 0.02],
    "eta_cutoff": [0.0, 0.04],
    "renormalize_logits": [None, True],
    "eos_token_id": [3, [3, 5]],
}
ORDER = [
    "SequenceBias",
    "HammingDiversity",
    "EncoderRepetitionPenalty",
    "RepetitionPenalty",
    "NoRepeatNGram",
    "EncoderNoRepeatNGram",
    "NoBadWords",
    "MinLength",
    "PrefixAllowedTokens",
    "ForcedBOS",
    "ForcedEOS",
    "InfNanRemove",
    "ExponentialDecayLength",
    "SuppressTokens",
    "SuppressTokensAtBegin",
    "CustomProcessor",
    "Temperature",
    "TopH",
    "TopK",
    "TopP",
    "MinP",
    "Typical",
    "Epsilon",
    "Eta",
    "LogitNormalization",
]


def peers_processors(options, prompt_len, encoder_ids, num_beams):
    """What PyTorch's `generate` makes of the options for an encoder-decoder."""
    config = GenerationConfig(**{**options, "num_beams": num_beams})
    config.update(**config._get_default_generation_params(), defaults_only=True)
    config._eos_token_tensor = torch.tensor(np.atleast_1d(options["eos_token_id"]))
    if config.min_new_tokens is not None:
        config.min_length = config.min_new_tokens + prompt_len
    model = types.SimpleNamespace(
        config=types.SimpleNamespace(is_encoder_decoder=True),
        _merge_criteria_processor_list=lambda default, custom: default,
    )
    return GenerationMixin._get_logits_processor(
        model, config, prompt_len, torch.tensor(encoder_ids).long()
    )


def options_of(values):
    return GenerationOptions(**{**values, "max_length": 9})


@hypothesis.given(
    values=st.fixed_dictionaries(
        # Few at a time, or the rules together leave nothing to compare.
        {k: st.sampled_from([v[0], v[0], *v]) for k, v in CHOICES.items()}
    ),
    prompt_len=st.integers(1, 3),
    length=st.integers(1, BUFFER),
    num_beams=st.sampled_from([1, 3]),
    seed=st.integers(0, 999),
)
@hypothesis.settings(max_examples=EXAMPLES)
def test_any_options(values, prompt_len, length, num_beams, seed):
    rng = np.random.default_rng(seed)
    encoder_ids = rng.integers(0, 6, [BATCH, SOURCE])
    tokens = rng.integers(0, 6, [BATCH * num_beams, BUFFER])
    scores = rng.normal(0, 2, [BATCH * num_beams, VOCAB]).astype(np.float32)
    peers = peers_processors(
        {**values, "max_length": 9}, prompt_len, encoder_ids, num_beams
    )
    built = build_processors(
        options_of(values),
        prompt_len=prompt_len,
        encoder_ids=encoder_ids,
        vocab_size=VOCAB,
        num_beams=num_beams,
    )
    expected, ids = torch.tensor(scores), torch.tensor(tokens[:, :length])
    try:
        expected = peers(ids, expected).numpy()
    except ValueError:  # top-h and eta: PyTorch cannot take a row of -inf
        hypothesis.reject()
    for processor in built:
        scores = processor(scores, tokens, length)
    # Where `remove_invalid_values` made all that is forbidden alike, chance decides
    # which of them PyTorch's sort puts first, but not how many a filter keeps.
    lowest = np.float32(-1e38)
    close = dict(rtol=1e-5, atol=1e-5)
    result, expected = np.array(scores), np.array(expected)
    np.testing.assert_allclose(np.sort(result), np.sort(expected), **close)
    result, expected = np.maximum(result, lowest), np.maximum(expected, lowest)
    np.testing.assert_allclose(result, expected, **close)


def names(options, **more):
    more = {"prompt_len": 1, "encoder_ids": [[4, 5]], "num_beams": 1, **more}
    built = build_processors(options, vocab_size=VOCAB, **more)
    return [type(processor).__name__ for processor in built]


def test_the_order_is_pytorchs():
    values = {name: choices[-1] for name, choices in CHOICES.items()}
    more = {"num_beam_groups": 2, "diversity_penalty": 0.5}
    found = names(
        options_of({**values, **more, "min_new_tokens": None}),
        num_beams=4,
        prefix_allowed_tokens_fn=lambda document, tokens: [1],
        custom=[lambda input_ids, scores: scores],
    )
    assert found == ORDER


def test_every_option_about_scores_is_read():
    about_scores = list(DEFAULTS)[list(DEFAULTS).index("temperature") :]
    about_scores = about_scores[: about_scores.index("return_dict_in_generate")]
    assert {*about_scores} - {*CHOICES} == set()


def test_no_options_give_nothing():
    assert names(GenerationOptions()) == []
    assert names(GenerationOptions(min_length=5)) == []  # without an end, no minimum


def test_fields_of_a_plain_config_stand_at_their_defaults():
    assert names(GenerationConfig(do_sample=True)) == ["TopK"]
    assert names(GenerationOptions(do_sample=True, top_k=None)) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"max_new_tokens": 4}, 6), ({"max_length": 9}, 9), ({}, 22)],
)
def test_the_length_of_a_plain_config_counts_the_prompt(values, expected):
    config = GenerationConfig(forced_eos_token_id=3, **values)
    (rule,) = build_processors(
        config, prompt_len=2, encoder_ids=None, vocab_size=VOCAB, num_beams=1
    )
    assert rule.max_length == expected


@pytest.mark.parametrize(("ends", "kept"), [(None, 2), (3, 2), ([3, 5], 3)])
def test_beam_sampling_keeps_one_token_beside_the_ends(ends, kept):
    options = GenerationOptions(do_sample=True, eos_token_id=ends, top_p=0.5)
    built = build_processors(
        options, prompt_len=1, encoder_ids=None, vocab_size=VOCAB, num_beams=4
    )
    assert [rule.min_tokens_to_keep for rule in built] == [kept, kept]


def test_the_rows_of_a_group_share_their_document():
    options = GenerationOptions(num_beam_groups=2, diversity_penalty=0.5)
    built = build_processors(
        options,
        prompt_len=1,
        encoder_ids=None,
        vocab_size=VOCAB,
        num_beams=6,
        prefix_allowed_tokens_fn=lambda document, tokens: [1],
    )
    assert built[0].num_beams == 6 and built[1].num_beams == 3


def test_padding_of_prompts_is_no_repetition():
    (rule,) = build_processors(
        GenerationOptions(repetition_penalty=2.0),
        prompt_len=3,
        encoder_ids=None,
        vocab_size=5,
        num_beams=1,
        decoder_padding_mask=np.array([[False, False, True], [True, True, True]]),
    )
    result = rule(np.ones([2, 5], np.float32), [[1, 1, 2], [1, 3, 2]], 3)
    np.testing.assert_array_equal(result, [[1, 1, 0.5, 1, 1], [1, 0.5, 0.5, 0.5, 1]])


@pytest.mark.parametrize(
    ("prompt_len", "forced", "begin"),
    [(1, None, 1), (1, 2, 2), (2, 2, 2), (3, None, 3)],
)
def test_the_begin_is_behind_a_forced_token(prompt_len, forced, begin):
    options = GenerationOptions(begin_suppress_tokens=[1], forced_bos_token_id=forced)
    built = build_processors(
        options,
        prompt_len=prompt_len,
        encoder_ids=None,
        vocab_size=VOCAB,
        num_beams=1,
    )
    assert built[-1].begin_index == begin


def test_a_prompt_length_and_a_temperature_that_only_the_graph_knows():
    options = types.SimpleNamespace(
        do_sample=True, begin_suppress_tokens=[1], forced_bos_token_id=2, top_k=0
    )
    scores = tf.constant([[1.0, 2.0, 3.0]])

    @tf.function
    def run(temperature, prompt_len, length):
        options.temperature = temperature
        built = build_processors(
            options,
            prompt_len=prompt_len,
            encoder_ids=None,
            vocab_size=3,
            num_beams=1,
        )
        result = scores
        for processor in built:
            result = processor(result, [[0, 0, 0]], length)
        return result

    def at(prompt_len, length):
        return run(*map(tf.constant, (2.0, prompt_len, length))).numpy().tolist()

    assert at(1, 1) == [[-np.inf, -np.inf, 0.0]]
    assert at(1, 2) == at(2, 2) == [[0.5, -np.inf, 1.5]]
    assert at(2, 3) == [[0.5, 1.0, 1.5]]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"temperature": 0.0, "do_sample": True}, "`temperature` .* got 0.0"),
        ({"top_k": -1, "do_sample": True}, "`top_k` .* got -1"),
        ({"top_p": 1.5, "do_sample": True}, "`top_p` .* got 1.5"),
        ({"typical_p": 1.5, "do_sample": True}, "`typical_p` .* got 1.5"),
        ({"epsilon_cutoff": 1.0, "do_sample": True}, "`epsilon_cutoff` .* got 1.0"),
        ({"no_repeat_ngram_size": -1}, "`no_repeat_ngram_size` .* got -1"),
        ({"no_repeat_ngram_size": 1.5}, "`no_repeat_ngram_size` .* got 1.5"),
        ({"encoder_no_repeat_ngram_size": -2}, "`encoder_no_repeat_.* got -2"),
        ({"min_length": -1, "eos_token_id": 3}, "`min_length` .* got -1"),
        ({"bad_words_ids": [[31]]}, r"`bad_words_ids` .* \[31\]; allowed are 0 to 28"),
        ({"sequence_bias": {(31,): 1.0}}, r"`sequence_bias` .* \[31\]"),
        ({"suppress_tokens": [31]}, r"`suppress_tokens` .* \[31\]"),
        ({"forced_bos_token_id": 31}, r"`forced_bos_token_id` .* \[31\]"),
        ({"diversity_penalty": 0.5}, "`num_beams` .* got 1"),
        ({"exponential_decay_length_penalty": (3, 1.5)}, "`eos_token_id` .* got None"),
    ],
)
def test_a_bad_option_is_rejected_before_anything_runs(values, named):
    with pytest.raises(ValueError, match=named):
        names(GenerationOptions(**values))


@pytest.mark.parametrize("encoder_ids", [None, np.full([2, 3], -100)])
@pytest.mark.parametrize(
    ("name", "value"),
    [("encoder_no_repeat_ngram_size", 2), ("encoder_repetition_penalty", 1.5)],
)
def test_options_about_documents_need_their_ids(name, value, encoder_ids):
    options = GenerationOptions(**{name: value})
    with pytest.raises(
        ValueError, match=f"`{name}` is {value}, which needs .*input_ids"
    ):
        names(options, encoder_ids=encoder_ids)


def resolve(prompt_len=1, position_limit=None, **given):
    values = {**DEFAULTS, **given}
    resolve_lengths(
        values,
        lengths_set={"max_length", "min_length"} & set(given),
        prompt_len=prompt_len,
        position_limit=position_limit,
    )
    return values["max_length"], values["min_length"]


def test_nothing_set_means_20_new_tokens_and_a_warning():
    with pytest.warns(UserWarning, match="at most 20 new tokens"):
        assert resolve(prompt_len=3) == (23, 0)


def test_lengths_count_the_prompt_and_new_tokens_do_not():
    assert resolve(prompt_len=3, max_length=11, min_length=5) == (11, 5)
    assert resolve(prompt_len=3, max_new_tokens=11, min_new_tokens=5) == (14, 8)


def test_new_tokens_win_and_the_log_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        given = {"max_length": 5, "max_new_tokens": 11}
        assert resolve(**given, min_length=2, min_new_tokens=3) == (12, 4)
    assert "`max_new_tokens` (11) and `max_length` (5)" in caplog.text
    assert "`min_new_tokens` (3) and `min_length` (2)" in caplog.text


@pytest.mark.parametrize("prompt_len", [7, 9])
def test_a_prompt_that_fills_the_length_is_rejected(prompt_len):
    with pytest.raises(ValueError, match=f"`max_length` is 7.* {prompt_len} tokens"):
        resolve(prompt_len=prompt_len, max_length=7)


def test_positions_bound_the_length_but_the_last_token_needs_none():
    assert resolve(position_limit=13, max_length=14) == (14, 0)
    with pytest.raises(ValueError, match="is 15, but the decoder has 13 .* most 14"):
        resolve(position_limit=13, max_length=15)
    with pytest.raises(ValueError, match="is 15, but the decoder has 13 .* most 14"):
        resolve(position_limit=13, max_new_tokens=14)


def test_contrastive_search_needs_a_position_for_the_last_token_too():
    contrastive = {"penalty_alpha": 0.6, "top_k": 4}
    assert resolve(position_limit=13, max_length=13, **contrastive) == (13, 0)
    with pytest.raises(ValueError, match="is 14, but the decoder has 13 .* most 13"):
        resolve(position_limit=13, max_length=14, **contrastive)


@pytest.mark.parametrize(
    ("given", "name"),
    [({"min_length": 11}, "min_length"), ({"min_new_tokens": 11}, "min_new_tokens")],
)
def test_a_minimum_beyond_the_maximum_is_warned_of(given, name):
    with pytest.warns(UserWarning, match=rf"`{name}` \(11\) .* length of 7"):
        resolve(max_length=7, **given)
