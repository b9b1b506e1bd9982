"""A model's `generate` with and without cache, in graphs, under XLA, row by row."""

import numpy as np
import pytest
import tensorflow as tf

from tests.models.conftest import SMALL, make_model
from tf_led.models.generation import decode_step

IDS = np.array([[5, 6, 7, 8, 9, 13, 2], [4, 3, 11, 2, 1, 1, 1], [14, 2, 1, 1, 1, 1, 1]])
MASK = (IDS != 1).astype(int)
# Padding within: the start token stays visible.
PROMPT = np.array([[2, 17, 9, 5], [2, 7, 8, 3], [2, 17, 17, 4]])
PROMPT_MASK = np.array([[1, 0, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1]])
OUTPUTS = {
    "return_dict_in_generate": True,
    "output_scores": True,
    "output_logits": True,
    "output_attentions": True,
    "output_hidden_states": True,
}
RULES = {"max_new_tokens": 6, "no_repeat_ngram_size": 2, "eos_token_id": [2, 5]}
MODES = {
    "greedy": {},
    "beams": {"num_beams": 3, "num_return_sequences": 2, "early_stopping": "never"},
    "sample": {"do_sample": True, "num_return_sequences": 2, "seed": 7},
    "beam_sample": {"do_sample": True, "num_beams": 3, "temperature": 5.0, "seed": 7},
}


@pytest.fixture(scope="module")
def small():
    return make_model(**SMALL)


def prompted(rows=slice(None)):
    return {
        "decoder_input_ids": PROMPT[rows],
        "decoder_attention_mask": PROMPT_MASK[rows],
    }


# With and without sampling the same loop runs; beams reorder the cache.
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sample", "beams"])
def test_the_cache_changes_nothing_at_any_step(small, mode):
    """With padding in the decoder's prompt, which both ways must hide."""
    options = {**RULES, **MODES[mode], **OUTPUTS, **prompted()}
    cached = small.generate(IDS, attention_mask=MASK, **options)
    plain = small.generate(IDS, attention_mask=MASK, use_cache=False, **options)
    assert list(cached) == list(plain)
    np.testing.assert_array_equal(cached.sequences, plain.sequences)
    for name in ("scores", "logits", "decoder_attentions", "decoder_hidden_states"):
        pairs = zip(
            tf.nest.flatten(cached[name]), tf.nest.flatten(plain[name]), strict=True
        )
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "lookup"),
    [
        ("greedy", {"prompt_lookup_num_tokens": 3}),
        ("beams", {}),
        ("sample", {}),
    ],
)
def test_a_cache_that_grows_changes_nothing(mode, lookup, monkeypatch):
    """It starts with what the prompt takes and 3 positions more, and doubles."""
    options = {**RULES, **MODES[mode], **OUTPUTS, **prompted(), **lookup}
    options |= {"max_new_tokens": 19, "eos_token_id": None}
    whole = make_model(**SMALL).generate(IDS, attention_mask=MASK, **options)
    monkeypatch.setattr(decode_step, "FIRST_POSITIONS", 3)
    grown = make_model(**SMALL).generate(IDS, attention_mask=MASK, **options)
    np.testing.assert_array_equal(grown.sequences, whole.sequences)
    for name in ("scores", "decoder_attentions"):
        pairs = zip(
            tf.nest.flatten(grown[name]), tf.nest.flatten(whole[name]), strict=True
        )
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


# All searches run so in tests/generation, with a step that is quick to trace.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "jit_compile"), [("greedy", False), ("beams", True), ("sample", True)]
)
def test_graph_and_xla_give_the_same(small, mode, jit_compile):
    options = {**RULES, **MODES[mode]}
    expected = small.generate(IDS, attention_mask=MASK, **options, **prompted())
    expected = expected.numpy()
    run = tf.function(
        lambda ids, mask: small.generate(
            ids, attention_mask=mask, **options, **prompted()
        ),
        jit_compile=jit_compile,
        autograph=False,
    )
    ids = run(tf.constant(IDS), tf.constant(MASK)).numpy()
    np.testing.assert_array_equal(ids[:, : expected.shape[1]], expected)
    assert set(ids[:, expected.shape[1] :].ravel()) <= {1}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["greedy", "beams"])
def test_a_batch_gives_what_each_document_gives_alone(small, mode):
    options = {**RULES, **MODES[mode]}
    together = small.generate(IDS, attention_mask=MASK, **options, **prompted())
    together = together.numpy().reshape(3, -1, together.shape[1])
    for row, own in enumerate(together):
        length = MASK[row].sum()
        ids, mask = (part[row : row + 1, :length] for part in (IDS, MASK))
        alone = small.generate(ids, attention_mask=mask, **options, **prompted([row]))
        alone = alone.numpy()
        np.testing.assert_array_equal(own[:, : alone.shape[1]], alone)
        assert set(own[:, alone.shape[1] :].ravel()) <= {1}


@pytest.mark.parametrize("mode", ["sample", "beam_sample"])
def test_the_seed_decides(small, mode):
    options = {**RULES, **MODES[mode], "max_time": 1000.0}  # runs eagerly
    del options["seed"]
    first, again, other = (small.generate(IDS, seed=s, **options) for s in (7, 7, 11))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first.numpy() != other.numpy()).any()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logits_processor", [lambda ids, scores: scores]),
        ("prefix_allowed_tokens_fn", lambda row, ids: [3]),
        ("max_time", 5.0),
    ],
)
def test_in_a_graph_what_needs_python_is_rejected_by_name(small, name, value):
    def run(ids):
        return small.generate(ids, max_new_tokens=2, **{name: value})

    with pytest.raises(ValueError, match=f"`{name}` needs Python at every token"):
        tf.function(run, autograph=False)(tf.constant(IDS))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["greedy", "beams"])
def test_a_model_for_a_gpu_generates_the_same(small, mode):
    """Its steps take fewer kernels; drafts are read several at a time."""
    options = {"attention_implementation": "grouped"}
    model = make_model(options=options, **SMALL)
    options = {**RULES, **MODES[mode]}
    expected = small.generate(IDS, attention_mask=MASK, **options)
    found = model.generate(IDS, attention_mask=MASK, **options)
    np.testing.assert_array_equal(found, expected)
    if mode == "greedy":
        options["prompt_lookup_num_tokens"] = 2
        found = model.generate(IDS, attention_mask=MASK, **options)
        np.testing.assert_array_equal(found, expected)


def test_a_decoder_of_two_bytes_on_request(small):
    options = {"max_new_tokens": 3, "return_dict_in_generate": True}
    options["output_logits"] = True
    expected = small.generate(IDS, attention_mask=MASK, **options).logits[0]
    options["decoder_dtype"] = "bfloat16"
    found = small.generate(IDS, attention_mask=MASK, **options).logits[0]
    assert 0 < np.abs(found - expected).max() <= 0.05 * np.abs(expected).max()
