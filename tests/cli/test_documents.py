import io
import sys

import pytest

from tf_led.cli.documents import Document, read_documents
from tf_led.cli.parser import UsageError


def write(folder, name, content):
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_text_is_read_as_it_is(tmp_path):
    text = "\ufeff one\r\ntwo\rthr\u00e9\u00e9\u2028\U0001f600\n\n "
    file = write(tmp_path, "a.txt", text.encode())
    assert read_documents([file, file]) == [Document(file, text)] * 2


def test_dash_is_standard_input(monkeypatch, tmp_path):
    stdin = io.TextIOWrapper(io.BytesIO(b"one\r\ntwo"), newline=None)
    monkeypatch.setattr(sys, "stdin", stdin)
    file = write(tmp_path, "a.txt", b"three")
    assert [text for _, text in read_documents([file, "-"])] == ["three", "one\r\ntwo"]


def test_standard_input_is_named_in_messages(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(UsageError, match="^standard input: empty"):
        read_documents(["-"])


def test_closed_standard_input_raises(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="^standard input: closed"):
        read_documents(["-"])


def test_second_dash_raises():
    with pytest.raises(UsageError, match=r"standard input \(-\).* once only"):
        read_documents(["-", "-"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \r\n\t", "white space only"),
        (b"caf\xe9 au lait", "byte 0xe9 at offset 3"),
        ("text".encode("utf-16"), "byte 0xff at offset 0|NUL byte at offset 3"),
        ("text".encode("utf-16-le"), "NUL byte at offset 1"),
        (b"\x89PNG\r\n\x1a\n", "byte 0x89 at offset 0"),
    ],
)
def test_what_is_no_text_raises_by_name(tmp_path, content, message):
    good = write(tmp_path, "good.txt", b"good")
    bad = write(tmp_path, "bad.txt", content)
    with pytest.raises(UsageError, match=f"^{bad}: ({message})"):
        read_documents([good, bad])


def test_missing_file_and_directory_raise_by_name(tmp_path):
    with pytest.raises(UsageError, match=f"^{tmp_path}/none.txt: no such file"):
        read_documents([f"{tmp_path}/none.txt"])
    with pytest.raises(UsageError, match=f"^{tmp_path}: a directory"):
        read_documents([str(tmp_path)])


def test_what_the_system_rejects_to_read_is_named(tmp_path):
    file = write(tmp_path, "a.txt", b"text")
    with pytest.raises(UsageError, match=f"^{file}/b: cannot be read: Not a dir"):
        read_documents([f"{file}/b"])
    with pytest.raises(UsageError, match="cannot be read: .*null"):
        read_documents(["a\0b"])
