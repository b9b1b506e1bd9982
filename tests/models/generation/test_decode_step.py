import numpy as np
import pytest
import tensorflow as tf

from tf_led.models.generation.decode_step import DecodeStep, UncachedStep

BATCH, WIDTH, LENGTH = 2, 3, 5
RNG = np.random.default_rng(0)
# What each hypothesis has said, the slots that said it, and a padded prompt.
TOKENS = RNG.integers(3, 29, [BATCH, WIDTH, LENGTH])
PROMPT_MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 1, 1]], bool)
STATES = RNG.standard_normal([BATCH, 7, 12]).astype("float32")
DOCUMENT_MASK = np.array([[1] * 7, [1] * 5 + [0] * 2], bool)


def make_step(cls, model, **options):
    return cls(
        model.get_decoder(),
        model.score_tokens,
        tf.constant(STATES),
        tf.constant(DOCUMENT_MASK),
        keep_attentions=True,
        keep_hidden=True,
        **options,
    )


def read_at_once(model, tokens, **options):
    """All of the decoder for one hypothesis of each document."""
    return model.get_decoder()(
        input_ids=tokens,
        attention_mask=PROMPT_MASK[:, : tokens.shape[1]].astype(int),
        encoder_hidden_states=STATES,
        encoder_attention_mask=DOCUMENT_MASK.astype(int),
        output_attentions=True,
        output_hidden_states=True,
        **options,
    )


def run(step, tokens, ancestors):
    """Reads position after position; returns the last step's output."""
    cache = step.make_cache(WIDTH, LENGTH)
    for index in range(LENGTH):
        needed = {"tokens": tf.constant(tokens, tf.int32)}
        output = step(
            tf.constant(tokens[:, :, index], tf.int32),
            tf.constant(index),
            tf.constant(ancestors, tf.int32),
            tf.constant(PROMPT_MASK),
            cache,
            **(needed if hasattr(step, "needs_tokens") else {}),
        )
        cache = output.cache
    return output


def own_slots():
    return np.tile(np.arange(WIDTH)[:, None], [BATCH, 1, LENGTH]).reshape(
        BATCH, WIDTH, LENGTH
    )


@pytest.mark.parametrize("cls", [DecodeStep, UncachedStep])
def test_a_step_equals_reading_at_once(model, cls):
    output = run(make_step(cls, model), TOKENS, own_slots())
    for slot in range(WIDTH):
        whole = read_at_once(model, TOKENS[:, slot])
        logits = model.score_tokens(whole.last_hidden_state)[:, -1]
        np.testing.assert_allclose(output.logits[:, slot], logits, rtol=1e-4, atol=1e-4)
        for name, other in (
            ("decoder_attentions", whole.attentions),
            ("cross_attentions", whole.cross_attentions),
        ):
            for mine, maps in zip(output.extras[name], other, strict=True):
                np.testing.assert_allclose(
                    mine[:, slot, :, 0], maps[:, :, -1], atol=1e-5
                )
        for mine, state in zip(
            output.extras["decoder_hidden_states"], whole.hidden_states, strict=True
        ):
            np.testing.assert_allclose(
                mine[:, slot, 0], state[:, -1], rtol=1e-4, atol=1e-4
            )


def test_a_hypothesis_finds_what_its_ancestors_wrote(model):
    """The cache is never reordered: slot 0 continues what slot 2 began."""
    ancestors = own_slots()
    ancestors[:, 0, :3] = 2
    output = run(make_step(DecodeStep, model), TOKENS, ancestors)
    said = np.concatenate([TOKENS[:, 2, :3], TOKENS[:, 0, 3:]], axis=1)
    # What slot 0 read before it changed its past is in the cache as it was.
    first = read_at_once(model, TOKENS[:, 2, :3])
    assert first.last_hidden_state.shape == [BATCH, 3, 12]
    keys = output.cache[0].key
    whole = read_at_once(model, said)
    np.testing.assert_allclose(
        keys[:, :, :3, 2], whole.past_key_values[0][0][:, :, :3], rtol=1e-4, atol=1e-4
    )
    assert output.logits.shape == [BATCH, WIDTH, 29]


@pytest.mark.parametrize("cls", [DecodeStep, UncachedStep])
def test_head_masks(model, cls):
    masks = {
        "head_mask": tf.constant(np.eye(2, 3), tf.float32),
        "cross_head_mask": tf.constant(1 - np.eye(2, 3), tf.float32),
    }
    output = run(make_step(cls, model, **masks), TOKENS, own_slots())
    whole = read_at_once(
        model,
        TOKENS[:, 1],
        head_mask=masks["head_mask"],
        encoder_head_mask=masks["cross_head_mask"],
    )
    logits = model.score_tokens(whole.last_hidden_state)[:, -1]
    np.testing.assert_allclose(output.logits[:, 1], logits, rtol=1e-4, atol=1e-4)


def test_nothing_is_kept_that_nobody_asked_for(model):
    step = DecodeStep(
        model.get_decoder(), model.score_tokens, STATES, tf.constant(DOCUMENT_MASK)
    )
    assert run(step, TOKENS, own_slots()).extras == {}


def test_the_cache_has_fixed_shapes(model):
    cache = make_step(DecodeStep, model).make_cache(WIDTH, LENGTH)
    assert len(cache) == 2
    for layer in cache:
        assert [t.shape for t in layer] == [[BATCH, 3, LENGTH, WIDTH, 4]] * 2
    assert make_step(UncachedStep, model).make_cache(WIDTH, LENGTH) == []
