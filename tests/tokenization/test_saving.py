import contextlib
import errno
import json
import os
import shutil
from pathlib import Path

import pytest
import transformers
from tokenizers.models import BPE
from transformers import AddedToken, PreTrainedTokenizerFast

from tests.tokenization.conftest import FILES
from tests.tokenization.make_golden import TEXTS


def write_4(folder, *, fast):
    """What 4.57 writes: the config with every added token, tokenizer.json if fast."""
    for path in FILES:
        shutil.copy(path, folder)
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    ids = [0, 1, 2, 3, 561]
    added = {
        str(token_id): AddedToken(
            token, lstrip=token == "<mask>", normalized=True, special=True
        ).__getstate__()
        for token, token_id in zip(tokens, ids, strict=True)
    }
    config = {"added_tokens_decoder": added, "tokenizer_class": "LEDTokenizer"}
    config |= {"clean_up_tokenization_spaces": True, "extra_special_tokens": {}}
    config |= {"mask_token": "<mask>", "model_max_length": 97, "my_note": [3, 5]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if fast:
        theirs = transformers.LEDTokenizer.from_pretrained(folder)
        theirs.backend_tokenizer.save(str(folder / "tokenizer.json"))


@pytest.mark.parametrize("fast", [True, False])
def test_directories_of_transformers_4(tokenizer, tmp_path, fast):
    write_4(tmp_path, fast=fast)
    loaded = type(tokenizer).from_pretrained(tmp_path)
    assert type(loaded) is type(tokenizer)
    assert loaded(TEXTS).data == tokenizer(TEXTS).data
    assert loaded.model_max_length == 97
    assert loaded.decode([0, 403, 224, 17, 2], True) == "the."
    loaded.save_pretrained(tmp_path / "again")
    config = json.loads((tmp_path / "again" / "tokenizer_config.json").read_text())
    assert config["my_note"] == [3, 5]


def test_directories_of_two_files(tokenizer, tmp_path):
    for path in FILES:
        shutil.copy(path, tmp_path)
    assert type(tokenizer).from_pretrained(tmp_path)(TEXTS) == tokenizer(TEXTS)


def test_directories_of_transformers_5_say_what_the_mask_does(tokenizer, tmp_path):
    theirs = transformers.LEDTokenizer(*(str(path) for path in FILES))
    theirs.save_pretrained(tmp_path)
    loaded = type(tokenizer).from_pretrained(tmp_path, padding_side="left")
    assert loaded(TEXTS).data == theirs(TEXTS).data
    assert loaded(["a <mask>", "a"], padding=True).input_ids[1][0] == 1
    alone = type(tokenizer).from_pretrained(str(tmp_path / "tokenizer.json"))
    assert alone(TEXTS).data == theirs(TEXTS).data
    assert not alone.special_tokens_map_extended["mask_token"].lstrip


def test_what_is_not_there_is_named(tokenizer, tmp_path):
    cls = type(tokenizer)
    with pytest.raises(FileNotFoundError, match="no file or directory '.*nowhere'"):
        cls.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=f"`vocab_file` is missing in '{tmp_path}'"):
        cls.from_pretrained(tmp_path)
    shutil.copy(FILES[0], tmp_path)
    with pytest.raises(ValueError, match=f"`merges_file` is missing in '{tmp_path}'"):
        cls.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [b'{"model": ', b"\xff\xfe\x00"])
def test_what_is_broken_is_named(tokenizer, tmp_path, name, content):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"in '{tmp_path}' is broken"):
        type(tokenizer).from_pretrained(tmp_path)


def deepened(content):
    return json.dumps(content).replace("null", "[" * 5000 + "]" * 5000, 1)


@pytest.mark.filterwarnings("ignore:The tokenizer of")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tokenizer.json", lambda c: json.dumps([c])),
        ("tokenizer.json", lambda c: "[" * 100_000),
        ("tokenizer.json", deepened),
        ("tokenizer.json", lambda c: json.dumps({**c, "model": [3]})),
        ("tokenizer.json", lambda c: with_model(c, vocab={"a": "x"})),
        ("tokenizer.json", lambda c: with_model(c, vocab={"a": 2**70})),
        ("tokenizer.json", lambda c: with_model(c, vocab=[3])),
        ("tokenizer.json", lambda c: with_model(c, merges={"a": "b"})),
        ("tokenizer.json", lambda c: with_model(c, merges=[[3, {}]])),
        ("tokenizer.json", lambda c: json.dumps({**c, "added_tokens": {"a": 3}})),
        ("tokenizer.json", lambda c: json.dumps({**c, "post_processor": [3]})),
        ("tokenizer.json", lambda c: json.dumps({**c, "pre_tokenizer": "x"})),
        ("tokenizer.json", lambda c: json.dumps({**c, "normalizer": {"type": "x"}})),
        ("tokenizer_config.json", lambda c: json.dumps([c])),
        ("tokenizer_config.json", lambda c: "[" * 100_000),
        ("tokenizer_config.json", lambda c: json.dumps({**c, "trim_offsets": [3]})),
        ("tokenizer_config.json", lambda c: json.dumps({**c, "errors": {}})),
        ("tokenizer_config.json", lambda c: json.dumps({**c, "model_max_length": []})),
        ("tokenizer_config.json", lambda c: json.dumps({**c, "model_max_length": "9"})),
        ("tokenizer_config.json", lambda c: json.dumps({**c, "mask_token": [None]})),
        ("vocab.json", lambda c: json.dumps([3])),
        ("vocab.json", lambda c: json.dumps({"a": []})),
    ],
)
def test_files_of_other_types_are_a_value_error_or_harmless(
    tokenizer, tmp_path, name, change
):
    tokenizer.save_pretrained(tmp_path)
    if name == "vocab.json":
        (tmp_path / "tokenizer.json").unlink()
    content = json.loads((tmp_path / name).read_text())
    (tmp_path / name).write_text(change(content))
    with contextlib.suppress(ValueError):
        loaded = type(tokenizer).from_pretrained(tmp_path)
        loaded.decode(loaded("a text").input_ids)


def with_model(content, **changes):
    return json.dumps({**content, "model": {**content["model"], **changes}})


def test_a_full_disk_is_an_os_error(tokenizer, tmp_path, monkeypatch):
    """The library in Rust raises Exception for it."""
    number = errno.ENOSPC

    def save(*_, **__):
        raise Exception(f"No space left on device (os error {number})")  # noqa: TRY002

    monkeypatch.setattr("tf_led.tokenization.saving.write_json", save)
    with pytest.raises(OSError, match=str(tmp_path)) as caught:
        tokenizer.save_pretrained(tmp_path)
    assert caught.value.errno == number
    assert not any(tmp_path.iterdir())


ALL = {
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
}


@pytest.mark.parametrize("prefix", [None, "led"])
def test_the_vocabulary_is_where_its_names_say(tokenizer, tmp_path, prefix):
    names = tokenizer.save_vocabulary(str(tmp_path), filename_prefix=prefix)
    start = f"{prefix}-" if prefix else ""
    assert names == tuple(
        str(tmp_path / f"{start}{name}") for name in ("vocab.json", "merges.txt")
    )
    assert BPE.read_file(*names) == BPE.read_file(*(str(path) for path in FILES))
    assert {str(path) for path in tmp_path.iterdir()} == set(names)


@pytest.mark.parametrize(
    ("legacy", "names"),
    [
        (None, ALL),
        (True, ALL - {"tokenizer.json"}),
        (False, {"tokenizer.json", "tokenizer_config.json"}),
    ],
)
def test_what_is_written_is_what_is_told(tokenizer, tmp_path, legacy, names):
    paths = tokenizer.save_pretrained(tmp_path / "new", legacy_format=legacy)
    assert {os.path.basename(path) for path in paths} == names
    assert set(os.listdir(tmp_path / "new")) == names


@pytest.mark.parametrize("legacy", [None, True, False])
def test_it_comes_back_as_either_class_and_as_transformers_own(
    tokenizer, tmp_path, legacy
):
    tokenizer.add_tokens(["<new>"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<sep>"]})
    tokenizer.model_max_length = 77
    tokenizer.save_pretrained(tmp_path, legacy_format=legacy)
    texts = [*TEXTS, "a <new> <sep> b"]
    slow, fast = (
        cls.from_pretrained(tmp_path)
        for cls in (type(tokenizer), transformers.LEDTokenizer)
    )
    assert slow(texts).data == fast(texts).data == tokenizer(texts).data
    assert slow.additional_special_tokens == ["<sep>"]
    assert slow.model_max_length == 77 and len(slow) == len(tokenizer)


def test_the_files_of_transformers_4_are_what_it_reads(tokenizer, tmp_path):
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(tmp_path, filename_prefix="x")
    added = json.loads((tmp_path / "x-added_tokens.json").read_text())
    special = json.loads((tmp_path / "x-special_tokens_map.json").read_text())
    assert added == {"<new>": 562}
    assert special["mask_token"]["lstrip"] is True
    config = json.loads((tmp_path / "x-tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "LEDTokenizer"


def test_a_save_that_is_cut_off_leaves_the_old_files(tokenizer, tmp_path, monkeypatch):
    tokenizer.save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    tokenizer.add_tokens(["<new>"])

    def cut_off(*_):
        raise OSError("no space left")

    monkeypatch.setattr("tf_led.tokenization.saving.write_json", cut_off)
    with pytest.raises(OSError, match="no space left"):
        tokenizer.save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_pushed_is_saved_first(tokenizer, tmp_path, monkeypatch):
    calls = []

    def save(self, folder, *args, push_to_hub=False, **options):
        calls.append((push_to_hub, options))
        (Path(folder) / "tokenizer.json").write_text(f"{len(calls)}")
        return (os.path.join(folder, "tokenizer.json"),)

    monkeypatch.setattr(PreTrainedTokenizerFast, "save_pretrained", save)
    paths = tokenizer.save_pretrained(tmp_path / "led", push_to_hub=True, token="x")
    assert paths == (str(tmp_path / "led/tokenizer.json"),)
    assert (tmp_path / "led/tokenizer.json").read_text() == "1"
    assert calls[1] == (True, {"repo_id": "led", "token": "x"})


def test_what_a_killed_save_left_is_removed(tokenizer, tmp_path):
    (tmp_path / ".saving-left").mkdir()
    tokenizer.save_pretrained(tmp_path)
    assert not list(tmp_path.glob(".*"))


def test_a_file_is_no_directory(tokenizer, tmp_path):
    path = tmp_path / "file"
    path.write_text("kept")
    for save in (tokenizer.save_vocabulary, tokenizer.save_pretrained):
        with pytest.raises(
            NotADirectoryError, match="must be a directory, '.*file' is"
        ):
            save(path)
    assert path.read_text() == "kept"
    with pytest.raises(FileNotFoundError, match="there is no directory '.*nowhere'"):
        tokenizer.save_vocabulary(tmp_path / "nowhere")


def test_chat_templates_are_saved_too(tokenizer, tmp_path):
    tokenizer.chat_template = {"default": "{{ messages }}", "short": "{{ 5 }}"}
    paths = tokenizer.save_pretrained(tmp_path)
    assert all(os.path.isfile(path) for path in paths)
    again = type(tokenizer).from_pretrained(tmp_path)
    assert again.chat_template == tokenizer.chat_template


@pytest.mark.parametrize(("positions", "warns"), [(77, False), (79, True)])
def test_a_limit_below_the_models_positions_is_a_warning(
    tokenizer, tmp_path, positions, warns
):
    tokenizer.model_max_length = 77
    tokenizer.save_pretrained(tmp_path)
    config = {"max_encoder_position_embeddings": positions}
    (tmp_path / "config.json").write_text(json.dumps(config))
    expected = contextlib.nullcontext()  # a warning would be an error
    if warns:
        remedy = "tokenizer.model_max_length = 79"
        expected = pytest.warns(UserWarning, match=remedy)
    with expected:
        type(tokenizer).from_pretrained(tmp_path)
