import json
import shutil

import pytest
import transformers
from transformers import AddedToken

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
