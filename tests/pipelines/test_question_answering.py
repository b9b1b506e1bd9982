import numpy as np
import pytest
import tensorflow as tf

from tests.pipelines.make_golden import CONTEXT, LABELS, QUESTIONS, SIZES, make_model
from tf_led import TFLEDForQuestionAnswering
from tf_led.pipelines import QuestionAnsweringPipeline
from tf_led.pipelines.question_answering import best_answers, best_spans
from tf_led.testing import fill_spread, tiny_config

QUESTION = QUESTIONS[0]
LONG = " ".join(np.random.default_rng(0).choice(CONTEXT.split(), 97))


@pytest.fixture(scope="module")
def model():
    return make_model("LEDForQuestionAnswering")


@pytest.fixture(scope="module")
def answer(model, tokenizer):
    return QuestionAnsweringPipeline(model, tokenizer)


def test_the_question_is_global(answer, model, tokenizer):
    ids = tokenizer(QUESTION, "the text", return_tensors="np").input_ids
    ids = np.array(ids).reshape(1, -1)
    is_global = np.cumsum(ids == 2, axis=1) == 0
    output = model(input_ids=ids, global_attention_mask=is_global.astype(int))
    starts = tf.cast(output.start_logits, tf.float32).numpy()[0]
    (part,) = answer.parts(0, answer.read(*pair("the text")), {})
    ((found, _),) = answer.scores([part], {})
    np.testing.assert_allclose(found, starts, atol=1e-5)
    local = answer(question=QUESTION, context="the text", global_tokens="none")
    assert local["score"] != answer(question=QUESTION, context="the text")["score"]


def pair(context):
    return {"question": QUESTION, "context": context}, None


def test_places_are_those_in_the_whole_document(answer, tokenizer):
    found = answer(question=QUESTION, context=LONG, top_k=11)
    assert len(tokenizer(LONG).input_ids) > 2 * 64 and len(found) == 11
    for result in found:
        assert LONG[result["start"] : result["end"]] == result["answer"]
    assert max(result["start"] for result in found) > len(LONG) / 3


@pytest.mark.slow
def test_the_best_answer_of_all_parts_wins(answer, model, tokenizer):
    example = answer.read(*pair(LONG))
    parts = [*answer.parts(0, example, {"doc_stride": 7})]
    assert len(parts) > 3
    covered = np.zeros(len(LONG), bool)
    for part in parts:
        for (start, end), allowed in zip(
            part.encoding.offsets, part.allowed, strict=True
        ):
            covered[start:end] |= allowed
    assert covered[[i for i, c in enumerate(LONG) if not c.isspace()]].all()
    best = answer(question=QUESTION, context=LONG, doc_stride=7)
    singles = [
        best_answers([(part, *answer.scores([part], {}))], example, {})
        for part in parts
    ]
    expected = max(singles, key=lambda single: single["score"])
    assert {**best, "score": 0} == {**expected, "score": 0}
    assert best["score"] == pytest.approx(expected["score"], abs=1e-5)


class Oracle(QuestionAnsweringPipeline):
    """Finds "name", the surer the further it stands from the start of a document."""

    def scores(self, parts, options):
        self.sizes.append(len(parts))
        return [self.rows(part) for part in parts]

    def rows(self, part):
        row = np.zeros(len(part.ids), np.float32)
        for token, (start, end) in enumerate(part.encoding.offsets):
            if part.allowed[token] and self.context[start:end].strip(" #") == "name":
                row[token] = 1 + start / 100
        return row, row


def ask(model, tokenizer, context, **options):
    pipeline = Oracle(model, tokenizer)
    pipeline.context, pipeline.sizes = context, []
    return pipeline(question=QUESTION, context=context, **options), pipeline.sizes


def test_the_place_is_that_of_the_best_span(model, tokenizer):
    context = (
        "The # name here. " + "and of a file " * 41 + "The name. " + "and of " * 41
    )
    answer, _ = ask(model, tokenizer, context)
    assert answer["answer"] == "name" and answer["start"] == context.rindex("name")


def test_what_several_parts_read_counts_once(model, tokenizer):
    context = "and of a file " * 23 + "The name. " + "and of " * 41
    scores = [
        ask(model, tokenizer, context, doc_stride=stride)[0]["score"]
        for stride in (0, 32, 47)
    ]
    assert max(scores) <= 1 and min(scores) > max(scores) / 2


def test_parts_are_read_in_batches_of_the_call(model, tokenizer, capsys):
    _, sizes = ask(model, tokenizer, LONG, batch_size=1)
    assert len(sizes) > 2 and set(sizes) == {1}
    assert "batch of parts" in capsys.readouterr().err
    ask(model, tokenizer, LONG, batch_size=1, progress_bar=False)
    assert capsys.readouterr().err == ""


def test_a_long_question_leaves_parts_that_go_on(model, tokenizer):
    pipeline = QuestionAnsweringPipeline(model, tokenizer)
    example = pipeline.read({"question": "who is it " * 12, "context": LONG}, None)
    few = len([*pipeline.parts(0, example, {})])
    remaining = 64 - len(tokenizer(example.question).input_ids) - 2
    assert few <= 4 * len(tokenizer(LONG).input_ids) / remaining + 1


def test_a_special_token_in_the_question_is_no_answer(model, tokenizer):
    pipeline = QuestionAnsweringPipeline(model, tokenizer)
    found = pipeline(question="who <s> is", context="the text and name", top_k=7)
    assert all(one["start"] < one["end"] for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 5])
def test_results_do_not_depend_on_the_batch(model, tokenizer, answer, size):
    inputs = [{"question": q, "context": c} for q in QUESTIONS for c in (LONG, CONTEXT)]
    expected = [answer(item) for item in inputs]
    found = QuestionAnsweringPipeline(model, tokenizer, batch_size=size)(inputs)
    for one, other in zip(found, expected, strict=True):
        assert one["answer"] == other["answer"] and one["start"] == other["start"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)


def test_every_way_to_ask_is_the_same(answer):
    expected = answer(question=QUESTION, context=CONTEXT)
    assert answer(QUESTION, CONTEXT) == expected
    assert answer({"question": QUESTION, "context": CONTEXT}) == expected
    assert answer([{"question": QUESTION, "context": CONTEXT}]) == expected
    assert answer(question=[QUESTION], context=[CONTEXT]) == expected
    several = answer(question=QUESTION, context=[CONTEXT, CONTEXT])
    assert [one["answer"] for one in several] == [expected["answer"]] * 2
    assert answer(question=np.array([QUESTION]), context=CONTEXT) == expected
    pairs = {"question": [QUESTION] * 2, "context": [CONTEXT] * 2}
    dataset = tf.data.Dataset.from_tensor_slices(pairs)
    results = list(answer(dataset))
    assert [r["answer"] for r in results] == [expected["answer"]] * 2
    stream = ({"question": QUESTION, "context": CONTEXT} for _ in range(1))
    assert next(answer(stream))["answer"] == expected["answer"]


def test_the_decoders_states_are_no_limit_where_it_is_not_run(tokenizer):
    sizes = SIZES | {"max_decoder_position_embeddings": 16}
    model = TFLEDForQuestionAnswering(
        tiny_config(**sizes, id2label=LABELS), pooling="encoder"
    )
    fill_spread(model)
    answer = QuestionAnsweringPipeline(model, tokenizer)
    example = answer.read(*pair(CONTEXT))
    lengths = [len(part.ids) for part in answer.parts(0, example, {})]
    assert max(lengths) == 64 and answer(question=QUESTION, context=CONTEXT)["answer"]


def test_spans_are_the_best_of_all():
    random = np.random.default_rng(0)
    starts, ends = random.random([2, 13])
    every = {
        (i, j): starts[i] * ends[j] for i in range(13) for j in range(i, min(i + 4, 13))
    }
    expected = sorted(every, key=every.get, reverse=True)[:7]
    found = best_spans(starts, ends, 7, longest=4)
    assert [span[:2] for span in found] == expected
    assert [span[2] for span in found] == [every[span] for span in expected]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"top_k": 0}, "`top_k` .* got 0"),
        ({"max_answer_len": 0}, "`max_answer_len` .* got 0"),
        ({"doc_stride": -1}, "`doc_stride` .* got -1"),
        ({"doc_stride": 1000}, "`doc_stride` is 1000, .* Give at most"),
        ({"max_seq_len": 65}, "`max_seq_len` is 65, the model takes 64"),
        ({"max_seq_len": 5}, "has .* tokens, which leaves none .* within 5"),
        ({"topk": 3}, "no option 'topk'"),
    ],
)
def test_options_that_do_not_fit_raise(answer, options, found):
    with pytest.raises(ValueError, match=found):
        answer(question=QUESTION, context=CONTEXT, **options)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"question": "a"}, "`context` is missing"),
        ({"context": "a"}, "`question` is missing"),
        (
            {"question": ["a", "b"], "context": ["c", "d", "e"]},
            "2 questions and 3 contexts",
        ),
        ({"inputs": {"question": "a"}}, "'question' and 'context', got"),
        ({"inputs": [{"question": "a", "context": ""}]}, "`context` cannot be empty"),
        ({"question": "a", "context": " \n"}, "`context` cannot be empty, got"),
        ({"inputs": {"question": "a", "context": "b"}, "question": "c"}, "or dicts"),
    ],
)
def test_inputs_that_do_not_fit_raise(answer, arguments, found):
    with pytest.raises(ValueError, match=found):
        answer(**arguments)
    with pytest.raises(TypeError, match="`context` must be a str, got int 3"):
        answer({"question": "a", "context": 3})
    with pytest.raises(TypeError, match="`context` must be a str, got int 3"):
        answer(question="a", context=3)
    with pytest.raises(TypeError, match="`question` must be a str, got bytes b'a'"):
        answer(question=b"a", context="b")
