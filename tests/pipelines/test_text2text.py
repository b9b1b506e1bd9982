import numpy as np
import pytest
import tensorflow as tf

from tests.pipelines.make_golden import TEXTS
from tf_led.pipelines import (
    SummarizationPipeline,
    Text2TextGenerationPipeline,
    TranslationPipeline,
)

LONG = "The parser adds an argument; the argument has a name.\n\n" * 7
OPTIONS = {"max_new_tokens": 5, "num_beams": 1}


@pytest.fixture(scope="module")
def summarize(writer, tokenizer):
    return SummarizationPipeline(writer, tokenizer, **OPTIONS)


def test_the_first_token_is_global(summarize, writer, tokenizer):
    batch = tokenizer(TEXTS, padding=True, return_tensors="tf")
    mask = np.zeros(batch["input_ids"].shape, int)
    mask[:, 0] = 1
    ids = writer.generate(**batch, global_attention_mask=mask, **OPTIONS)
    expected = tokenizer.batch_decode(ids, skip_special_tokens=True)
    assert [result["summary_text"] for result in summarize(TEXTS)] == expected
    assert summarize(TEXTS, global_tokens="none") != summarize(TEXTS)
    own = summarize(TEXTS, global_tokens=lambda ids: np.arange(len(ids)) == 0)
    assert own == summarize(TEXTS)


@pytest.mark.filterwarnings("ignore:an input.*left out")
@pytest.mark.parametrize("method", ["split", "fuse", "cut"])
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


def test_a_text_is_cut_with_a_warning_unless_it_is_asked_for(writer, tokenizer):
    write = Text2TextGenerationPipeline(writer, tokenizer, **OPTIONS)
    with pytest.warns(UserWarning, match="the model takes 64"):
        expected = write(LONG)
    assert write(LONG, truncation=True) == expected
    shorter = tokenizer(LONG, truncation=True, max_length=64).input_ids
    text = tokenizer.decode(shorter, skip_special_tokens=True)
    assert write(text) == expected


def test_translations_keep_the_white_space_between_parts(writer, tokenizer):
    translate = TranslationPipeline(writer, tokenizer, **OPTIONS)
    (result,) = translate(LONG, return_parts=True)
    parts = result["parts"]
    assert len(parts) > 1 and {part["level"] for part in parts} == {1}
    joined = "\n\n".join(part["summary"].strip() for part in parts)
    assert result["translation_text"] == joined.strip()


def test_what_a_checkpoint_says_of_the_task(writer, tokenizer, monkeypatch):
    params = {"summarization": {"max_length": 4, "prefix": "the text: "}}
    monkeypatch.setattr(writer.config, "task_specific_params", params, raising=False)
    summarize = SummarizationPipeline(writer, tokenizer)
    plain = SummarizationPipeline(writer, tokenizer, task="other")
    (found,) = summarize("a name", return_tensors=True)
    assert len(found["summary_token_ids"]) == 4
    (expected,) = plain("the text: a name", return_tensors=True, max_length=4)
    assert found["summary_token_ids"].tolist() == expected["summary_token_ids"].tolist()


def test_defaults_are_those_of_transformers(writer, tokenizer):
    summarize = SummarizationPipeline(writer, tokenizer)
    assert summarize.defaults == {"num_beams": 4, "max_new_tokens": 63}


def test_max_length_of_a_call_counts(writer, tokenizer):
    summarize = SummarizationPipeline(writer, tokenizer, return_tensors=True)
    (result,) = summarize(TEXTS[0], max_length=4)
    assert len(result["summary_token_ids"]) == 4


def test_a_stop_sequence_ends_a_text(summarize, tokenizer):
    (free,) = summarize(TEXTS[0], return_tensors=True)
    word = tokenizer.decode(free["summary_token_ids"][2:3])
    (first,) = tokenizer(word, add_special_tokens=False).input_ids[:1]
    (ended,) = summarize(TEXTS[0], return_tensors=True, stop_sequence=word)
    ids = ended["summary_token_ids"].tolist()
    assert first in ids and len(ids) <= len(free["summary_token_ids"])


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"long_documents": "join"}, "`long_documents` .* got 'join'"),
        ({"return_text": False}, "`return_text` is False"),
        ({"src_lang": "en"}, "`src_lang` is 'en'"),
        ({"num_beans": 3}, "num_beans"),
        ({"return_tensors": True}, "`return_tensors=True`"),
    ],
)
def test_options_that_do_not_fit_raise(summarize, options, found):
    with pytest.raises(ValueError, match=found):
        summarize(LONG, **options)


def test_a_translation_is_not_summarised(writer, tokenizer):
    translate = TranslationPipeline(writer, tokenizer, **OPTIONS)
    with pytest.raises(ValueError, match="`summary_tokens` is 7"):
        translate(LONG, summary_tokens=7)


@pytest.mark.parametrize("wrong", [3, None, ["a", 3], [["a"]]])
def test_what_is_not_a_text_raises(summarize, wrong):
    with pytest.raises(TypeError, match="`inputs.* must be a str, got"):
        summarize(wrong)
