"""A bad request is rejected with a reason; the next one is served as before."""

import numpy as np
import pytest

from .conftest import LIMIT, TEXTS

pytestmark = pytest.mark.slow

IDS = np.array([[0, 5, 7, 2]], "int32")
TEXT = np.array(TEXTS[:1], object)

BAD_IDS = {
    "one row is no table": (IDS[0], r"\[4\] is not compatible"),
    "rank 3": (IDS[None], r"\[1,1,4\] is not compatible"),
    "a number": (np.int32(3), r"\[\] is not compatible"),
    "no row": (IDS[:0], r"`input_ids` is empty.*\[0 4\]"),
    "no token": (IDS[:, :0], r"`input_ids` is empty.*\[1 0\]"),
    "floats": (IDS.astype("float32"), "to be int32 but float"),
    "other ints": (IDS.astype("int64"), "to be int32 but int64"),
    "texts": (np.array([["a"]]), "to be int32 but string"),
    "too long": (np.full([1, LIMIT + 1], 5, "int32"), rf"{LIMIT} positions"),
    "no such id": (np.array([[0, 503, 2]], "int32"), "503.*ids 0 to 502"),
    "negative": (np.array([[0, -1, 2]], "int32"), "ids 0 to 502"),
}
BAD_REST = {
    "mask of another length": ("attention_mask", np.ones([1, 5], "int32"), r"\[1 5\]"),
    "mask of one row": ("attention_mask", np.ones([4], "int32"), r"\[4\] is not"),
    "mask of twos": ("attention_mask", 2 * np.ones([1, 4], "int32"), "0 and 1"),
    "global twos": ("global_attention_mask", 2 * np.ones([1, 4], "int32"), "1, 0 and"),
    "too many tokens": ("max_new_tokens", np.int32(8), r"\[8\].*1 to 7"),
    "no tokens": ("max_new_tokens", np.int32(0), r"\[0\].*1 to 7"),
    "a penalty of NaN": ("length_penalty", np.float32(np.nan), r"finite.*\[nan\]"),
    "a penalty without end": (
        "length_penalty",
        np.float32(-np.inf),
        r"finite.*\[-inf\]",
    ),
    "a number for each row": ("max_new_tokens", np.array([3], "int32"), r"\[1\] is"),
}
BAD_TEXTS = {
    "no text": (np.array([], object), r"`text` is empty.*\[0\]"),
    "a table": (np.array([["a", "b"]], object), r"\[1,2\] is not compatible"),
    "one string": (np.array("a", object), r"\[\] is not compatible"),
    "ids": (IDS, "to be string but int32"),
}


@pytest.fixture
def reject(sessions):
    """Makes a request that cannot be, between two that are served alike."""
    session = sessions["beams"]

    def run(message, signature, session=session, **inputs):
        before = session.run("generate_text", text=TEXT)["generated_text"].tolist()
        with pytest.raises(RuntimeError, match=f"(?s){message}") as rejected:
            session.run(signature, **inputs)
        assert rejected.value.code == 3  # INVALID_ARGUMENT
        after = session.run("generate_text", text=TEXT)["generated_text"].tolist()
        assert before == after

    return run


@pytest.mark.parametrize("name", BAD_IDS)
@pytest.mark.parametrize("signature", ["generate", "encode", "forward"])
def test_bad_ids_are_rejected(reject, signature, name):
    ids, message = BAD_IDS[name]
    more = {"decoder_input_ids": IDS} if signature == "forward" else {}
    reject(message, signature, input_ids=ids, **more)


@pytest.mark.parametrize("name", BAD_REST)
def test_bad_masks_and_options_are_rejected(reject, name):
    key, value, message = BAD_REST[name]
    reject(message, "generate", input_ids=IDS, **{key: value})


@pytest.mark.parametrize("name", BAD_TEXTS)
@pytest.mark.parametrize("signature", ["generate_text", "serving_default"])
def test_bad_texts_are_rejected(reject, signature, name):
    text, message = BAD_TEXTS[name]
    reject(message, signature, text=text)


def test_an_id_beyond_int32_is_not_cut_to_a_right_one(reject):
    ids = np.array([[0, 2**32 + 5, 2]])
    reject(str(2**32 + 5), "generate_int64", input_ids=ids)


def test_too_long_ids_are_rejected_under_xla_too(reject, sessions, sampled):
    ids = np.full([1, LIMIT + 1], 5, "int32")
    session = sessions["sampled"]
    for signature in ("generate_xla", "generate"):
        with pytest.raises(RuntimeError, match=f"{LIMIT} positions"):
            session.run(signature, input_ids=ids)


@pytest.mark.parametrize("signature", ["generate_text", "generate_text_xla"])
def test_a_temperature_of_zero_is_rejected(sessions, signature):
    with pytest.raises(RuntimeError, match="`temperature` must be above 0"):
        sessions["sampled"].run(signature, text=TEXT, temperature=np.float32(0))


def test_bytes_that_are_no_text_are_read_as_replacement_characters(sessions, beams):
    raw = b"An \xff argument\xc3"
    answer = sessions["beams"].run("generate_text", text=np.array([raw], object))
    expected = beams.summaries([raw.decode(errors="replace")])
    assert [text.decode() for text in answer["generated_text"]] == expected
