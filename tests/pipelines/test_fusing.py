import numpy as np
import pytest

from tf_led.data.global_attention_rules import OccurrencesOf
from tf_led.pipelines import fusing, summarize_document
from tf_led.pipelines.fusing import fuse_document, overlapping_spans
from tf_led.pipelines.text_generator import TextGenerator

pytestmark = pytest.mark.slow

SHORT = "the parser adds an argument to the text"
LONG = "The parser adds an argument; the argument has a name.\n" * 11
OPTIONS = {"max_new_tokens": 7, "num_beams": 2}


@pytest.mark.parametrize("length", [8, 9, 11, 13, 97, 1009])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_each_token_is_kept_once_with_its_neighbours(length, size):
    spans = overlapping_spans(length, size)
    kept = [i for *_, first, last in spans for i in range(first, last)]
    assert kept == list(range(length))
    context = size // fusing.CONTEXT
    for start, end, first, last in spans:
        assert 0 <= start <= first < last <= end <= length and end - start <= size
        assert first - start >= context or start == 0
        assert end - last >= context or end == length


def test_a_document_that_fits_is_a_plain_call(writer, tokenizer):
    batch = tokenizer([SHORT], return_tensors="tf")
    mask = [[1] + [0] * (batch["input_ids"].shape[1] - 1)]
    plain = writer.generate(**batch, global_attention_mask=mask, **OPTIONS)
    generator = TextGenerator(writer, tokenizer, **OPTIONS)
    ids, num_tokens = fuse_document(generator, SHORT)
    assert ids.tolist() == plain.numpy().tolist()
    assert num_tokens == batch["input_ids"].shape[1]
    summary = summarize_document(
        writer, tokenizer, SHORT, long_documents="fuse", **OPTIONS
    )
    assert summary.text == tokenizer.decode(plain[0], skip_special_tokens=True)


def states_of(generator, text):
    """The states that the decoder reads, [S, D]."""
    row = generator.encode(text)
    length = generator.limit - 2
    spans = overlapping_spans(len(row.ids) - 2, length)
    return row, spans, fusing.encode_spans(generator, row, spans, 1, 1).numpy()[0]


def test_states_are_those_of_each_part_by_itself(writer, tokenizer):
    generator = TextGenerator(writer, tokenizer, **OPTIONS)
    row, spans, states = states_of(generator, LONG)
    assert len(states) == len(row.ids) and len(spans) > 2
    place = 0
    for number, (start, end, first, last) in enumerate(spans):
        ids = [0, *row.ids[1 + start : 1 + end], 2]
        mask = np.array([[1] + [0] * (len(ids) - 1)])
        encoder = writer.get_encoder()
        output = encoder(input_ids=np.array([ids]), global_attention_mask=mask)
        own = output.last_hidden_state.numpy()[0]
        low = 0 if number == 0 else 1 + first - start
        high = len(ids) if number == len(spans) - 1 else 1 + last - start
        kept = states[place : place + high - low]
        np.testing.assert_allclose(kept, own[low:high], atol=1e-5)
        place += high - low
    assert place == len(states)


def test_the_batch_changes_nothing_and_the_whole_document_is_read(writer, tokenizer):
    texts = []
    for size in (1, 3):
        options = {"long_documents": "fuse", "batch_size": size, **OPTIONS}
        texts.append(summarize_document(writer, tokenizer, LONG, **options).text)
    assert texts[0] == texts[1]
    generator = TextGenerator(writer, tokenizer)
    one, other = (states_of(generator, LONG + end)[2] for end in ("a", "b"))
    assert np.abs(one - other)[-9:].max() > 0.1


def test_the_global_text_is_global_where_it_occurs(writer, tokenizer):
    rule = OccurrencesOf("the very end")
    generator = TextGenerator(writer, tokenizer, global_tokens=rule)
    row = generator.encode(LONG + "the very end")
    spans = overlapping_spans(len(row.ids) - 2, generator.limit - 2)
    masks = [fusing.part_of(generator, row, span, 1, 1) for span in spans]
    assert masks[0][1].tolist() == [True] + [False] * 63
    ids, mask = masks[-1]
    assert tokenizer.decode(ids[mask]).strip() == "the very end"


def test_memory_that_is_not_there_raises(writer, tokenizer, monkeypatch):
    monkeypatch.setattr(fusing, "free_memory", lambda: 1000)
    sizes = []
    generator = TextGenerator(writer, tokenizer, **OPTIONS)
    with pytest.raises(ValueError, match="'fuse' needs .* 'split'"):
        fuse_document(generator, LONG, lambda *size: sizes.append(size))
    ((num_tokens, number, size),) = sizes
    assert number > 2 and size == num_tokens * 12 * 4 * 4
    monkeypatch.setattr(fusing, "free_memory", lambda: None)
    assert fuse_document(generator, LONG)[0].shape[0] == 1


def test_free_memory_is_known_on_linux():
    found = fusing.free_memory()
    assert found is None or found > 2**20
