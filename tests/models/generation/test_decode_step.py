import numpy as np
import pytest
import tensorflow as tf

from tests.models.conftest import SMALL, make_model
from tf_led.models.generation.decode_step import DecodeStep, UncachedStep
from tf_led.models.generation.layer_steps import (
    FewKernelStep,
    LayerStep,
    PreparedStep,
)

BATCH, WIDTH, LENGTH = 2, 3, 5
RNG = np.random.default_rng(0)
# What each hypothesis has said, the beam_index that said it, and a padded prompt.
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


def run(step, tokens, beam_history):
    """Reads position after position; returns the last step's output."""
    cache = step.make_cache(WIDTH, LENGTH)
    for index in range(LENGTH):
        needed = {"tokens": tf.constant(tokens, tf.int32)}
        output = step(
            tf.constant(tokens[:, :, index], tf.int32),
            tf.constant(index),
            tf.constant(beam_history, tf.int32),
            tf.constant(PROMPT_MASK),
            cache,
            **(needed if hasattr(step, "needs_tokens") else {}),
        )
        cache = output.cache
    return output


def own_beams():
    return np.tile(np.arange(WIDTH)[:, None], [BATCH, 1, LENGTH]).reshape(
        BATCH, WIDTH, LENGTH
    )


@pytest.mark.slow
@pytest.mark.parametrize("few_kernels", [False, True])
@pytest.mark.parametrize("cls", [DecodeStep, UncachedStep])
def test_a_step_equals_reading_at_once(model, cls, few_kernels):
    step = make_step(cls, model, few_kernels=few_kernels)
    assert type(step.layers[0]) is (FewKernelStep if few_kernels else PreparedStep)
    output = run(step, TOKENS, own_beams())
    for beam in range(WIDTH):
        whole = read_at_once(model, TOKENS[:, beam])
        logits = model.score_tokens(whole.last_hidden_state)[:, -1]
        np.testing.assert_allclose(output.logits[:, beam], logits, rtol=1e-4, atol=1e-4)
        for name, other in (
            ("decoder_attentions", whole.attentions),
            ("cross_attentions", whole.cross_attentions),
        ):
            for mine, probs in zip(output.extras[name], other, strict=True):
                np.testing.assert_allclose(
                    mine[:, beam, :, 0], probs[:, :, -1], atol=1e-5
                )
        for mine, state in zip(
            output.extras["decoder_hidden_states"], whole.hidden_states, strict=True
        ):
            np.testing.assert_allclose(
                mine[:, beam, 0], state[:, -1], rtol=1e-4, atol=1e-4
            )


def test_a_hypothesis_finds_what_its_ancestors_wrote(model):
    """The cache is never reordered: beam 0 continues what beam 2 began."""
    beam_history = own_beams()
    beam_history[:, 0, :3] = 2
    output = run(make_step(DecodeStep, model), TOKENS, beam_history)
    said = np.concatenate([TOKENS[:, 2, :3], TOKENS[:, 0, 3:]], axis=1)
    # What beam 0 read before it changed its past is in the cache as it was.
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
    output = run(make_step(cls, model, **masks), TOKENS, own_beams())
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
    assert run(step, TOKENS, own_beams()).extras == {}


def test_the_cache_has_fixed_shapes(model):
    cache = make_step(DecodeStep, model).make_cache(WIDTH, LENGTH)
    assert len(cache) == 2
    for layer in cache:
        assert [t.shape for t in layer] == [[BATCH, 3, LENGTH, WIDTH, 4]] * 2
    assert make_step(UncachedStep, model).make_cache(WIDTH, LENGTH) == []


def test_a_cache_starts_small_and_grows(model):
    step = make_step(DecodeStep, model)
    cache = step.make_cache(WIDTH, length=1025, prompt_len=7)
    assert step.cache_length(cache) == 71
    cache[0] = cache[0]._replace(key=cache[0].key + 1)
    grown = step.grow(cache, tf.constant(97))
    assert step.cache_length(grown) == 97
    np.testing.assert_array_equal(grown[0].key[:, :, :71], cache[0].key)
    assert not np.any(grown[0].key[:, :, 71:])


@pytest.mark.parametrize("few_kernels", [False, True])
@pytest.mark.parametrize("width", [1, 3])
def test_reading_several_tokens_equals_one_after_another(model, width, few_kernels):
    step = make_step(DecodeStep, model, few_kernels=few_kernels)
    tokens, history = TOKENS[:, :width], own_beams()[:, :width]
    cache = step.make_cache(width, LENGTH)

    def read(token_ids, index, cache):
        arguments = token_ids, index, history, PROMPT_MASK
        arguments = [tf.constant(part) for part in arguments]
        arguments = [
            tf.cast(part, tf.int32) if part.dtype == tf.int64 else part
            for part in arguments
        ]
        return step(*arguments, cache)

    ones, extras = [], []
    for index in range(LENGTH):
        out = read(tokens[:, :, index], index, cache)
        cache = out.cache
        ones.append(out.logits)
        extras.append(out.extras)
    first = read(tokens[:, :, :2], 0, step.make_cache(width, LENGTH))
    rest = read(tokens[:, :, 2:], 2, first.cache)
    together = np.concatenate([first.logits, rest.logits], axis=2)
    ones = np.stack(ones, axis=2)
    # Padding sees nothing: what it reads is no number to rely on, and never seen.
    padding = np.broadcast_to(~PROMPT_MASK[:, None, :, None], ones.shape)
    together[padding] = ones[padding] = 0
    np.testing.assert_allclose(together, ones, rtol=1e-4, atol=1e-4)
    for name in extras[0]:
        for number, layer in enumerate(rest.extras[name]):
            expected = [extra[name][number] for extra in extras[2:]]
            expected = np.concatenate(expected, axis=-2)
            np.testing.assert_allclose(layer, expected, rtol=1e-4, atol=1e-4)


def count_ops(step, width, kinds):
    """Counts ops of some kinds in the graph of one step over a batch of any size."""
    cache = step.make_cache(width, LENGTH)
    flat = tf.nest.flatten(cache)
    specs = [
        tf.TensorSpec([None, width], tf.int32),
        tf.TensorSpec([], tf.int32),
        tf.TensorSpec([None, width, LENGTH], tf.int32),
        tf.TensorSpec([None, LENGTH], tf.bool),
        *(tf.TensorSpec([None, *part.shape[1:]], part.dtype) for part in flat),
    ]

    @tf.function(input_signature=specs, autograph=False)
    def run(token_ids, index, beam_history, token_mask, *cache_parts):
        parts = tf.nest.pack_sequence_as(cache, cache_parts)
        return step(token_ids, index, beam_history, token_mask, parts).logits

    types = [op.type for op in run.get_concrete_function().graph.get_operations()]
    return {kind: types.count(kind) for kind in kinds}


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_step_has_few_products_and_no_scatter(policy):
    """Six products a layer: query, key and value come of one."""
    kinds = ["MatMul", "Transpose", "TensorScatterUpdate"]
    models = [
        make_model(**{**SMALL, "decoder_layers": n}, options={"dtype": policy})
        for n in (1, 2)
    ]
    counts = [count_ops(make_step(DecodeStep, model), 1, kinds) for model in models]
    per_layer = {kind: counts[1][kind] - counts[0][kind] for kind in kinds}
    assert per_layer == {"MatMul": 6, "Transpose": 2, "TensorScatterUpdate": 0}


def test_a_quantized_projection_is_applied_by_its_layer():
    model = make_model(**SMALL)
    expected = run(make_step(DecodeStep, model), TOKENS, own_beams()).logits
    model.quantize("int8")
    step = make_step(DecodeStep, model)
    assert type(step.layers[0]) is LayerStep
    found = run(step, TOKENS, own_beams()).logits
    assert 0 < np.abs(found - expected).max() < 1


@pytest.mark.parametrize("few_kernels", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 0.1), ("float16", 0.01)])
def test_a_decoder_in_half_precision(model, dtype, tolerance, few_kernels):
    """Where the model computes in float32: weights, cache and logits of two bytes."""
    expected = run(make_step(DecodeStep, model), TOKENS, own_beams()).logits
    step = DecodeStep(
        model.get_decoder(),
        model.prepare_scores(dtype),
        tf.constant(STATES),
        tf.constant(DOCUMENT_MASK),
        dtype=dtype,
        few_kernels=few_kernels,
    )
    found = run(step, TOKENS, own_beams())
    assert found.logits.dtype == found.cache[0].key.dtype == dtype
    error = np.abs(tf.cast(found.logits, tf.float32) - expected).max()
    assert 0 < error <= tolerance * np.abs(expected).max()
    weights = [*step.layers[0].joined, *step.layers[0].fc2]
    assert {weight.dtype for weight in weights} == {tf.as_dtype(dtype)}


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_few_kernels_of_every_activation(activation):
    sizes = {**SMALL, "activation_function": activation}
    model = make_model(**sizes)
    expected, found = (
        run(make_step(DecodeStep, model, few_kernels=few), TOKENS, own_beams()).logits
        for few in (False, True)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
