import sys

import datasets
import numpy as np
import pytest
import tensorflow as tf

from tf_led.data.hf_dataset import make_tf_dataset

PAD = 1
ACCEPTED = ("input_ids", "attention_mask", "global_attention_mask", "labels")
NUM_ROWS = 13


def make_rows(num_rows=NUM_ROWS):
    """Documents of 1 to 5 tokens; the first token tells them apart."""
    lengths = [1 + row * 3 % 5 for row in range(num_rows)]
    return {
        "document": [f"text {row}" for row in range(num_rows)],
        "input_ids": [
            [100 + row] + [7] * (lengths[row] - 1) for row in range(num_rows)
        ],
        "labels": [[9] * (1 + row % 3) for row in range(num_rows)],
    }


def make_dataset(**columns):
    return datasets.Dataset.from_dict({**make_rows(), **columns})


def batches_of(dataset, accepted=ACCEPTED, **options):
    options = {"pad_token_id": PAD, "batch_size": 3, "shuffle": False, **options}
    return make_tf_dataset(dataset, accepted, **options)


def first_tokens(batches):
    return [batch["input_ids"][:, 0].numpy().tolist() for batch in batches]


def test_the_rows_come_in_order_padded_and_without_what_the_model_does_not_take():
    rows = make_rows()
    batches = list(batches_of(make_dataset(), prefetch=False))
    assert [set(batch) for batch in batches] == [
        {"input_ids", "attention_mask", "labels"}
    ] * 5
    for number, batch in enumerate(batches):
        for place, ids in enumerate(batch["input_ids"].numpy()):
            row = 3 * number + place
            mask = batch["attention_mask"][place].numpy()
            labels = batch["labels"][place].numpy()
            assert ids[mask == 1].tolist() == rows["input_ids"][row]
            assert set(ids[mask == 0]) <= {PAD}
            assert labels[labels != -100].tolist() == rows["labels"][row]
    assert batches[-1]["input_ids"].shape[0] == 1


def test_a_batch_is_no_wider_than_its_longest_example():
    widths = [batch["input_ids"].shape[1] for batch in batches_of(make_dataset())]
    lengths = [len(ids) for ids in make_rows()["input_ids"]]
    assert widths == [max(lengths[i : i + 3]) for i in range(0, NUM_ROWS, 3)]
    assert len(set(widths)) > 1


def test_specs_leave_open_what_may_differ():
    spec = batches_of(make_dataset(), shuffle=True).element_spec
    assert spec["labels"] == tf.TensorSpec([3, None], tf.int64, name=None)
    spec = batches_of(make_dataset()).element_spec
    assert spec["labels"] == tf.TensorSpec([None, None], tf.int64, name=None)


def test_embeddings_keep_their_width_and_come_in_float32():
    values = [np.full([1 + row % 2, 5], 0.5) for row in range(NUM_ROWS)]
    dataset = make_dataset(inputs_embeds=values).remove_columns("input_ids")
    batches = batches_of(dataset, ["inputs_embeds", "attention_mask"])
    assert batches.element_spec["inputs_embeds"].shape.as_list() == [None, None, 5]
    batch = next(iter(batches))
    assert batch["inputs_embeds"].dtype == tf.float32
    assert batch["attention_mask"].numpy().tolist() == [[1, 0], [1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("shuffle", "drop_remainder", "num_batches"),
    [(False, None, 5), (True, None, 4), (True, False, 5), (False, True, 4)],
)
def test_the_remainder_goes_with_shuffling_unless_told(
    shuffle, drop_remainder, num_batches
):
    batches = batches_of(make_dataset(), shuffle=shuffle, drop_remainder=drop_remainder)
    assert len(batches) == len(list(batches)) == num_batches


def test_shuffling_goes_through_all_rows_in_another_order_each_time():
    batches = batches_of(make_dataset(), shuffle=True, drop_remainder=False)
    passes = [sum(first_tokens(batches), []) for _ in range(2)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1]) == list(range(100, 100 + NUM_ROWS))


def test_a_seed_repeats_the_orders():
    def orders(seed):
        tf.random.set_seed(seed)
        batches = batches_of(make_dataset(), shuffle=True)
        return first_tokens(batches) + first_tokens(batches)

    assert orders(3) == orders(3)
    assert orders(3) != orders(5)


@pytest.mark.parametrize("name", ["label", "label_ids"])
def test_labels_may_have_another_name(name):
    dataset = make_dataset(**{name: list(range(NUM_ROWS))})
    batch = next(iter(batches_of(dataset.remove_columns("labels"))))
    assert batch["labels"].numpy().tolist() == [0, 1, 2]
    # Labels by their own name win.
    batch = next(iter(batches_of(dataset)))
    assert batch["labels"].shape == (3, 3)
    # A model without labels takes neither.
    batch = next(iter(batches_of(dataset, ["input_ids", "attention_mask"])))
    assert set(batch) == {"input_ids", "attention_mask"}


def test_an_example_without_a_global_mask_has_no_global_token():
    masks = [None if row == 1 else [1] * len(ids) for row, ids in rows_with_ids()]
    batch = next(iter(batches_of(make_dataset(global_attention_mask=masks))))
    assert batch["input_ids"].shape == (3, 4)
    expected = [[1, -1, -1, -1], [0, 0, 0, 0], [1, 1, -1, -1]]
    assert batch["global_attention_mask"].numpy().tolist() == expected


def rows_with_ids():
    return enumerate(make_rows()["input_ids"])


@pytest.mark.parametrize("kind", ["numpy", "tensorflow", "torch", "pandas"])
def test_the_format_of_the_dataset_does_not_matter(kind):
    plain = [batch["labels"].numpy().tolist() for batch in batches_of(make_dataset())]
    batches = batches_of(make_dataset().with_format(kind))
    assert [batch["labels"].numpy().tolist() for batch in batches] == plain


def test_a_transform_makes_columns():
    texts = datasets.Dataset.from_dict({"document": ["a", "bcd", "ef"]})
    dataset = texts.with_transform(
        lambda rows: {"input_ids": [list(map(ord, text)) for text in rows["document"]]}
    )
    batch = next(iter(batches_of(dataset)))
    assert batch["input_ids"].numpy().tolist() == [
        [97, PAD, PAD],
        [98, 99, 100],
        [101, 102, PAD],
    ]


class Tokenizer:
    pad_token_id = 6
    padding_side = "left"


def test_a_tokenizer_says_how_to_pad():
    batch = next(iter(batches_of(make_dataset(), tokenizer=Tokenizer())))
    assert batch["input_ids"][0].numpy().tolist() == [6, 6, 6, 100]


def test_a_collate_fn_gets_the_columns_that_the_model_takes_and_its_arguments():
    seen = []

    def collate(examples, scale):
        seen.append(sorted(examples[0]))
        ids = [scale * example["input_ids"][0] for example in examples]
        return {"input_ids": [[number] for number in ids], "note": ["x"] * len(ids)}

    batches = batches_of(
        make_dataset(),
        collate_fn=collate,
        collate_fn_args={"scale": 10},
        tokenizer=Tokenizer(),
    )
    assert first_tokens(batches)[0] == [1000, 1010, 1020]
    assert list(batches.element_spec) == ["input_ids"]
    assert seen[0] == ["input_ids", "labels"]


@pytest.mark.parametrize(
    ("collate", "error", "message"),
    [
        (lambda rows: [1], TypeError, "must return a dict of arrays, got list"),
        (lambda rows: {"input_ids": 5}, ValueError, r"`input_ids` of shape \[\]"),
        (
            lambda rows: {"input_ids": np.ones([7, 3])},
            ValueError,
            r"`input_ids` of shape \[7, 3\] out of 2 examples",
        ),
        (lambda rows: {"text": ["a", "b"]}, ValueError, "'document', 'input_ids'"),
    ],
)
def test_a_collate_fn_that_makes_no_batch_raises(collate, error, message):
    with pytest.raises(error, match=message):
        batches_of(make_dataset(), collate_fn=collate)


def test_no_column_to_use_names_those_that_are_there():
    dataset = make_dataset().remove_columns("input_ids")
    with pytest.raises(ValueError, match="'document', 'labels'.*takes 'labels'"):
        batches_of(dataset)
    with pytest.raises(ValueError, match="'document', 'labels'.*takes none"):
        batches_of(dataset, ["input_ids"])


def test_a_value_missing_in_the_middle_is_named():
    labels = [4] * NUM_ROWS
    labels[11] = None
    batches = batches_of(make_dataset(labels=labels))
    with pytest.raises(tf.errors.OpError, match="`labels` of an example is 'nan'"):
        list(batches)


def test_a_column_missing_or_fractional_later_is_named():
    def collate(examples):
        batch = {"input_ids": np.zeros([len(examples), 3], "int32")}
        if len(examples) < 3 or wrong is not None:
            batch["labels"] = np.ones(len(examples), "int32")
        if len(examples) == 3 and wrong is not None:
            batch["labels"] = wrong
        return batch

    for wrong in (None, np.full(3, 0.5)):
        got = "nothing" if wrong is None else "float64 values"
        batches = batches_of(make_dataset(), collate_fn=collate)
        with pytest.raises(tf.errors.OpError, match=f"`labels` holds int64.*{got}"):
            list(batches)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be an int of at least 1, got 0"),
        ({"batch_size": True}, "`batch_size` must be an int of at least 1, got True"),
        ({"batch_size": 2.5}, "`batch_size` must be an int of at least 1, got 2.5"),
        ({"batch_size": 17, "shuffle": True}, "13 rows, fewer than `batch_size` 17"),
        ({"collate_fn_args": {"scale": 3}}, "{'scale': 3} without a `collate_fn`"),
    ],
)
def test_an_argument_that_does_not_fit_raises(options, message):
    with pytest.raises(ValueError, match=message):
        batches_of(make_dataset(), **options)


def test_a_tokenizer_without_padding_raises():
    tokenizer = Tokenizer()
    tokenizer.pad_token_id = None
    with pytest.raises(ValueError, match="Tokenizer.*has no padding token"):
        batches_of(make_dataset(), tokenizer=tokenizer)


def test_an_empty_dataset_raises():
    with pytest.raises(ValueError, match="`dataset` has no rows"):
        batches_of(make_dataset().select([]))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"input_ids": [[0, 2]]}, "got dict"),
        (datasets.DatasetDict(train=make_dataset()), "got DatasetDict.*'train'"),
        (make_dataset().to_iterable_dataset(), "got IterableDataset"),
    ],
)
def test_what_is_no_dataset_raises(dataset, message):
    with pytest.raises(TypeError, match=message):
        batches_of(dataset)


def test_without_the_library_the_error_says_so(monkeypatch):
    dataset = make_dataset()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match="pip install datasets"):
        batches_of(dataset)
