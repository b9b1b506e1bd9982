import copy
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_led import TFLEDForConditionalGeneration, TFLEDModel
from tf_led.models.pretrained.resizing import VARIANCE_SCALE, _draw_around_mean
from tf_led.testing import fill_spread, tiny_config


@pytest.fixture
def model():
    model = TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1, d_model=1200, init_std=0.07)
    )
    fill_spread(model)
    return model


@pytest.fixture(scope="module")
def untouched():
    """Not to be changed."""
    return TFLEDModel(tiny_config(encoder_layers=1, decoder_layers=1))


def table_of(model):
    return model.get_input_embeddings().embeddings.numpy()


@pytest.mark.parametrize(("stddev", "expected"), [(None, 0.07), (0.3, 0.3)])
def test_noise_on_one_row(model, stddev, expected):
    before = table_of(model)
    assert model.perturb_bos_embedding(stddev) is None
    change = table_of(model) - before
    assert 0.9 < change[0].std() / expected < 1.1
    assert np.abs(change[0].mean()) < 0.1 * expected
    np.testing.assert_array_equal(change[1:], 0)


def test_a_seed_repeats_it():
    def rows(seed):
        model = TFLEDModel(tiny_config(bos_token_id=3))
        fill_spread(model)
        before = table_of(model)
        model.perturb_bos_embedding(seed=seed)
        assert np.flatnonzero((table_of(model) != before).any(axis=1)) == [3]
        return table_of(model)[3]

    np.testing.assert_array_equal(rows(5), rows(5))
    assert np.abs(rows(5) - rows(7)).max() > 1e-3


@pytest.mark.parametrize("stddev", [0, -0.1, True, float("nan"), "0.1"])
def test_a_deviation_that_is_not_above_0_raises(untouched, stddev):
    with pytest.raises(ValueError, match=f"`stddev` must be above 0, got {stddev!r}"):
        untouched.perturb_bos_embedding(stddev)


@pytest.mark.parametrize("bos", [None, 29])
def test_a_model_without_bos(bos):
    model = TFLEDModel(tiny_config(bos_token_id=bos))
    with pytest.raises(ValueError, match=f"`bos_token_id` is {bos}, no token of 29"):
        model.perturb_bos_embedding()


def test_lora_is_rejected():
    model = TFLEDModel(tiny_config(encoder_layers=1, decoder_layers=1))
    model.get_input_embeddings().enable_lora(3)
    with pytest.raises(ValueError, match="has LoRA weights"):
        model.perturb_bos_embedding()


def test_tables_that_are_not_tied_get_noise_each():
    model = TFLEDForConditionalGeneration(tiny_config(tie_word_embeddings=False))
    led = model.led
    tables = [
        led.shared._embeddings,
        led.encoder.embed_tokens._embeddings,
        led.decoder.embed_tokens._embeddings,
        model.lm_head._kernel,
    ]
    before = [table.numpy() for table in tables]
    model.perturb_bos_embedding()
    changes = [table.numpy() - old for table, old in zip(tables, before, strict=True)]
    changes[3] = changes[3].T
    for change in changes:
        assert np.all(change[0] != 0)
        np.testing.assert_array_equal(change[1:], 0)
    assert np.abs(changes[0][0] - changes[1][0]).max() > 1e-4


OLD, LESS, MORE = 29, 23, 31
IDS = tf.constant([[0, 5, 7, 11, 2]])


def make_model(cls=TFLEDForConditionalGeneration, **overrides):
    config = tiny_config(
        encoder_layers=1, decoder_layers=1, project="kept", **overrides
    )
    small_model = cls(config)
    fill_spread(small_model)
    return small_model


@pytest.fixture
def small_model():
    return make_model()


@pytest.fixture(scope="module")
def many_ends():
    """Not to be changed."""
    return make_model(decoder_start_token_id=19, eos_token_id=[1, 2])


@pytest.mark.parametrize("size", [LESS, MORE])
def test_the_tokens_that_stay_keep_their_logits(small_model, size):
    stay = min(size, OLD)
    table, logits = table_of(small_model), small_model(IDS).logits
    bias = small_model.final_logits_bias.numpy()
    embedding = small_model.resize_token_embeddings(size)
    assert embedding is small_model.get_input_embeddings()
    np.testing.assert_array_equal(table_of(small_model)[:stay], table[:stay])
    assert table_of(small_model).shape == (size, 12)
    resized = small_model(IDS).logits
    assert resized.shape == (1, 5, size)
    np.testing.assert_allclose(resized[..., :stay], logits[..., :stay], rtol=1e-5)
    expected = np.concatenate([bias[:, :stay], np.zeros([1, size - stay])], axis=1)
    np.testing.assert_array_equal(small_model.final_logits_bias, expected)
    assert small_model.get_bias()["final_logits_bias"] is small_model.final_logits_bias


def test_encoder_decoder_and_output_share_the_new_table(small_model):
    embedding = small_model.resize_token_embeddings(MORE)
    for holder in (small_model.led.encoder, small_model.led.decoder):
        assert holder.embed_tokens is embedding
    assert small_model.get_output_embeddings() is embedding
    before = small_model(input_ids=[[0, 30, 2]], decoder_input_ids=[[2, 30]]).logits
    embedding._embeddings.assign(tf.reverse(embedding.embeddings, [1]))
    after = small_model(input_ids=[[0, 30, 2]], decoder_input_ids=[[2, 30]]).logits
    assert np.abs(after - before).max() > 0.1


def test_the_model_is_as_one_built_with_the_new_config(small_model):
    small_model.resize_token_embeddings(MORE)
    fresh = TFLEDForConditionalGeneration(small_model.config)

    def describe(small_model):
        # Keras numbers the names of models, layers and seed generators.
        return [
            (re.sub(r"_\d+", "", variable.path), tuple(variable.shape))
            for variable in (
                *small_model.trainable_variables,
                *small_model.non_trainable_variables,
            )
        ]

    assert describe(small_model) == describe(fresh)
    fresh.set_weights(small_model.get_weights())
    tf.debugging.assert_equal(fresh(IDS).logits, small_model(IDS).logits)
    assert small_model.weight_table().keys() == fresh.weight_table().keys()
    assert small_model.count_params() == fresh.count_params()


def test_the_config_is_new_and_the_old_one_as_it_was(small_model):
    old = small_model.config
    fields = copy.deepcopy(old.to_dict())
    small_model.resize_token_embeddings(MORE)
    assert old.to_dict() == fields
    assert small_model.config.to_dict() == {**fields, "vocab_size": MORE}
    assert small_model.config.project == "kept"
    for part in (small_model.led, small_model.led.encoder, small_model.led.decoder):
        assert part.config is small_model.config


def test_a_model_without_head_resizes():
    small_model = make_model(TFLEDModel)
    hidden = small_model(IDS).last_hidden_state
    small_model.resize_token_embeddings(MORE)
    tf.debugging.assert_equal(small_model(IDS).last_hidden_state, hidden)
    assert small_model(input_ids=[[0, 30, 2]]).last_hidden_state.shape == (1, 3, 12)


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ({}, OLD),
        ({"new_num_tokens": np.int64(MORE)}, MORE),
        ({"new_num_tokens": MORE, "pad_to_multiple_of": 8}, 32),
        ({"new_num_tokens": 32, "pad_to_multiple_of": 8}, 32),
        ({"pad_to_multiple_of": 7}, 35),
    ],
)
def test_sizes_are_rounded_up(small_model, arguments, size):
    assert small_model.resize_token_embeddings(**arguments).input_dim == size
    assert small_model.config.vocab_size == size == len(table_of(small_model))


def test_the_same_size_changes_nothing(small_model):
    config, variables = small_model.config, small_model.variables
    small_model.resize_token_embeddings(OLD)
    assert small_model.config is config
    assert all(a is b for a, b in zip(small_model.variables, variables, strict=True))


def test_new_rows_lie_around_the_mean_with_the_old_covariance():
    tf.random.set_seed(0)
    rng = np.random.default_rng(3)
    values = rng.normal(1, 2, [OLD, 5]) @ rng.normal(0, 1, [5, 5])
    rows = _draw_around_mean(values, 40_009).numpy() - values.mean(axis=0)
    spread = np.sqrt(VARIANCE_SCALE * values.var(axis=0))
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.03 * spread.min())
    covariance = VARIANCE_SCALE * np.cov(values.T, ddof=0)
    error = np.cov(rows.T) - covariance
    assert np.abs(error / np.outer(spread, spread)).max() < 0.03


def test_new_rows_are_near_the_mean_unless_told(small_model):
    table = table_of(small_model)
    small_model.resize_token_embeddings(MORE)
    new = table_of(small_model)[OLD:]
    np.testing.assert_allclose(new, np.tile(table.mean(axis=0), (2, 1)), atol=1e-3)
    assert np.all(new[0] != new[1])
    small_model.resize_token_embeddings(1009, mean_resizing=False)
    new = table_of(small_model)[MORE:]
    assert 0.95 < new.std() / small_model.config.init_std < 1.05
    assert np.abs(new.mean()) < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("mean_resizing", [True, False])
def test_a_seed_repeats_the_new_rows(mean_resizing):
    def new_rows(seed):
        keras.utils.set_random_seed(3)
        small_model = make_model()
        keras.utils.set_random_seed(seed)
        small_model.resize_token_embeddings(MORE, mean_resizing=mean_resizing)
        return table_of(small_model)[OLD:]

    np.testing.assert_array_equal(new_rows(5), new_rows(5))
    assert np.abs(new_rows(5) - new_rows(7)).max() > 0


@pytest.mark.slow
def test_what_the_model_compiled_is_compiled_anew(small_model):
    def generate():
        return small_model.generate(IDS, max_new_tokens=2).numpy().tolist()

    assert MORE - 1 not in generate()[0]
    small_model.serving(small_model.dummy_inputs)
    small_model.predict_function = small_model.train_function = (
        small_model.test_function
    ) = print
    small_model.resize_token_embeddings(MORE)
    bias = np.zeros([1, MORE])
    bias[0, -1] = 1e6
    small_model.set_bias({"final_logits_bias": tf.constant(bias, tf.float32)})
    assert generate() == [[2, MORE - 1, MORE - 1]]
    assert small_model.serving(small_model.dummy_inputs)["logits"].shape == (
        1,
        2,
        MORE,
    )
    functions = (
        small_model.predict_function,
        small_model.train_function,
        small_model.test_function,
    )
    assert functions == (None, None, None)


@pytest.mark.slow
def test_a_graph_traced_before_fails_and_one_traced_after_works():
    small_model = make_model(TFLEDModel)
    functions = [
        tf.function(lambda ids: small_model(ids)[0], autograph=False) for _ in range(2)
    ]
    expected = functions[0](IDS)
    small_model.resize_token_embeddings(MORE)
    with pytest.raises(tf.errors.InvalidArgumentError, match="shared"):
        functions[0](IDS)
    np.testing.assert_allclose(functions[1](IDS), expected, atol=1e-5)


@pytest.mark.parametrize("trainable", [True, False])
def test_a_frozen_table_stays_frozen(small_model, trainable):
    small_model.get_input_embeddings().trainable = trainable
    count = len(small_model.trainable_variables)
    embedding = small_model.resize_token_embeddings(MORE)
    assert len(small_model.trainable_variables) == count
    assert embedding._embeddings.trainable is trainable
    assert not small_model.final_logits_bias.trainable


def test_new_tokens_train(small_model):
    small_model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    embedding = small_model.resize_token_embeddings(MORE)
    before = table_of(small_model)
    labels = tf.constant([[30, 2]])
    inputs = {"input_ids": IDS, "global_attention_mask": tf.ones_like(IDS)}
    small_model.train_on_batch({**inputs, "labels": labels})
    change = np.abs(table_of(small_model) - before).max(axis=1)
    assert change[30] > 1e-3
    assert embedding._embeddings in small_model.optimizer._trainable_variables


def test_an_optimizer_with_state_is_rejected_until_there_is_a_new_one(small_model):
    small_model.compile(keras.optimizers.Adam())
    small_model.optimizer.build(small_model.trainable_variables)
    config, table = small_model.config, table_of(small_model)
    with pytest.raises(ValueError, match="compiled with Adam, which holds state"):
        small_model.resize_token_embeddings(MORE)
    assert small_model.config is config
    np.testing.assert_array_equal(table_of(small_model), table)
    small_model.compile(keras.optimizers.Adam())
    assert small_model.resize_token_embeddings(MORE).input_dim == MORE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"new_num_tokens": 0}, "`new_num_tokens` must be an int of at least 1, got 0"),
        ({"new_num_tokens": True}, "`new_num_tokens`.*got True"),
        ({"new_num_tokens": 31.5}, "`new_num_tokens`.*got 31.5"),
        ({"new_num_tokens": "31"}, "`new_num_tokens`.*got '31'"),
        ({"pad_to_multiple_of": -3}, "`pad_to_multiple_of`.*got -3"),
        ({"new_num_tokens": 2}, "2 would cut off token 2, the config's `eos_token_id`"),
        (
            {"new_num_tokens": 17},
            "17 would cut off token 19, .*`decoder_start_token_id`",
        ),
    ],
)
def test_a_bad_size_is_rejected(many_ends, arguments, message):
    small_model = many_ends
    with pytest.raises(ValueError, match=message):
        small_model.resize_token_embeddings(**arguments)
    assert small_model.config.vocab_size == OLD


def test_lora_and_quantised_tables_are_rejected(small_model):
    small_model.get_input_embeddings().enable_lora(3)
    with pytest.raises(ValueError, match="has LoRA weights"):
        small_model.resize_token_embeddings(MORE)
    small_model = make_model()
    small_model.get_input_embeddings().quantize("int8", type_check=False)
    with pytest.raises(ValueError, match="has int8 weights"):
        small_model.resize_token_embeddings(MORE)


@pytest.mark.slow
def test_every_format_keeps_a_resized_model(small_model, tmp_path):
    small_model.resize_token_embeddings(MORE)
    logits = small_model(IDS).logits
    small_model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.config.vocab_size == MORE
    tf.debugging.assert_equal(loaded(IDS).logits, logits)

    small_model.save_weights(tmp_path / "model.weights.h5")
    fresh = TFLEDForConditionalGeneration(small_model.config)
    fresh.load_weights(tmp_path / "model.weights.h5")
    tf.debugging.assert_equal(fresh(IDS).logits, logits)

    small_model.save_pretrained(tmp_path)
    loaded = TFLEDForConditionalGeneration.from_pretrained(tmp_path)
    tf.debugging.assert_equal(loaded(IDS).logits, logits)

    path = tf.train.Checkpoint(small_model).write(str(tmp_path / "checkpoint"))
    fresh = TFLEDForConditionalGeneration(small_model.config)
    tf.train.Checkpoint(fresh).read(path).assert_consumed()
    tf.debugging.assert_equal(fresh(IDS).logits, logits)


def test_pytorch_opens_a_resized_model(small_model, tmp_path):
    import torch
    from transformers import LEDForConditionalGeneration

    small_model.resize_token_embeddings(MORE)
    small_model.save_pretrained(tmp_path)
    theirs, report = LEDForConditionalGeneration.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report.values())
    inputs = {"input_ids": [[0, 30, 7, 2]], "decoder_input_ids": [[2, 30, 5]]}
    with torch.no_grad():
        expected = theirs.eval()(**{k: torch.tensor(v) for k, v in inputs.items()})
    np.testing.assert_allclose(
        small_model(**inputs).logits, expected.logits.numpy(), rtol=1e-4, atol=1e-4
    )


def test_tables_that_are_not_tied_are_all_resized(tmp_path):
    small_model = make_model(tie_word_embeddings=False)
    led = small_model.led
    tables = [led.shared, led.encoder.embed_tokens, led.decoder.embed_tokens]
    before = [table.embeddings.numpy() for table in tables]
    kernel, logits = small_model.lm_head.kernel.numpy(), small_model(IDS).logits
    small_model.resize_token_embeddings(MORE)
    for table, values in zip(tables, before, strict=True):
        assert table.embeddings.shape == (MORE, 12)
        np.testing.assert_array_equal(table.embeddings[:OLD], values)
    assert small_model.lm_head.kernel.shape == (12, MORE)
    np.testing.assert_array_equal(small_model.lm_head.kernel[:, :OLD], kernel)
    resized = small_model(IDS).logits
    np.testing.assert_allclose(resized[..., :OLD], logits, rtol=1e-5, atol=1e-5)
    small_model.save_pretrained(tmp_path)
    loaded = TFLEDForConditionalGeneration.from_pretrained(tmp_path)
    tf.debugging.assert_equal(loaded(IDS).logits, resized)
    small_model.resize_token_embeddings(LESS)
    np.testing.assert_array_equal(small_model.lm_head.kernel, kernel[:, :LESS])


def test_positions_too_few_for_the_windows_change_nothing():
    model = make_model(attention_window=1402, max_encoder_position_embeddings=701)
    before = model.led.encoder.embed_positions.input_dim
    with pytest.raises(ValueError, match="`attention_window` is 1402 .* with 53 pos"):
        model.resize_position_embeddings(53)
    assert model.led.encoder.embed_positions.input_dim == before
    assert model.config.max_encoder_position_embeddings == 701
