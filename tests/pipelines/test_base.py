import numpy as np
import pytest
import tensorflow as tf

from tf_led.pipelines.base import Pipeline, dataset_items, limit_of

TEXTS = ["one", "two and more", "3"]


class Lengths(Pipeline):
    """Answers with the length of each text; keeps the batches."""

    option_names = ("plus",)

    def __init__(self, **options):
        super().__init__(None, None, task="lengths", **options)
        self.batches = []

    def read(self, item, index):
        return item

    def run(self, batch, options, batch_size, progress_bar):
        self.batches.append(list(batch))
        self.within = batch_size, progress_bar
        return [len(text) + options.get("plus", 0) for text in batch]


def test_one_input_has_one_result():
    assert Lengths().answer("one") == 3
    assert Lengths(plus=5).answer("one") == 8
    assert Lengths(plus=5).answer("one", plus=7) == 10


@pytest.mark.parametrize("size", [1, 2, 5])
def test_lists_keep_their_order_whatever_the_batch(size):
    pipeline = Lengths(batch_size=size)
    assert pipeline.answer(TEXTS) == [3, 12, 1]
    assert pipeline.answer(tuple(TEXTS), batch_size=1) == [3, 12, 1]
    assert pipeline.batches[0][0] == "two and more"  # the longest goes first
    assert pipeline.answer([]) == []


def test_streams_are_read_a_batch_at_a_time():
    read = []

    def stream():
        for text in TEXTS:
            read.append(text)
            yield text

    results = Lengths(batch_size=2).answer(stream())
    assert read == [] and next(results) == 3 and read == TEXTS[:2]
    assert list(results) == [12, 1]


def test_datasets_are_streams():
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS)
    assert list(Lengths().answer(dataset)) == [3, 12, 1]
    assert list(Lengths().answer(dataset.batch(2))) == [3, 12, 1]
    pairs = tf.data.Dataset.from_tensor_slices({"a": TEXTS, "b": ["é", "f", "g"]})
    expected = [{"a": "one", "b": "é"}, {"a": "two and more", "b": "f"}]
    assert list(dataset_items(pairs.batch(2)))[:2] == expected
    with pytest.raises(TypeError, match="must hold strings, got .*3"):
        list(Lengths().answer(tf.data.Dataset.from_tensor_slices(np.array([3, 5]))))


@pytest.mark.parametrize(
    ("given", "called", "shown"),
    [
        (None, None, True),
        (False, None, False),
        (True, False, False),
        (None, True, True),
    ],
)
def test_a_bar_counts_many_on_stderr(capsys, given, called, shown):
    pipeline = Lengths(batch_size=2, progress_bar=given)
    pipeline.answer(TEXTS, progress_bar=called)
    out, err = capsys.readouterr()
    assert out == "" and ("/3 [" in err) == bool(shown)


@pytest.mark.parametrize(
    ("inputs", "called", "within"),
    [
        (TEXTS, None, (2, False)),  # the bar is that of the inputs
        (TEXTS[:2], None, (2, None)),
        (TEXTS[0], None, (2, None)),
        (TEXTS[0], True, (2, True)),
        (TEXTS, False, (2, False)),
    ],
)
def test_what_a_call_asks_for_reaches_its_parts(inputs, called, within):
    pipeline = Lengths(batch_size=7)
    pipeline.answer(inputs, batch_size=2, progress_bar=called)
    assert pipeline.within == within
    list(pipeline.answer(iter(TEXTS), batch_size=2, progress_bar=True))
    assert pipeline.within == (2, False)


def test_few_have_no_bar(capsys):
    Lengths(batch_size=5).answer(TEXTS)
    assert capsys.readouterr().err == ""


def test_unknown_options_and_sizes_raise():
    with pytest.raises(ValueError, match="'lengths' has no option 'minus'.*'plus'"):
        Lengths(minus=3)
    with pytest.raises(ValueError, match="no option 'minus'"):
        Lengths().answer("one", minus=3)
    for make in (Lengths, lambda **options: Lengths().answer("one", **options)):
        with pytest.raises(ValueError, match="`batch_size` .* got 0"):
            make(batch_size=0)


def test_it_shows_itself():
    shown = "Lengths(task='lengths', model=NoneType, batch_size=3)"
    assert repr(Lengths(batch_size=3)) == shown


def test_a_decoder_that_reads_the_document_is_a_limit(writer):
    assert limit_of(writer) == 64
