import json

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tests.tokenization.other_tokenizers import (
    CORPUS,
    LED_FRAME,
    OTHERS,
    byte_level,
    save,
)
from tf_led.data import make_dataset
from tf_led.tokenization.graph.tokenizer import GraphTokenizer
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast
from tf_led.tokenization.tokenizer_json import OtherTokenizerError, find_difference

BOTH = pytest.mark.parametrize("cls", [LEDTokenizer, LEDTokenizerFast])
EACH = pytest.mark.parametrize(("make", "difference"), OTHERS.items())


@EACH
@BOTH
def test_another_tokenizer_is_used_as_it_is(tmp_path, cls, make, difference):
    expected = make()
    save(expected, tmp_path)
    with pytest.warns(UserWarning, match=f"{tmp_path}.*{difference}"):
        loaded = cls.from_pretrained(tmp_path)
    assert isinstance(loaded, PreTrainedTokenizerFast)
    for text in CORPUS[:4]:
        ids = expected.encode(text).ids
        assert loaded(text).input_ids == ids
        assert loaded.decode(ids, True) == expected.decode(ids)
    assert loaded.pad_token_id == 1


@EACH
def test_a_constructor_and_a_graph_cannot_have_it(tmp_path, make, difference):
    save(make(), tmp_path)
    path = str(tmp_path / "tokenizer.json")
    for cls in (LEDTokenizer, LEDTokenizerFast):
        with pytest.raises(OtherTokenizerError, match=difference):
            cls(tokenizer_file=path)
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    found = r"around nothing" if make.__name__ == "other_frame" else difference
    with pytest.raises(ValueError, match=f"`tokenizer`.*{found}"):
        GraphTokenizer(loaded)


@EACH
def test_data_go_through_it(tmp_path, make, difference):
    expected = make()
    save(expected, tmp_path)
    with pytest.warns(UserWarning, match=difference):
        tokenizer = LEDTokenizerFast.from_pretrained(tmp_path)
    options = {"batch_size": 2, "shuffle": False, "max_target_length": 7}
    examples = [(text, text) for text in CORPUS[:2]]
    dataset = make_dataset(examples, tokenizer, max_source_length=5, **options)
    batch = next(iter(dataset))
    for row, text in zip(batch["input_ids"].numpy(), CORPUS, strict=False):
        ids = expected.encode(text).ids
        assert ids[:3] == row.tolist()[:3] and row[-1] in (1, ids[-1])
    assert batch["global_attention_mask"].numpy()[:, 0].tolist() == [1, 1]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"frame": None},
        {"frame": processors.ByteLevel()},
        {"frame": processors.RobertaProcessing(("</s>", 2), ("<s>", 0))},
        {"frame": processors.Sequence([LED_FRAME])},
        {"split": pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(False)])},
        {"unk_token": "<unk>"},  # of no effect: every byte has a token
    ],
)
@BOTH
def test_a_byte_level_bpe_is_leds_own(tmp_path, cls, options):
    tokenizer = byte_level(**options)
    save(tokenizer, tmp_path)
    loaded = cls.from_pretrained(tmp_path)
    assert type(loaded) is cls
    for text in CORPUS[:4]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert loaded(text).input_ids == [0, *ids, 2]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"dropout": 0.5}, "dropout is 0.5"),
        ({"byte_fallback": True}, "byte_fallback is True"),
        ({"ignore_merges": True}, "ignore_merges is True"),
        ({"continuing_subword_prefix": "##"}, "continuing_subword_prefix is '##'"),
        ({"unk_token": "<unk>"}, "lacks byte 0, in whose place it puts '<unk>'"),
    ],
)
def test_what_a_bpe_may_do_differently(changes, difference):
    content = json.loads(byte_level().to_str())
    vocab = {"<unk>": 0, "a": 1}
    model = json.loads(Tokenizer(models.BPE(vocab, [], **changes)).to_str())["model"]
    assert difference in find_difference({**content, "model": model})


def test_a_file_without_a_model_raises(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("[3, 5]")
    with pytest.raises(ValueError, match=f"made of {path}: it has no `model`"):
        LEDTokenizer(tokenizer_file=str(path))


def spoiled(folder, change):
    """The path of a tokenizer.json that `change` has changed."""
    save(byte_level(), folder)
    content = json.loads((folder / "tokenizer.json").read_text())
    change(content)
    (folder / "tokenizer.json").write_text(json.dumps(content))
    return folder / "tokenizer.json"


@pytest.mark.parametrize("number", [50_000_000, 2**32 - 1, -3])
@BOTH
def test_ids_that_tables_cannot_hold(tmp_path, cls, number):
    def change(content):
        content["model"]["vocab"]["a"] = number

    path = spoiled(tmp_path, change)
    with pytest.raises(ValueError, match=f"with the id {number}; ids must be below"):
        cls.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"{path}: it has a token with the id"):
        cls(tokenizer_file=str(path))


def test_ids_of_added_tokens_and_of_a_vocabulary_that_is_given(tmp_path):
    def change(content):
        content["added_tokens"][0]["id"] = 50_000_000

    spoiled(tmp_path, change)
    with pytest.raises(ValueError, match="with the id 50000000"):
        LEDTokenizerFast.from_pretrained(tmp_path)
    vocab = byte_level().get_vocab()
    tokenizer = LEDTokenizerFast({**vocab, "a": 50_000_000}, [])
    with pytest.raises(ValueError, match="`tokenizer`: it has a token with the id 5"):
        GraphTokenizer(tokenizer)


@pytest.mark.parametrize("is_nested", [False, True])
def test_a_frame_without_end(tmp_path, is_nested):
    def change(content):
        frame = content["post_processor"]
        frame["special_tokens"]["<s>"] = {
            "id": "<s>",
            "ids": [0] * 1013,
            "tokens": ["<s>"] * 1013,
        }
        frame["pair"] = frame["pair"][:1] * 2 + frame["pair"][1:]
        if is_nested:
            nested = {"type": "Sequence", "processors": [frame]}
            content["post_processor"] = nested

    path = spoiled(tmp_path, change)
    with pytest.raises(
        ValueError, match=f"{path}: its post_processor puts 20[0-9][0-9]"
    ):
        LEDTokenizerFast.from_pretrained(tmp_path)


AS_A_LIST = ["<s>", [0] * 2000, ["<s>"] * 2000]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda frame: frame["special_tokens"].update({"<s>": AS_A_LIST}), "'<s>', .0"),
        (lambda frame: frame["single"].insert(0, ["<s>"]), "'<s>'"),
        (
            lambda frame: frame["pair"].insert(0, {"SpecialToken": ["<s>", 0]}),
            "'<s>', 0",
        ),
    ],
)
def test_a_list_in_the_place_of_an_object(tmp_path, change, shown):
    """The library in Rust would read it."""
    path = spoiled(tmp_path, lambda content: change(content["post_processor"]))
    message = f"made of {path}: its post_processor holds .{shown}"
    with pytest.raises(ValueError, match=message):
        LEDTokenizerFast.from_pretrained(tmp_path)


def test_a_whole_post_processor_as_a_list(tmp_path):
    def change(content):
        content["post_processor"] = [*content["post_processor"].values()]

    spoiled(tmp_path, change)
    with pytest.raises(ValueError, match="post_processor holds .'TemplateProcessing'"):
        LEDTokenizerFast.from_pretrained(tmp_path)


def doubled(times, pattern):
    replace = {"type": "Replace", "pattern": pattern, "content": "aa"}
    return [dict(replace) for _ in range(times)]


@pytest.mark.parametrize("pattern", [{"String": "a"}, {"Regex": "a"}])
@pytest.mark.parametrize(
    ("name", "members"), [("normalizer", "normalizers"), ("decoder", "decoders")]
)
def test_texts_that_would_grow_without_end(tmp_path, name, members, pattern):
    def change(content):
        nested = {"type": "Sequence", members: doubled(10, pattern)}
        content[name] = {"type": "Sequence", members: [nested, *doubled(10, pattern)]}

    spoiled(tmp_path, change)
    with pytest.raises(ValueError, match=f"its {name} may make a text [0-9,]+ times"):
        LEDTokenizerFast.from_pretrained(tmp_path)


def test_replacing_a_little_is_as_it_was(tmp_path):
    def change(content):
        content["normalizer"] = {
            "type": "Sequence",
            "normalizers": doubled(3, {"String": "a"})
            + [{"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}],
        }

    spoiled(tmp_path, change)
    with pytest.warns(UserWarning, match="its normalizer is"):
        assert type(LEDTokenizer.from_pretrained(tmp_path)) is PreTrainedTokenizerFast


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_file_that_never_ends(tmp_path, name):
    save(byte_level(), tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=f"{name}` is a device or a pipe"):
        LEDTokenizerFast.from_pretrained(tmp_path)
