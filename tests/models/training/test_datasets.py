import datasets
import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import DataCollatorForSeq2Seq

from tests.tokenization.make_golden import DATA
from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration, TFLEDModel
from tf_led.testing import fill_spread, tiny_config

ROWS = {
    "document": ["a", "b", "c", "d", "e"],
    "input_ids": [[0, 5, 7, 2], [0, 2], [0, 3, 11, 13, 17, 19, 2], [0, 23, 2], [8]],
    "global_attention_mask": [[1, 0, 0, 1], [1, 0], [0] * 7, [1, 1, 1], [0]],
    "labels": [[5, 2], [7, 11, 2], [2], [3, 2], [4, 4, 4, 2]],
    "head_mask": [1, 1, 1, 1, 1],
}
COLLATED = {"input_ids", "attention_mask", "global_attention_mask", "labels"}


@pytest.fixture(scope="module")
def model():
    model = TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1, dropout=0.0)
    )
    fill_spread(model)
    return model


@pytest.fixture
def dataset():
    return datasets.Dataset.from_dict(ROWS)


def test_the_columns_are_those_that_a_call_takes_for_each_example(model, dataset):
    batches = model.prepare_tf_dataset(dataset, batch_size=2)
    inputs, labels = batches.element_spec
    assert set(inputs) == COLLATED - {"labels"} and labels.dtype == tf.int64
    batches = TFLEDModel(model.config).prepare_tf_dataset(dataset, batch_size=2)
    assert set(batches.element_spec) == COLLATED - {"labels"}


def test_the_loss_of_a_batch_is_that_of_its_documents_one_by_one(model, dataset):
    batches = model.prepare_tf_dataset(dataset, batch_size=5, shuffle=False)
    total = 0.0
    for ids, mask, labels in zip(
        ROWS["input_ids"], ROWS["global_attention_mask"], ROWS["labels"], strict=True
    ):
        output = model(input_ids=[ids], global_attention_mask=[mask], labels=[labels])
        total += output.loss * len(labels)
    inputs, labels = next(iter(batches))
    loss = model(inputs, labels=labels).loss
    np.testing.assert_allclose(loss, total / sum(map(len, ROWS["labels"])), rtol=1e-5)
    assert loss > 0.1


@pytest.mark.slow
def test_fit_trains_on_what_comes_out(dataset):
    model = TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1)
    )
    # Nothing is traced: that takes longer than all the steps.
    model.compile(keras.optimizers.Adam(0.03), run_eagerly=True)
    batches = model.prepare_tf_dataset(dataset, batch_size=2)
    history = model.fit(batches, epochs=3, verbose=0).history["loss"]
    assert model.optimizer.iterations == 3 * 2  # the fifth row is left out
    assert history[-1] < 0.9 * history[0]


def test_data_collators_of_transformers_give_the_same_batches(model, dataset):
    tokenizer = LEDTokenizerFast(DATA / "vocab.json", DATA / "merges.txt")
    collator = DataCollatorForSeq2Seq(tokenizer, model=model, return_tensors="np")
    dataset = dataset.remove_columns(["document", "head_mask"])
    options = {"batch_size": 3, "shuffle": False}
    theirs = model.prepare_tf_dataset(dataset, collate_fn=collator, **options)
    ours = model.prepare_tf_dataset(dataset, tokenizer=tokenizer, **options)
    assert len(ours) == len(theirs) == 2
    for (inputs, labels), (expected, their_labels) in zip(ours, theirs, strict=True):
        assert expected.keys() == COLLATED - {"labels"} | {"decoder_input_ids"}
        for name in COLLATED - {"labels"}:
            tf.debugging.assert_equal(inputs[name], expected[name])
        tf.debugging.assert_equal(labels, their_labels)


def test_arguments_reach_the_dataset(model, dataset):
    def collate(examples, width):
        return {"input_ids": np.full([len(examples), width], 7)}

    batches = model.prepare_tf_dataset(
        dataset,
        batch_size=2,
        shuffle=False,
        collate_fn=collate,
        collate_fn_args={"width": 11},
        drop_remainder=True,
        prefetch=False,
    )
    assert [batch["input_ids"].shape for batch in batches] == [(2, 11), (2, 11)]
    assert "Prefetch" not in type(batches).__name__
    assert "Prefetch" in type(model.prepare_tf_dataset(dataset, 2)).__name__


def test_the_token_of_the_config_pads(dataset):
    config = tiny_config(encoder_layers=1, decoder_layers=1, pad_token_id=28)
    model = TFLEDForConditionalGeneration(config)
    batches = model.prepare_tf_dataset(dataset, batch_size=2, shuffle=False)
    assert next(iter(batches))[0]["input_ids"][1].numpy().tolist() == [0, 2, 28, 28]


def test_what_is_no_dataset_is_rejected(model):
    with pytest.raises(TypeError, match="got list"):
        model.prepare_tf_dataset([{"input_ids": [0, 2]}])
