import numpy as np
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tests.pipelines.conftest import FirstWords
from tests.pipelines.make_golden import TEXTS
from tf_led.data.global_attention_rules import OccurrencesOf
from tf_led.pipelines import (
    SummarizationPipeline,
    Text2TextGenerationPipeline,
    TranslationPipeline,
)

LONG = "The parser adds an argument; the argument has a name.\n\n" * 7
OPTIONS = {"max_new_tokens": 5, "num_beams": 1}


@pytest.fixture
def model():
    """Quick, in the place of a model; `test_build.py` has real ones."""
    return FirstWords(limit=61)


@pytest.fixture
def summarize(model, tokenizer):
    return SummarizationPipeline(model, tokenizer, **OPTIONS)


@pytest.mark.parametrize(
    ("rule", "marked"),
    [
        ("first", [0]),
        ("none", []),
        (lambda ids: np.arange(len(ids)) == 3, [3]),
        (OccurrencesOf("parser"), [2, 3, 4, 5]),
    ],
)
def test_the_first_token_is_global(summarize, model, rule, marked):
    options = {} if rule == "first" else {"global_tokens": rule}
    summarize(TEXTS[0], **options)
    ((ids, mask, passed),) = model.batches
    assert np.flatnonzero(mask[0]).tolist() == marked
    assert passed == {"num_beams": 1, "max_new_tokens": 5}


@pytest.mark.filterwarnings("ignore:an input.*left out")
@pytest.mark.parametrize("method", ["split", "cut"])
@pytest.mark.parametrize("size", [1, 3])
def test_results_do_not_depend_on_the_batch(summarize, method, size):
    texts = [TEXTS[0], LONG, TEXTS[1]]
    together = summarize(texts, batch_size=size, long_documents=method)
    alone = [summarize(text, long_documents=method)[0] for text in texts]
    assert together == alone and len(together) == 3


def test_streams_give_a_list_for_each_text(summarize):
    expected = [[result] for result in summarize(TEXTS)]
    assert list(summarize(text for text in TEXTS)) == expected
    assert list(summarize(tf.data.Dataset.from_tensor_slices(TEXTS))) == expected


def test_parts_come_along_where_they_are_wanted(summarize):
    result = summarize([TEXTS[0], LONG], return_parts=True, summary_tokens=97)[1]
    assert list(result) == ["summary_text", "parts"]
    assert list(result["parts"][0]) == ["level", "number", "start", "end", "summary"]
    spans = [(part["start"], part["end"]) for part in result["parts"]]
    assert "".join(LONG[start:end] for start, end in spans) == LONG


def test_a_text_is_cut_with_a_warning_unless_it_is_asked_for(model, tokenizer):
    write = Text2TextGenerationPipeline(model, tokenizer, **OPTIONS)
    with pytest.warns(UserWarning, match="the model takes 61"):
        expected = write(LONG)
    assert write(LONG, truncation=True) == expected
    shorter = tokenizer(LONG, truncation=True, max_length=61).input_ids
    text = tokenizer.decode(shorter, skip_special_tokens=True)
    assert write(text) == expected


def test_translations_keep_the_white_space_between_parts(model, tokenizer):
    translate = TranslationPipeline(model, tokenizer, **OPTIONS)
    (result,) = translate(LONG, return_parts=True)
    parts = result["parts"]
    assert len(parts) > 1 and {part["level"] for part in parts} == {1}
    expected = ""
    for part in parts:
        text = LONG[part["start"] : part["end"]]
        expected += part["summary"].strip() + text[len(text.rstrip()) :]
    assert result["translation_text"] == expected.strip()
    assert "\n\n" in expected.strip()


def test_what_a_checkpoint_says_of_the_task(model, tokenizer):
    params = {"summarization": {"max_length": 4, "prefix": "the text: "}}
    model.config.task_specific_params = params
    SummarizationPipeline(model, tokenizer)("a name")
    SummarizationPipeline(model, tokenizer, task="other")("the text: a name")
    (first, _, options), (second, _, _) = model.batches
    assert first.tolist() == second.tolist() and options["max_length"] == 4


def test_defaults_are_those_of_transformers(model, tokenizer):
    summarize = SummarizationPipeline(model, tokenizer)
    assert summarize.defaults == {"num_beams": 4}  # it says how long
    model.generation_config = GenerationConfig()
    summarize = SummarizationPipeline(model, tokenizer)
    assert summarize.defaults == {"num_beams": 4, "max_new_tokens": 16}


def test_max_length_of_a_call_counts(model, tokenizer):
    summarize = SummarizationPipeline(model, tokenizer)
    summarize(TEXTS[0], max_length=4)
    assert model.batches[0][2] == {"num_beams": 4, "max_length": 4}


def test_a_stop_sequence_ends_a_text(summarize, model, tokenizer):
    (first, *_) = tokenizer(" name", add_special_tokens=False).input_ids
    summarize(TEXTS[0], stop_sequence=" name")
    assert model.batches[0][2]["eos_token_id"] == first


def test_ids_instead_of_text(summarize, tokenizer):
    (result,) = summarize(TEXTS[0], return_tensors=True)
    ids = tokenizer(TEXTS[0]).input_ids[1:6]
    assert result["summary_token_ids"].tolist() == [2, *ids]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"long_documents": "join"}, "`long_documents` .* got 'join'"),
        (
            {"long_documents": "cut", "summary_tokens": 7},
            "`summary_tokens` is 7.*'cut'",
        ),
        ({"truncation": True, "part_tokens": 7}, "`part_tokens` is 7.*'cut'"),
        ({"long_documents": "fuse", "return_parts": True}, "`return_parts` .*'fuse'"),
        ({"truncation": True, "long_documents": "split"}, "`truncation` .*'split'"),
        ({"summary_tokens": 0}, "`summary_tokens` .* got 0"),
        (
            {"long_documents": "cut", "summary_tokens": 0},
            "`summary_tokens` is 0.*'cut'",
        ),
        ({"part_tokens": 62}, "`part_tokens` is 62, .* 61 positions"),
        ({"return_text": False}, "`return_text` is False"),
        ({"src_lang": "en"}, "`src_lang` is 'en'"),
        ({"return_tensors": True}, "`return_tensors=True`"),
    ],
)
def test_options_that_do_not_fit_raise(summarize, options, found):
    for text in (LONG, TEXTS[0]) if "return_tensors" not in options else (LONG,):
        with pytest.raises(ValueError, match=found):
            summarize(text, **options)


def test_options_of_the_pipeline_are_checked_when_it_is_made(model, tokenizer):
    with pytest.raises(ValueError, match="`part_tokens` is 1000000, .* 61 positions"):
        SummarizationPipeline(model, tokenizer, part_tokens=10**6)
    with pytest.raises(ValueError, match="`summary_tokens` .* got -1"):
        SummarizationPipeline(model, tokenizer, summary_tokens=-1)


def test_a_text_that_fits_is_one_part(summarize, tokenizer):
    (result,) = summarize(TEXTS[0], return_parts=True)
    (part,) = result["parts"]
    assert (part["start"], part["end"]) == (0, len(TEXTS[0]))
    assert result["summary_text"] == summarize(TEXTS[0])[0]["summary_text"]
    (shorter,) = summarize(TEXTS[0], summary_tokens=2)
    assert len(tokenizer(shorter["summary_text"]).input_ids) == 2 + 2


def test_parts_are_written_about_in_batches_of_the_call(summarize, model):
    summarize(LONG, part_tokens=23, batch_size=2)
    assert max(len(ids) for ids, *_ in model.batches) == 2
    summarize(LONG, part_tokens=23, batch_size=3)
    assert max(len(ids) for ids, *_ in model.batches) == 3


def test_a_translation_names_a_character_that_fits_in_no_part(model, tokenizer):
    translate = TranslationPipeline(model, tokenizer, **OPTIONS)
    with pytest.raises(ValueError, match="'\U0001f600'.* has 4"):
        translate("the name \U0001f600 " * 7, part_tokens=5)
    assert model.batches == []


def test_a_translation_is_not_summarised(model, tokenizer):
    translate = TranslationPipeline(model, tokenizer, **OPTIONS)
    with pytest.raises(ValueError, match="`summary_tokens` is 7"):
        translate(LONG, summary_tokens=7)


@pytest.mark.parametrize("wrong", [3, None, ["a", 3], [["a"]]])
def test_what_is_not_a_text_raises(summarize, wrong):
    with pytest.raises(TypeError, match="`inputs.* must be a str, got"):
        summarize(wrong)
