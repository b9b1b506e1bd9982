"""What a decoding loop leaves behind, uncut."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.generation.random_options import draw_inputs, draw_options
from tests.generation.torch_oracle import (
    Noise,
    generate_ours,
    generate_theirs,
    make_torch_led,
)
from tests.generation.toy_step import ToyStep, generate
from tf_led.generation.decode import decode, finalize
from tf_led.generation.options.generation_options import GenerationOptions

ALL_OUTPUTS = {
    "return_dict_in_generate": True,
    "output_scores": True,
    "output_logits": True,
}
ATTENTIONS = {"output_attentions": True, "output_hidden_states": True}


pytestmark = pytest.mark.usefixtures("quiet_torch")


def draw_case(seed):
    """A random model, its inputs and options; how likely it is to end varies."""
    rng = np.random.default_rng(seed)
    model = make_torch_led(seed // 10)
    with torch.no_grad():
        model.final_logits_bias[0, 2] = float(rng.choice([0, 2, 4, 6]))
    options, inputs = draw_options(rng), draw_inputs(rng)
    if "max_length" in options and inputs["prompt"] is not None:
        options["max_length"] += inputs["prompt"].shape[1]
    return model, inputs, options | ALL_OUTPUTS


def is_tie(model, inputs, options, sequences):
    """Whether PyTorch answers otherwise when its logits are shaken by 1e-5."""
    for seed in range(5):
        noise = [Noise(1e-5, seed)]
        shaken = generate_theirs(model, **inputs, **options, logits_processor=noise)
        if not np.array_equal(shaken.sequences, sequences):
            return True
    return False


def assert_same(ours, theirs):
    """Tokens and beams are equal, numbers within 1e-4."""
    is_real = np.ones(len(theirs.sequences), bool)
    if "sequences_scores" in theirs:
        # Fewer hypotheses than asked for: what fills up is arbitrary in PyTorch.
        is_real = theirs.sequences_scores.numpy() > -1e8
        close(ours.sequences_scores, theirs.sequences_scores)
        assert ours.beam_indices.shape == tuple(theirs.beam_indices.shape)
        np.testing.assert_array_equal(
            ours.beam_indices.numpy()[is_real], theirs.beam_indices[is_real]
        )
    assert ours.sequences.shape == tuple(theirs.sequences.shape)
    np.testing.assert_array_equal(
        ours.sequences.numpy()[is_real], theirs.sequences[is_real]
    )
    for name in ("scores", "logits"):
        assert len(ours[name]) == len(theirs[name])
        for step, expected in zip(ours[name], theirs[name], strict=True):
            close(step, expected)


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def check_case(seed):
    """Compares one random case; whether it is a tie."""
    model, inputs, options = draw_case(seed)
    try:
        theirs = generate_theirs(model, **inputs, **options)
    except ValueError as rejected:
        with pytest.raises(ValueError, match=str(rejected)[:20]):
            generate_ours(model, **inputs, **options)
        return False
    ours = generate_ours(model, **inputs, **options)
    try:
        assert_same(ours, theirs)
    except AssertionError:
        if not is_tie(model, inputs, options, theirs.sequences):
            raise
        return True
    return False


@pytest.mark.parametrize("seed", range(100, 136))
def test_random_options_give_pytorchs_tokens_and_scores(seed):
    check_case(seed)


@pytest.mark.large
def test_hundreds_of_random_models_and_options_with_few_ties():
    ties = [seed for seed in range(1000, 1400) if check_case(seed)]
    assert len(ties) < 20


@pytest.mark.parametrize("prompt", [None, [[5, 6, 7], [5, 8, 9], [2, 4, 4]]])
@pytest.mark.parametrize("beams", [{}, {"num_beams": 3, "num_return_sequences": 2}])
def test_attentions_and_hidden_states_are_pytorchs(beams, prompt):
    model, inputs, _ = draw_case(5)
    inputs = {name: np.resize(inputs[name], [3, 11]) for name in list(inputs)[:2]}
    inputs["attention_mask"][:] = 1
    options = {**ALL_OUTPUTS, **ATTENTIONS, **beams, "max_new_tokens": 5}
    options["min_new_tokens"] = 4
    theirs = generate_theirs(model, **inputs, prompt=prompt, **options)
    ours = generate_ours(model, **inputs, prompt=prompt, **options)
    assert_same(ours, theirs)
    for name in ("decoder_attentions", "cross_attentions", "decoder_hidden_states"):
        assert len(ours[name]) == len(theirs[name]) > 2
        for step, expected in zip(ours[name], theirs[name], strict=True):
            for layer, other in zip(step, expected, strict=True):
                assert layer.shape == tuple(other.shape)
                close(layer, other)


def test_padding_id_0_is_no_padding():
    """PyTorch takes a padding id of 0 for none and pads beams with the end token."""
    model, inputs, options = draw_case(104)
    options |= {"num_beams": 3, "num_return_sequences": 3, "max_new_tokens": 9}
    options |= {"pad_token_id": 0, "eos_token_id": [2, 4, 5, 6, 7]}
    theirs = generate_theirs(model, **inputs, **options)
    ours = generate_ours(model, **inputs, **options)
    assert_same(ours, theirs)
    assert np.sum(ours.sequences == 2) > len(ours.sequences)


MODES = {
    "greedy": {},
    "beams": {"num_beams": 3, "early_stopping": "never", "length_penalty": 2.0},
    "sample": {"do_sample": True, "num_return_sequences": 3},
    "beam_sample": {"do_sample": True, "num_beams": 3},
    "groups": {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.7},
    "contrastive": {"penalty_alpha": 0.6, "top_k": 4},
}


def generate_toy(
    prompt_ids, documents, *, length=11, mask=None, eos_bias=2.0, **options
):
    options = {"eos_token_id": [2, 3], "pad_token_id": 1, **options}
    resolved = GenerationOptions(max_length=length, **options)
    extras = [
        name
        for output, names in (
            ("attentions", ("decoder_attentions", "cross_attentions")),
            ("hidden_states", ("decoder_hidden_states",)),
        )
        for name in names
        if resolved.needs_from_step(output)
    ]
    step = ToyStep(length, eos_bias=eos_bias, extras=extras)
    return generate(
        step,
        step.new_cache(documents, resolved.width),
        options=resolved,
        prompt_ids=prompt_ids,
        prompt_mask=mask,
        seed=5,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "prompt_len"),
    [(mode, 1 + 2 * (mode in ("beams", "sample", "contrastive"))) for mode in MODES],
)
def test_eager_graph_and_xla_agree(mode, prompt_len):
    options = {**MODES[mode], **ALL_OUTPUTS, **ATTENTIONS}
    prompt = tf.constant([[4, 5, 6], [4, 7, 8], [9, 9, 4]])[:, :prompt_len]
    documents = tf.constant([3, 17, 5])

    def run(prompt, documents):
        return generate_toy(prompt, documents, **options)

    eager = run(prompt, documents)
    specs = [
        tf.TensorSpec([None, prompt_len], tf.int32),
        tf.TensorSpec([None], tf.int32),
    ]
    # AutoGraph, which users leave on, only costs time: once is enough.
    has_autograph = mode == "greedy"
    graph = tf.function(run, input_signature=specs, autograph=has_autograph)
    graph = graph(prompt, documents)
    xla = tf.function(run, jit_compile=True, autograph=False)(prompt, documents)
    assert list(eager) == list(graph) == list(xla)
    length, steps = eager.sequences.shape[1], len(eager.scores)
    np.testing.assert_array_equal(graph.sequences, eager.sequences)
    assert xla.sequences.shape[1] == 11
    np.testing.assert_array_equal(xla.sequences[:, :length], eager.sequences)
    assert set(xla.sequences[:, length:].numpy().ravel()) <= {1}
    assert graph.scores.shape[0] == steps <= xla.scores.shape[0] == 11 - prompt_len
    for name in ("scores", "logits"):
        close(graph[name], tf.stack(eager[name]))
        close(xla[name][:steps], graph[name])
    for step in range(1, steps):
        position = step + prompt_len - 1
        for name in ("cross_attentions", "decoder_hidden_states"):
            close(graph[name][position], tf.stack(eager[name][step]))
            close(xla[name][position], graph[name][position])


@pytest.mark.parametrize("mode", [mode for mode in MODES if "sample" not in mode])
def test_a_batch_gives_what_each_document_gives_alone(mode):
    prompt, documents = [[4], [4], [4], [4]], [3, 17, 5, 11]
    together = generate_toy(prompt, documents, **MODES[mode]).sequences.numpy()
    rows = len(together) // 4
    assert len({tuple(row) for row in together}) > 2
    for number, document in enumerate(documents):
        alone = generate_toy([[4]], [document], **MODES[mode]).sequences.numpy()
        length = alone.shape[1]
        own = together[number * rows : (number + 1) * rows]
        np.testing.assert_array_equal(own[:, :length], alone)
        assert set(own[:, length:].ravel()) <= {1}


@pytest.mark.parametrize("mode", MODES)
def test_decoder_padding_is_masked_at_every_step(mode):
    options = {**MODES[mode], "num_return_sequences": 1, "eos_token_id": None}
    mask = tf.constant([[False, True, True], [True, True, True]])
    first = generate_toy([[4, 5, 6], [4, 5, 6]], [3, 3], mask=mask, **options)
    other = generate_toy([[9, 5, 6], [9, 5, 6]], [3, 3], mask=mask, **options)
    first, other = first.sequences.numpy(), other.sequences.numpy()
    np.testing.assert_array_equal(first[0, 3:], other[0, 3:])
    assert (first[1, 3:] != other[1, 3:]).any()


def test_without_return_dict_only_sequences_come_back():
    out = generate_toy([[4]], [3], output_scores=True, output_logits=True)
    assert list(out) == ["sequences"]


def test_saved_model_generates_the_same(tmp_path):
    options = {"num_beams": 3, "eos_token_id": [2, 3]}
    module = tf.Module()
    module.generate = tf.function(
        lambda documents: generate_toy(
            tf.fill([tf.shape(documents)[0], 1], 4), documents, **options
        ).to_tuple(),
        input_signature=[tf.TensorSpec([None], tf.int32)],
    )
    tf.saved_model.save(module, tmp_path)
    (loaded,) = tf.saved_model.load(tmp_path).generate(tf.constant([3, 17]))
    expected = generate_toy([[4], [4]], [3, 17], **options).sequences
    np.testing.assert_array_equal(loaded, expected)


LENGTH = 11


def decode_toy(**options):
    options = GenerationOptions(
        max_length=LENGTH, eos_token_id=[2, 3], pad_token_id=1, **options
    )
    step = ToyStep(LENGTH, eos_bias=1.0)
    call = {"options": options, "prompt_ids": tf.constant([[4, 7], [4, 5]])}
    return step, step.new_cache([3, 5], options.width), call


@pytest.mark.parametrize("options", [{}, {"num_beams": 3, "num_return_sequences": 2}])
def test_shapes_do_not_depend_on_what_is_found(options):
    options |= {"return_dict_in_generate": True, "output_scores": True}
    step, cache, call = decode_toy(**options)
    decoded = decode(step, cache, **call)
    rows, width = (
        2 * options.get("num_return_sequences", 1),
        options.get("num_beams", 1),
    )
    assert decoded.sequences.shape == (rows, LENGTH)
    assert decoded.step_outputs["scores"].shape == (LENGTH - 2, 2, width, 23)


@pytest.mark.parametrize("options", [{}, {"num_beams": 3, "num_return_sequences": 2}])
def test_cutting_outside_of_the_graph_gives_the_same(options):
    options |= {"return_dict_in_generate": True, "output_scores": True}
    step, cache, call = decode_toy(**options)
    decoded = tf.function(lambda: decode(step, cache, **call), autograph=False)()
    cut = finalize(decoded, options=call["options"], prompt_len=2)
    whole = generate(step, cache, **call)
    assert list(cut) == list(whole)
    np.testing.assert_array_equal(cut.sequences, whole.sequences)
    assert isinstance(cut.scores, tuple) and len(cut.scores) == len(whole.scores)
    for step_scores, expected in zip(cut.scores, whole.scores, strict=True):
        np.testing.assert_allclose(step_scores, expected, rtol=1e-4, atol=1e-5)


def test_further_fields_are_passed_on():
    step, cache, call = decode_toy(return_dict_in_generate=True)
    encoded = (tf.ones([2, 5, 7]),)
    found = finalize(
        decode(step, cache, **call),
        options=call["options"],
        prompt_len=2,
        encoder_hidden_states=encoded,
    )
    assert list(found) == ["sequences", "encoder_hidden_states"]
    assert found.encoder_hidden_states is encoded
