import keras
import numpy as np
import pytest

from tf_led.training import lora


@pytest.fixture(params=["dense", "embedding"])
def layer(request):
    """Of shape (5, 7), with an adapter of rank 3 that counts 2 / 3."""
    made = {
        "dense": keras.layers.Dense(7, dtype="mixed_bfloat16"),
        "embedding": keras.layers.Embedding(5, 7, dtype="mixed_bfloat16"),
    }[request.param]
    made.build((None, 5))
    lora.add_adapters([made], rank=3, alpha=2)
    rng = np.random.default_rng(0)
    for variable in lora.adapters_of(made):
        variable.assign(rng.standard_normal(variable.shape))
    return made


def by_hand(layer):
    left, right = map(np.array, lora.adapters_of(layer))
    return np.array(lora.weight_of(layer)) + 2 / 3 * left @ right


def test_shapes(layer):
    shapes = [tuple(v.shape) for v in lora.adapters_of(layer)]
    assert shapes == [(5, 3), (3, 7)]


def test_the_merged_weight_has_full_precision(layer):
    """Keras' own `kernel` would be bfloat16 here."""
    merged = lora.MergedWeight(layer)
    assert tuple(merged.shape) == (5, 7) and merged.dtype == "float32"
    found = keras.ops.convert_to_numpy(merged)
    np.testing.assert_allclose(found, by_hand(layer), atol=1e-6)


def test_merging_takes_the_adapter_off(layer):
    expected = by_hand(layer)
    lora.merge_adapter(layer)
    np.testing.assert_allclose(lora.weight_of(layer), expected, atol=1e-6)
    assert not layer.lora_enabled
    assert not any("lora" in v.path for v in layer.variables)
    assert keras.layers.deserialize(keras.layers.serialize(layer)).lora_rank is None
    lora.add_adapters([layer], rank=1, alpha=1)
    assert tuple(lora.adapters_of(layer)[0].shape) == (5, 1)


@pytest.mark.parametrize("rank", [0, -3, 2.0, True])
def test_bad_ranks_raise(rank):
    with pytest.raises(ValueError, match=f"`rank` must be .* got {rank}"):
        lora.check_rank(rank, None)


def test_a_rank_beyond_every_weight(layer):
    with pytest.raises(ValueError, match="`rank` is 8, .* at most 7"):
        lora.check_rank(8, None, [layer])
    lora.check_rank(7, None, [layer])


def test_bad_alphas_raise():
    for alpha in (0, float("nan"), float("inf"), 10**400):
        with pytest.raises(ValueError, match=f"`alpha` must be .*, got {alpha!r:.70}"):
            lora.check_rank(1, alpha)
