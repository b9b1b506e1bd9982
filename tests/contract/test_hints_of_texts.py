"""Hints in the errors of generation, tokenizers, data and the environment, followed."""

from types import SimpleNamespace

import pytest
from datasets import Dataset, DatasetDict
from transformers import GenerationConfig, TextStreamer

import tf_led
from tests.contract.hints import Hint, follow
from tests.tokenization.conftest import FILES
from tf_led.data.global_attention_rules import choose_rule
from tf_led.generation import processors
from tf_led.generation.options.resolve import resolve_options
from tf_led.generation.stopping import build_stops
from tf_led.testing import tiny_config
from tf_led.tokenization.graph.tables import check_tokenizer
from tf_led.training.workers import read_tf_config

IDS = [[0, 5, 7, 2]]
START = {"max_new_tokens": 3, "decoder_start_token_id": 2}
PAIRS = [("a b", "c")]


def options_of(prompt_len=1, position_limit=None, **given):
    given = {**START, **given}
    return resolve_options(
        overrides={name: value for name, value in given.items() if value is not None},
        prompt_len=prompt_len,
        position_limit=position_limit,
    )


def with_separator(shared):
    """Adds the separator to tokenizer and model as the message says."""
    tokenizer = tf_led.LEDTokenizerFast(*FILES)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<doc>"]})
    model = tf_led.TFLEDModel(tiny_config(vocab_size=562))
    model.resize_token_embeddings(len(tokenizer))
    ids = tokenizer("a<doc>b").input_ids
    assert sum(choose_rule("separators", tokenizer, "<doc>")(ids)) == 2  # and the first
    model(input_ids=[ids])


def overflow(tokenizer, truncation):
    ids = [tokenizer(text).input_ids for text in ("a b c d", "e f g")]
    return tokenizer.prepare_for_model(
        *ids, truncation=truncation, max_length=9, return_overflowing_tokens=True
    )


def batches(shared, tokenize=True, **options):
    """Batches of two rows of texts, perhaps tokenized."""
    rows = shared.rows
    if tokenize:
        rows = rows.map(shared.tokenizer, input_columns="text")
    return shared.model.prepare_tf_dataset(rows, tokenizer=shared.tokenizer, **options)


def pairs(shared, examples=PAIRS, **options):
    options = {"batch_size": 1, **options}
    return tf_led.data.make_dataset(examples, shared.tokenizer, **options)


def with_tf_config(shared, text):
    shared.monkeypatch.setenv("TF_CONFIG", text)
    return read_tf_config()


@pytest.fixture(scope="module")
def made():
    sizes = {"encoder_layers": 1, "decoder_layers": 1, "vocab_size": 562}
    return {
        "model": tf_led.TFLEDForConditionalGeneration(tiny_config(**sizes)),
        "tokenizer": tf_led.LEDTokenizerFast(*FILES),
        "rows": Dataset.from_list([{"text": "a b"}, {"text": "c"}]),
    }


@pytest.fixture
def shared(made, tmp_path, monkeypatch):
    return SimpleNamespace(**made, folder=tmp_path, monkeypatch=monkeypatch)


HINTS = {
    "a separator": Hint(
        r"tokenizer.add_special_tokens\(.*\) and model.resize_token_embeddings",
        lambda s: choose_rule("separators", s.tokenizer, "<doc>"),
        with_separator,
    ),
    "texts to generate from": Hint(
        r'tf_led.pipeline\("summarization", model, tokenizer=tokenizer\)\(text\), or '
        r'give what the tokenizer makes of it: tokenizer\(text, return_tensors="tf"\)',
        lambda s: s.model.generate("a text"),
        lambda s: [
            tf_led.pipeline("summarization", s.model, tokenizer=s.tokenizer)(
                "a", max_new_tokens=2
            ),
            s.model.generate(**s.tokenizer("a", return_tensors="tf"), max_new_tokens=2),
        ],
    ),
    "a seed without sampling": Hint(
        "Set `do_sample=True`, or leave it out",
        lambda s: s.model.generate(IDS, max_new_tokens=2, seed=3),
        lambda s: s.model.generate(IDS, max_new_tokens=2, seed=3, do_sample=True),
    ),
    "a prompt as long as the limit": Hint(
        "Raise `max_length` or set `max_new_tokens`",
        lambda s: options_of(prompt_len=4, max_length=4, max_new_tokens=None),
        lambda s: [
            options_of(prompt_len=4, max_length=5, max_new_tokens=None),
            options_of(prompt_len=4, max_new_tokens=2),
        ],
    ),
    "more tokens than positions": Hint(
        "allow at most 33. Lower `max_length` or `max_new_tokens`",
        lambda s: options_of(position_limit=32, max_new_tokens=33),
        lambda s: [
            options_of(position_limit=32, max_length=33, max_new_tokens=None),
            options_of(position_limit=32, max_new_tokens=32),
        ],
    ),
    "groups for diversity": Hint(
        "which needs `num_beam_groups` > 1",
        lambda s: options_of(diversity_penalty=0.5, num_beams=2),
        lambda s: options_of(diversity_penalty=0.5, num_beams=2, num_beam_groups=2),
    ),
    "diversity for groups": Hint(
        "`diversity_penalty` must be above 0 with 2 groups",
        lambda s: options_of(num_beams=2, num_beam_groups=2),
        lambda s: options_of(diversity_penalty=0.5, num_beams=2, num_beam_groups=2),
    ),
    "lookup with one beam": Hint(
        "Leave it out, or set `num_beams=1`",
        lambda s: options_of(prompt_lookup_num_tokens=3, num_beams=2),
        lambda s: options_of(prompt_lookup_num_tokens=3, num_beams=1),
    ),
    "a name with a letter wrong": Hint(
        "Did you mean `num_beams`",
        lambda s: options_of(num_beam=2),
        lambda s: options_of(num_beams=2),
    ),
    "an option of transformers": Hint(
        "Leave it out, or set it to None in the GenerationConfig",
        lambda s: options_of(guidance_scale=2.0),
        lambda s: resolve_options(GenerationConfig(guidance_scale=None, **START)),
    ),
    "a config of options": Hint(
        "Pass single options as keyword arguments",
        lambda s: resolve_options({"max_new_tokens": 3}, overrides={}),
        lambda s: options_of(),
    ),
    "a bias": Hint(
        r"Try \{\(7, 3\): -2.0\}",
        lambda s: processors.SequenceBias("often"),
        lambda s: processors.SequenceBias({(7, 3): -2.0}),
    ),
    "a growth": Hint(
        r"Try \(32, 1.05\)",
        lambda s: processors.ExponentialDecayLength(3, 2, 1),
        lambda s: processors.ExponentialDecayLength((32, 1.05), 2, 1),
    ),
    "a class in the place of a processor": Hint(
        "Make one of it: call the class",
        lambda s: processors.as_processor(processors.InfNanRemove),
        lambda s: processors.as_processor(processors.InfNanRemove()),
    ),
    "processors in a list": Hint(
        "Put it in a list",
        lambda s: processors.merge_processors([], processors.InfNanRemove()),
        lambda s: processors.merge_processors([], [processors.InfNanRemove()]),
    ),
    "strings that stop": Hint(
        "which needs the model's tokenizer: pass it as `tokenizer`",
        lambda s: build_stops(options_of(stop_strings="x")),
        lambda s: build_stops(options_of(stop_strings="x"), tokenizer=s.tokenizer),
    ),
    "a streamer": Hint(
        "Use one of transformers' streamers",
        lambda s: s.model.generate(IDS, max_new_tokens=2, streamer=print),
        lambda s: s.model.generate(
            IDS, max_new_tokens=2, streamer=TextStreamer(s.tokenizer)
        ),
    ),
    "labels decoded": Hint(
        "Put the pad token's id in place of a label's -100 before decoding",
        lambda s: s.tokenizer.decode([5, -100]),
        lambda s: s.tokenizer.decode([5, s.tokenizer.pad_token_id]),
    ),
    "words": Hint(
        "made with `add_prefix_space=True`; or pass that here too",
        lambda s: s.tokenizer(["a", "b"], is_split_into_words=True),
        lambda s: [
            s.tokenizer(["a", "b"], is_split_into_words=True, add_prefix_space=True),
            tf_led.LEDTokenizerFast(*FILES, add_prefix_space=True)(
                ["a", "b"], is_split_into_words=True
            ),
        ],
    ),
    "what overflows of a pair": Hint(
        "Choose `truncation='only_first'` or 'only_second'",
        lambda s: overflow(s.tokenizer, "longest_first"),
        lambda s: [overflow(s.tokenizer, way) for way in ("only_first", "only_second")],
    ),
    "errors in a graph": Hint(
        "Make the tokenizer with `errors='replace'`",
        lambda s: check_tokenizer(tf_led.LEDTokenizer(*FILES, errors="ignore")),
        lambda s: check_tokenizer(tf_led.LEDTokenizer(*FILES, errors="replace")),
    ),
    "texts in the place of ids": Hint(
        r"with dataset.map\(tokenizer, input_columns=...\)",
        lambda s: next(iter(batches(s, tokenize=False, batch_size=2))),
        lambda s: next(iter(batches(s, batch_size=2))),
    ),
    "a split": Hint(
        "Choose one of its splits, 'train'",
        lambda s: s.model.prepare_tf_dataset(DatasetDict(train=s.rows)),
        lambda s: s.model.prepare_tf_dataset(
            DatasetDict(train=s.rows.map(s.tokenizer, input_columns="text"))["train"],
            tokenizer=s.tokenizer,
            shuffle=False,
        ),
    ),
    "a batch larger than the dataset": Hint(
        "Give drop_remainder=False or smaller batches",
        lambda s: batches(s, batch_size=3),
        lambda s: [
            batches(s, batch_size=3, drop_remainder=False),
            batches(s, batch_size=2),
        ],
    ),
    "a dataset's length": Hint(
        "or config=model.config for as many tokens as the model has positions",
        pairs,
        lambda s: next(iter(pairs(s, config=s.model.config))),
    ),
    "examples that can be read once": Hint(
        "give a list or a file, or no cache_dir",
        lambda s: pairs(s, iter(PAIRS), cache_dir=s.folder, config=s.model.config),
        lambda s: [
            pairs(s, cache_dir=s.folder, config=s.model.config),
            pairs(s, iter(PAIRS), config=s.model.config),
        ],
    ),
    "workers": Hint(
        r"expected JSON such as (\{.*\}\})\.$",
        lambda s: with_tf_config(s, "here"),
        lambda s: with_tf_config(s, s.found[1]),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HINTS)
def test_what_the_message_says_works(name, shared):
    follow(HINTS[name], shared)
