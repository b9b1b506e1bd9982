import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

import tf_led
from tests.models.conftest import SMALL, make_model
from tf_led.models.pretrained.finetuning import DEFAULT_TARGETS
from tf_led.training.lora import adapters_of

EVERY = [*DEFAULT_TARGETS, "key", "key_global", "output", "k_proj", "out_proj"]
EVERY += ["fc1", "fc2", "shared"]
RANK, ALPHA = 2, 3.0


def adapted(targets=EVERY, **options):
    """A model with adapters that do something."""
    model = make_model(**SMALL, dropout=0.0)
    model.enable_lora(RANK, alpha=ALPHA, targets=targets, **options)
    rng = np.random.default_rng(11)
    for layer in model.adapters().values():
        for variable in adapters_of(layer):
            variable.assign(0.3 * rng.standard_normal(variable.shape))
    return model


@pytest.fixture(scope="module")
def model():
    """One for all tests that only look."""
    return adapted()


def in_numpy(model):
    """A model with the adapters added to its weights by hand."""
    plain = make_model(**SMALL, dropout=0.0)
    table = plain.weight_table()
    for path, layer in model.adapters().items():
        left, right = map(np.array, adapters_of(layer))
        name = "embeddings" if path == "led/shared" else "kernel"
        table[f"{path}/{name}"].assign_add(ALPHA / RANK * left @ right)
    return plain


@pytest.fixture(scope="module")
def merged(model):
    return in_numpy(model)


@pytest.fixture(params=["few", "many", "none", "attention_probs"])
def any_inputs(request, inputs):
    """Each takes another way through the encoder's global attention."""
    if request.param == "many":
        inputs["global_attention_mask"] = np.ones([2, 7], int)
    if request.param == "none":
        del inputs["global_attention_mask"]
    if request.param == "attention_probs":
        inputs["output_attentions"] = True
    return inputs


def test_adapters_act_everywhere(model, merged, any_inputs):
    expected = merged(any_inputs).logits
    np.testing.assert_allclose(model(any_inputs).logits, expected, atol=1e-4)


@pytest.mark.slow
def test_adapters_act_in_generation(model, merged, inputs):
    """Where keys are cached, and the embedding scores the vocabulary."""
    del inputs["decoder_input_ids"]
    options = {"num_beams": 2, "max_new_tokens": 5, "return_dict_in_generate": True}
    options |= {"output_scores": True, "do_sample": False}
    mine, theirs = (m.generate(**inputs, **options) for m in (model, merged))
    np.testing.assert_array_equal(mine.sequences, theirs.sequences)
    np.testing.assert_allclose(
        mine.sequences_scores, theirs.sequences_scores, atol=1e-4
    )


def test_fresh_adapters_change_nothing(inputs):
    model = make_model(**SMALL)
    before = model(inputs).logits
    model.enable_lora(3)
    np.testing.assert_array_equal(model(inputs).logits, before)
    paths = {path.rsplit("/", 1)[1] for path in model.adapters()}
    assert paths == set(DEFAULT_TARGETS)


def test_only_adapters_and_what_is_named_learn(inputs, labels):
    """The rest stays equal to the last bit, weight decay or not."""
    model = adapted(trainable=["final_layer_norm", "fc1/bias"])
    before = {path: np.array(v) for path, v in model.weight_table().items()}
    factors = {
        path: [np.array(v) for v in adapters_of(layer)]
        for path, layer in model.adapters().items()
    }
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.1), run_eagerly=True)
    model.train_on_batch(inputs, labels)
    for path, variable in model.weight_table().items():
        named = "final_layer_norm" in path or path.endswith("fc1/bias")
        assert np.array_equal(before[path], variable) == (not named), path
    for path, layer in model.adapters().items():
        for old, new in zip(factors[path], adapters_of(layer), strict=True):
            assert not np.array_equal(old, new), path


def test_merging(model, merged, inputs):
    again = adapted()
    again.merge_lora()
    assert not again.adapters()
    np.testing.assert_allclose(again(inputs).logits, merged(inputs).logits, atol=1e-4)
    assert len(again.trainable_variables) == len(merged.trainable_variables)
    again.enable_lora(1)  # and once more


def test_saved_merged(model, merged, inputs, tmp_path):
    model.save_pretrained(tmp_path / "checkpoint")
    model.save(tmp_path / "model.keras")
    cls = tf_led.TFLEDForConditionalGeneration
    for loaded in (
        cls.from_pretrained(tmp_path / "checkpoint"),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        expected = merged(inputs).logits
        np.testing.assert_allclose(loaded(inputs).logits, expected, atol=1e-4)
    assert model.adapters()  # it can be trained on


def test_saved_apart(inputs, tmp_path):
    model = adapted(["q_proj", "query_global", "shared"], trainable=["bias"])
    model.led.encoder.layers_0.fc1.bias.assign_add([0.5] * 17)
    model.save_lora(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    loaded = make_model(**SMALL, dropout=0.0)
    loaded.load_lora(tmp_path)
    np.testing.assert_array_equal(loaded(inputs).logits, model(inputs).logits)
    for one, other in zip(*map(what_trains, (model, loaded)), strict=True):
        assert one == other


def what_trains(model):
    table = model.weight_table()
    return set(model.adapters()), {path for path, v in table.items() if v.trainable}


def test_under_pefts_names(tmp_path):
    adapted(["q_proj", "shared"]).save_lora(tmp_path)
    shapes = {
        name.removeprefix("base_model.model.led."): array.shape
        for name, array in load_file(tmp_path / "adapter_model.safetensors").items()
    }
    layer = "decoder.layers.0"
    assert shapes == {
        f"{layer}.self_attn.q_proj.lora_A.weight": (2, 12),
        f"{layer}.self_attn.q_proj.lora_B.weight": (12, 2),
        f"{layer}.encoder_attn.q_proj.lora_A.weight": (2, 12),
        f"{layer}.encoder_attn.q_proj.lora_B.weight": (12, 2),
        "shared.lora_embedding_A": (2, 29),
        "shared.lora_embedding_B": (12, 2),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": 0}, "`rank` must be an int of at least 1, got 0"),
        ({"rank": 2.5}, "`rank` must be an int of at least 1, got 2.5"),
        ({"alpha": -1}, "`alpha` must be above 0 .* got -1"),
        ({"targets": ["qury"]}, "`targets` has 'qury', .* query_global"),
        ({"targets": "query"}, "`targets` must be a list of names, got 'query'"),
        ({"trainable": ["norm"]}, "`trainable` has 'norm', .* final_layer_norm"),
    ],
)
def test_mistakes_are_named(arguments, message):
    model = make_model(**SMALL)
    with pytest.raises(ValueError, match=message):
        model.enable_lora(**{"rank": 2, **arguments})
    assert not model.adapters() and len(model.trainable_variables) > 40


def test_one_set_of_adapters_at_a_time(model, tmp_path):
    for again in (lambda: model.enable_lora(2), lambda: model.load_lora(tmp_path)):
        with pytest.raises(ValueError, match=r"has LoRA adapters: merge_lora\(\)"):
            again()


def test_without_adapters():
    plain = make_model(**SMALL)
    with pytest.raises(ValueError, match="no adapters to merge"):
        plain.merge_lora()
    with pytest.raises(ValueError, match="no adapters to save"):
        plain.save_lora("nowhere")


def test_adapters_of_another_model(model, tmp_path):
    model.save_lora(tmp_path)
    wide = make_model(**{**SMALL, "encoder_ffn_dim": 23})
    with pytest.raises(ValueError, match=r"fc1/kernel.* \(12, 17\), .* \(12, 23\)"):
        wide.load_lora(tmp_path)
    fewer = make_model(**{**SMALL, "decoder_layers": 0})
    with pytest.raises(ValueError, match="decoder/layers/0.*this model has none"):
        fewer.load_lora(tmp_path)


FROZEN = {
    "encoder": lambda path: "/encoder/" in path,
    "embeddings": lambda path: "embeddings" in path,
    "global_projections": lambda path: "_global/" in path,
    "decoder/layers/0": lambda path: "decoder/layers/0" in path,
}


@pytest.mark.parametrize("name", FROZEN)
def test_freezing(name):
    model = make_model(**SMALL)
    table = {p: v for p, v in model.weight_table().items() if v.trainable}
    model.freeze(name)
    frozen = {path for path, v in table.items() if not v.trainable}
    assert frozen == set(filter(FROZEN[name], table)) and frozen
    model.unfreeze(name)
    assert all(v.trainable for v in table.values())
    assert not model.final_logits_bias.trainable


def test_frozen_weights_do_not_learn(inputs, labels):
    model = make_model(**SMALL)
    model.compile("sgd")
    model.freeze("encoder", "shared")
    with pytest.raises(ValueError, match="must call `compile"):
        model.train_on_batch(inputs, labels)
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.5), run_eagerly=True)
    model.gradient_checkpointing_enable()
    before = {path: np.array(v) for path, v in model.weight_table().items()}
    model.train_on_batch(inputs, labels)
    for path, variable in model.weight_table().items():
        learned = path.startswith("led/decoder")
        assert np.array_equal(before[path], variable) == (not learned), path


def test_a_name_that_nothing_has():
    model = make_model(**SMALL)
    with pytest.raises(ValueError, match="has 'encoders', .*encoder"):
        model.freeze("encoders")


def test_quantised_models_are_not_adapted_nor_saved_as_pytorchs(tmp_path):
    model = make_model(**SMALL)
    model.quantize("int8")
    with pytest.raises(ValueError, match="is quantised; add adapters .* first"):
        model.enable_lora(2)
    with pytest.raises(ValueError, match="is quantised, which PyTorch's format"):
        model.save_pretrained(tmp_path)


def test_adapted_models_are_not_quantised(model):
    with pytest.raises(ValueError, match=r"quantize\('int8'\) of a model with LoRA"):
        model.quantize("int8")
