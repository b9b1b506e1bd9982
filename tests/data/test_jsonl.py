import pytest

from tf_led.data.jsonl import BadRecord, parse, read_lines


def test_lines_have_the_numbers_that_an_editor_shows(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n   \n"b\\n"\n[3]')
    found = [(number, read()) for number, read in read_lines(file)]
    assert found == [(1, {"a": 1}), (4, "b\n"), (5, [3])]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "not JSON: Expecting ',' delimiter at column 8"),
        (b'{"a": "\xe9"}', "not in UTF-8: byte 0xe9 at offset 7"),
        ('{"a": 1}'.encode("utf-16"), "not in UTF-8: byte 0xff at offset 0"),
        ('{"a": 1}\n'.encode("utf-16-le"), "not in UTF-8: zero bytes in it"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5000, "not JSON that can be read: Exceeds the limit"),
    ],
)
def test_a_line_that_is_none_says_why(line, reason):
    with pytest.raises(BadRecord) as error:
        parse(line)
    assert str(error.value).startswith(reason)
