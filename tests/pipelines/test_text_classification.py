import numpy as np
import pytest
import tensorflow as tf

from tests.pipelines.make_golden import LABELS, TEXTS, make_model
from tf_led.pipelines import TextClassificationPipeline


@pytest.fixture(scope="module")
def model():
    return make_model("LEDForSequenceClassification")


@pytest.fixture(scope="module")
def classify(model, tokenizer):
    return TextClassificationPipeline(model, tokenizer)


def test_the_first_token_is_global(classify, model, tokenizer):
    batch = tokenizer(TEXTS[0], return_tensors="tf").input_ids
    mask = [[1] + [0] * (batch.shape[1] - 1)]
    logits = model(input_ids=batch, global_attention_mask=mask).logits[0]
    scores = tf.nn.softmax(logits).numpy()
    (result,) = classify(TEXTS[0])
    assert result["label"] == LABELS[int(scores.argmax())]
    assert result["score"] == pytest.approx(scores.max(), abs=1e-5)
    assert classify(TEXTS[0], global_tokens="none") != [result]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_results_do_not_depend_on_the_batch(classify, size):
    together = classify(TEXTS, batch_size=size)
    for text, result in zip(TEXTS, together, strict=True):
        (alone,) = classify(text)
        assert result["label"] == alone["label"]
        assert result["score"] == pytest.approx(alone["score"], abs=1e-5)


def test_streams(classify):
    found = classify(tf.data.Dataset.from_tensor_slices(TEXTS))
    assert [result["label"] for result in found] == [
        result["label"] for result in classify(TEXTS)
    ]


def test_scores_add_up_and_the_best_comes_first(classify):
    results = classify(TEXTS[0], top_k=None)
    scores = [result["score"] for result in results]
    assert sorted(scores, reverse=True) == scores
    assert sum(scores) == pytest.approx(1, abs=1e-5) and len(scores) == len(LABELS)
    assert classify(TEXTS[0], top_k=2) == results[:2]


@pytest.mark.parametrize(
    ("changes", "function"),
    [
        ({"problem_type": "multi_label_classification"}, "sigmoid"),
        ({"problem_type": "regression"}, "none"),
        ({"problem_type": "single_label_classification"}, "softmax"),
    ],
)
def test_the_problem_says_what_a_score_is(
    classify, model, monkeypatch, changes, function
):
    expected = classify(TEXTS, function_to_apply=function)
    for name, value in changes.items():
        monkeypatch.setattr(model.config, name, value)
    assert classify(TEXTS) == expected


def test_a_text_beyond_the_limit_is_cut_with_a_warning(classify):
    text = TEXTS[0] * 11
    with pytest.warns(UserWarning, match="the model takes 64"):
        found = classify(text)
    assert classify(text, truncation=True) == found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"top_k": 0}, "`top_k` .* got 0"),
        ({"function_to_apply": "tanh"}, "`function_to_apply` .* got 'tanh'"),
        ({"return_all_scores": True}, "no option 'return_all_scores'"),
    ],
)
def test_options_that_do_not_fit_raise(classify, options, found):
    with pytest.raises(ValueError, match=found):
        classify(TEXTS[0], **options)


@pytest.mark.parametrize("wrong", [{"txt": "a"}, {"text_pair": "a"}, {}])
def test_dicts_need_a_text(classify, wrong):
    with pytest.raises(ValueError, match="'text'"):
        classify(wrong)
    with pytest.raises(TypeError, match="`text_pair` must be a str"):
        classify({"text": "a", "text_pair": np.array([3])})
