"""Hints in the errors of models and training, followed."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tests.contract.hints import Hint, follow
from tests.tokenization.conftest import FILES
from tf_led.checkpoints.convert.configs import led_config
from tf_led.testing import tiny_config

LED = tf_led.TFLEDForConditionalGeneration
CLASSIFIER = tf_led.TFLEDForSequenceClassification
IDS = [[0, 5, 7, 2]]
SMALL = {"encoder_layers": 1, "decoder_layers": 1, "vocab_size": 562}


def new(cls=LED, layers=None, **options):
    return cls(tiny_config(**{**SMALL, **(layers or {})}), **options)


def trained(model):
    """Compiles with an optimizer that holds state."""
    model.compile("adam")
    model.optimizer.build(model.trainable_variables)
    return model


def edited(*names):
    """A new model of which methods were called, one after the other."""
    model = new()
    for name in names:
        given = {"enable_lora": [2], "quantize": ["int8"]}.get(name, [])
        getattr(model, name)(*given)
    return model


def fit(model, **data):
    model.compile("sgd", run_eagerly=True)
    data = data or {"x": {"input_ids": np.array(IDS), "labels": np.array(IDS)}}
    model.fit(**data, verbose=0)


def frozen(*thawed):
    model = new()
    model.freeze("led")
    if thawed:
        model.unfreeze(*thawed)
    return model


def freeze_each_part(shared):
    """Freezes by each of the parts that the message lists."""
    model, parts = new(), shared.found[1].split(", ")
    assert len(parts) > 20
    for part in parts:
        model.freeze(part)


@pytest.fixture(scope="module")
def made():
    return {
        "model": new(),
        "tokenizer": tf_led.LEDTokenizerFast(*FILES),
        "states": np.zeros([1, 4, 12], "float32"),
    }


@pytest.fixture
def shared(made, tmp_path):
    return SimpleNamespace(**made, folder=tmp_path)


HINTS = {
    "try the next window": Hint(
        r"must be even, got 7. Try 8",
        lambda s: led_config({"model_type": "bart"}, attention_window=7),
        lambda s: led_config({"model_type": "bart"}, attention_window=8),
    ),
    "try the next window of a config": Hint(
        r"got 5 for layer 0. Try 6",
        lambda s: new(layers={"attention_window": 5}),
        lambda s: new(layers={"attention_window": 6}),
    ),
    "one window a layer, or one int": Hint(
        "Give one per layer, or one int",
        lambda s: new(layers={"attention_window": [4, 4]}),
        lambda s: new(layers={"attention_window": [4]}),
    ),
    "a size as text": Hint(
        "or a text such as '5GB' or '50KiB'",
        lambda s: s.model.save_pretrained(s.folder, max_shard_size="much"),
        lambda s: [
            s.model.save_pretrained(s.folder, max_shard_size=size)
            for size in ("5GB", "50KiB")
        ],
    ),
    "ids beyond the vocabulary: the table grows": Hint(
        "Use the tokenizer of this checkpoint, or resize_token_embeddings",
        lambda s: s.model(input_ids=[[562, 2]]),
        lambda s: [
            (model := new()).resize_token_embeddings(563),
            model(input_ids=[[562, 2]]),
        ],
    ),
    "too many tokens": Hint(
        r"tokenizer\(..., truncation=True, max_length=64\)",
        lambda s: s.model(**s.tokenizer(["word " * 90], return_tensors="tf")),
        lambda s: s.model(
            **s.tokenizer(
                ["word " * 90], return_tensors="tf", truncation=True, max_length=64
            ),
            decoder_input_ids=[[2]],
        ),
    ),
    "too many tokens for the decoder's start": Hint(
        "Give `decoder_input_ids` or, in training, `labels`",
        lambda s: s.model(input_ids=[[5] * 40]),
        lambda s: s.model(input_ids=[[5] * 40], labels=[[7, 2]]),
    ),
    "rows of one length": Hint(
        r"Pad rows to one length \(tokenizer\(..., padding=True\)\)",
        lambda s: s.model(**s.tokenizer(["a", "a b c"])),
        lambda s: s.model(**s.tokenizer(["a", "a b c"], padding=True)),
    ),
    "a mask of floats": Hint(
        r"for instance tf.cast\(attention_mask, tf.int32\)",
        lambda s: s.model(input_ids=IDS, attention_mask=tf.ones([1, 4])),
        lambda s: s.model(
            input_ids=IDS, attention_mask=tf.cast(tf.ones([1, 4]), tf.int32)
        ),
    ),
    "a global token by the other mask": Hint(
        "Global tokens go into `global_attention_mask`",
        lambda s: s.model(input_ids=IDS, attention_mask=[[2, 1, 1, 1]]),
        lambda s: s.model(input_ids=IDS, global_attention_mask=[[1, 0, 0, 0]]),
    ),
    "one mask of heads": Hint(
        r"give \[1, 3\] or \[3\]",
        lambda s: s.model(input_ids=IDS, head_mask=[1.0, 1.0]),
        lambda s: [
            s.model(input_ids=IDS, head_mask=m) for m in ([[1.0] * 3], [1.0] * 3)
        ],
    ),
    "embeddings without a start": Hint(
        "give `decoder_input_ids`, `decoder_inputs_embeds` or, in training, `labels`",
        lambda s: s.model(inputs_embeds=s.states),
        lambda s: [
            s.model(inputs_embeds=s.states, **given)
            for given in (
                {"decoder_input_ids": [[2]]},
                {"decoder_inputs_embeds": s.states},
                {"labels": [[7, 2]]},
            )
        ],
    ),
    "attention probabilities of dropped layers": Hint(
        "Call with training=False",
        lambda s: new(layers={"encoder_layerdrop": 0.5})(
            input_ids=IDS, output_attentions=True, training=True
        ),
        lambda s: new(layers={"encoder_layerdrop": 0.5})(
            input_ids=IDS, output_attentions=True, training=False
        ),
    ),
    "a model from a name": Hint(
        r"use TFLEDForConditionalGeneration.from_pretrained\(...\)",
        lambda s: LED(str(s.folder)),
        lambda s: s.model.save_pretrained(s.folder) or LED.from_pretrained(s.folder),
    ),
    "a table of another size": Hint(
        "use resize_token_embeddings to change it",
        lambda s: s.model.set_input_embeddings(np.zeros([3, 12])),
        lambda s: new().resize_token_embeddings(3 * 7),
    ),
    "tokens that are needed": Hint(
        "Keep at least 3 tokens",
        lambda s: new().resize_token_embeddings(2),
        lambda s: new().resize_token_embeddings(3),
    ),
    "resize, then quantise": Hint(
        "Resize the model first, then quantise it or add LoRA",
        lambda s: edited("quantize").resize_token_embeddings(570),
        lambda s: [
            (model := new()).resize_token_embeddings(570),
            model.quantize("int8"),
        ],
    ),
    "resize with a new optimizer": Hint(
        r"model.compile\(optimizer\) with a new optimizer first",
        lambda s: trained(new()).resize_token_embeddings(570),
        lambda s: [
            (model := trained(new())).compile(keras.optimizers.Adam()),
            model.resize_token_embeddings(570),
        ],
    ),
    "merge before more adapters": Hint(
        r"merge_lora\(\) takes them in first",
        lambda s: edited("enable_lora", "enable_lora"),
        lambda s: edited("enable_lora", "merge_lora", "enable_lora"),
    ),
    "adapters, merged, quantised": Hint(
        r"add adapters and train them first, then merge_lora\(\), then quantize",
        lambda s: edited("quantize", "enable_lora"),
        lambda s: edited("enable_lora", "merge_lora", "quantize"),
    ),
    "quantise after merging": Hint(
        r"merge_lora\(\) first",
        lambda s: edited("enable_lora", "quantize"),
        lambda s: edited("enable_lora", "merge_lora", "quantize"),
    ),
    "no adapters": Hint(
        "There are no adapters to merge: use enable_lora",
        lambda s: edited("merge_lora"),
        lambda s: edited("enable_lora", "merge_lora"),
    ),
    "a folder of adapters": Hint(
        "give a folder that save_lora or PEFT wrote",
        lambda s: new().load_lora(s.folder),
        lambda s: [
            edited("enable_lora").save_lora(s.folder),
            new().load_lora(s.folder),
        ],
    ),
    "adapters of another model": Hint(
        "Load them on the model they were trained on",
        lambda s: [
            edited("enable_lora").save_lora(s.folder),
            new(layers={"vocab_size": 570}).load_lora(s.folder),
            new(layers={"d_model": 24}).load_lora(s.folder),
        ],
        lambda s: new().load_lora(s.folder),
    ),
    "a rank too large": Hint(
        r"give at most 19 \(4 to 64 are usual\)",
        lambda s: new().enable_lora(20, targets=["fc1"]),
        lambda s: new().enable_lora(19, targets=["fc1"]),
    ),
    "quantised weights": Hint(
        r"use model.save\('model.keras'\), or save before quantize",
        lambda s: edited("quantize").save_pretrained(s.folder),
        lambda s: [
            edited("quantize").save(s.folder / "model.keras"),
            (model := new()).save_pretrained(s.folder),
            model.quantize("int8"),
        ],
    ),
    "a part of a path": Hint(
        r"which is no part of any path here; parts are (.*)\.",
        lambda s: new().freeze("toaster"),
        freeze_each_part,
    ),
    "nothing that trains": Hint(
        "has no weight that trains: unfreeze some",
        lambda s: fit(frozen()),
        lambda s: fit(frozen("fc1")),
    ),
    "names one by one": Hint(
        r"one argument each as in freeze\('encoder', 'bias'\)",
        lambda s: new().freeze(["encoder", "bias"]),
        lambda s: new().freeze("encoder", "bias"),
    ),
    "no labels": Hint(
        r"put .*labels.* into the inputs, or give \(inputs, labels\)",
        lambda s: fit(new(), x={"input_ids": np.array(IDS)}),
        lambda s: fit(new(), x={"input_ids": np.array(IDS)}, y=np.array(IDS)),
    ),
    "classify by the state of an end token": Hint(
        "or build the model with pooling='encoder_mean' or 'encoder_first'",
        lambda s: new(CLASSIFIER)(inputs_embeds=s.states),
        lambda s: [
            new(CLASSIFIER, pooling=pooling)(inputs_embeds=s.states)
            for pooling in ("encoder_mean", "encoder_first")
        ],
    ),
    "inputs of the decoder": Hint(
        "Leave it out, or build the model with pooling='decoder'",
        lambda s: new(CLASSIFIER, pooling="encoder_mean")(
            input_ids=IDS, decoder_input_ids=IDS
        ),
        lambda s: new(CLASSIFIER, pooling="decoder")(
            input_ids=IDS, decoder_input_ids=IDS
        ),
    ),
    "labels of several classes": Hint(
        "give floats, or set the config's `problem_type` to multi_label_classification",
        lambda s: new(CLASSIFIER)(input_ids=IDS, labels=[[0, 1, 1]]),
        lambda s: [
            new(CLASSIFIER, layers={"num_labels": 3})(
                input_ids=IDS, labels=[[0.0, 1, 1]]
            ),
            new(
                CLASSIFIER,
                layers={"num_labels": 3, "problem_type": "multi_label_classification"},
            )(input_ids=IDS, labels=[[0, 1, 1]]),
        ],
    ),
    "an implementation with a size": Hint(
        "or a bound on the memory of a step as in 'grouped:512MB' or 'grouped:2GB'",
        lambda s: new(attention_implementation="flash"),
        lambda s: [
            new(attention_implementation=f"grouped:{size}") for size in ("512MB", "2GB")
        ],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HINTS)
def test_what_the_message_says_works(name, shared):
    follow(HINTS[name], shared)
