"""JSON files of a checkpoint: objects, or our error with the file's name."""

import pytest

from tf_led.checkpoints.convert.configs import led_config
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.json_files import check_num_labels, read_object, write_object


def test_there_and_back(tmp_path):
    write_object(tmp_path / "a.json", {"ä": [3, None]})
    assert read_object(str(tmp_path / "a.json")) == {"ä": [3, None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON"),
        (b'{"a": ', "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b'{"a": %s}' % (b"9" * 5000), "not valid JSON"),
        (b"[3]", "not a JSON object but list: .3."),
        (b"null", "not a JSON object but NoneType"),
        (b'{"a": 3}' + b" " * (1 << 24), "has 16777224 bytes"),
    ],
)
def test_what_is_not_a_json_object(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_object(tmp_path / "a.json")
    assert f"`{tmp_path / 'a.json'}`" in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_what_is_no_file(tmp_path):
    (tmp_path / "a.json").symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match="a.json` is a device or a pipe"):
        read_object(tmp_path / "a.json")
    with pytest.raises(CheckpointError, match=f"{tmp_path}` is a directory"):
        read_object(tmp_path)


@pytest.mark.parametrize("count", [1, 1 << 15, None])
def test_numbers_of_labels_that_can_be(count):
    check_num_labels({"num_labels": count})
    check_num_labels({})
    named = dict.fromkeys(range(40_000), "a")
    check_num_labels({"num_labels": 40_000, "id2label": named})


@pytest.mark.parametrize("count", [0, -3, 1 << 40, 1e300])
def test_numbers_of_labels_that_would_fill_the_memory(count):
    with pytest.raises(
        CheckpointError, match=f"`num_labels` {count}".replace("+", ".")
    ):
        check_num_labels({"num_labels": count})


def test_a_bart_is_looked_at_too():
    with pytest.raises(CheckpointError, match="`num_labels` 1099511627776"):
        led_config({"model_type": "bart", "num_labels": 1 << 40})
