import warnings

import datasets
import numpy as np
import pytest

from tf_led.data import encode
from tf_led.data.cache import digest, fingerprint
from tf_led.data.encode import encode_examples

PAIRS = [("abcdefgh", "a"), ("b", "cd")]
LIMITS = {"max_source_length": 7, "max_target_length": 5}


def test_the_second_time_nothing_is_tokenised(letters, tmp_path, monkeypatch):
    first = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path / "new")
    monkeypatch.setattr(encode, "_encode", None)
    again = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path / "new")
    assert isinstance(again.sources.ids, np.memmap)
    for one, other in zip(first[:2], again[:2], strict=True):
        assert [one[i].tolist() for i in (0, 1)] == [other[i].tolist() for i in (0, 1)]
    assert again.report == first.report and again.report.cut_tokens == 3


def test_a_cache_cut_off_while_written_is_not_taken(letters, tmp_path, monkeypatch):
    def cut_off(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(encode.DataReport, "check", cut_off)
    with pytest.raises(KeyboardInterrupt):
        encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    encoded = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    assert encoded.report.examples == 2


@pytest.mark.parametrize("damage", [b"", b"0123"])
@pytest.mark.parametrize("name", ["sources.bin", "target_ends.npy", "report.json"])
def test_a_damaged_cache_is_made_anew(letters, tmp_path, name, damage):
    whole = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    expected = whole.sources.ids.tolist()
    [folder] = tmp_path.iterdir()
    (folder / name).unlink()  # not written over: `whole` reads from the file
    (folder / name).write_bytes(damage)
    again = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    assert again.sources.ids.tolist() == expected
    assert again.targets.ends.tolist() == whole.targets.ends.tolist()
    assert again.report.examples == 2


def test_a_flipped_bit_is_mended(letters, tmp_path):
    """Wherever it is: the cache is made anew."""
    whole = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    expected = [np.array(rows.ids) for rows in (whole.sources, whole.targets)]
    [folder] = tmp_path.iterdir()
    rng = np.random.default_rng(0)
    for file in sorted(folder.iterdir()):
        for _ in range(30):
            content = bytearray(file.read_bytes())
            content[rng.integers(len(content))] ^= 1 << rng.integers(8)
            file.unlink()
            file.write_bytes(content)
            again = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
            for rows, ids in zip((again.sources, again.targets), expected, strict=True):
                np.testing.assert_array_equal(rows.ids, ids, str(file))
            assert again.report == whole.report


@pytest.mark.parametrize("content", ["[]", "3", '{"counts": 3}', "[" * 10**5])
def test_a_report_that_cannot_be_read_has_the_cache_made_anew(
    letters, tmp_path, content
):
    whole = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    [folder] = tmp_path.iterdir()
    (folder / "report.json").write_text(content)
    again = encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    assert again.report == whole.report


def test_what_a_killed_writer_left_is_removed(letters, tmp_path):
    encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    [folder] = tmp_path.iterdir()
    (folder / "report.json").unlink()  # the last to come: the cache is not whole
    whole = {*folder.iterdir(), folder / "report.json"}
    (folder / ".saving-killed").mkdir()
    (folder / ".saving-killed" / "sources.bin").write_bytes(b"0123")
    encode_examples(PAIRS, letters, **LIMITS, cache_dir=tmp_path)
    assert {*folder.iterdir()} == whole


def test_bad_records_are_told_of_again(letters, tmp_path):
    for _ in range(2):
        with pytest.warns(UserWarning, match="left out"):
            encoded = encode_examples(
                [("", "a"), *PAIRS], letters, **LIMITS, cache_dir=tmp_path
            )
        assert encoded.report.bad == 1


def test_the_name_changes_with_all_that_matters(letters, tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text("one")
    names = [
        fingerprint(PAIRS, letters, [7]),
        fingerprint(PAIRS, letters, [5]),
        fingerprint(PAIRS[::-1], letters, [7]),
        fingerprint(file, letters, [7]),
    ]
    file.write_text("two")
    names.append(fingerprint(file, letters, [7]))
    assert len(set(names)) == len(names)
    letters("a", truncation=True, max_length=3)  # how it was last used is no matter
    assert fingerprint(PAIRS, letters, [7]) == names[0]


def test_a_dataset_sums_itself_up():
    one = datasets.Dataset.from_dict({"document": ["a"]})
    other = datasets.Dataset.from_dict({"document": ["b"]})
    assert digest(one) != digest(other)


def test_what_can_be_read_once_only_is_rejected(letters, tmp_path):
    with warnings.catch_warnings(), pytest.raises(ValueError, match="list_iterator"):
        encode_examples(iter(PAIRS), letters, **LIMITS, cache_dir=tmp_path)
