"""The tokenizer, the start checkpoint, its lengthening and the file that is shipped."""

import numpy as np
import pytest

from examples.bundled_model import finish, lengthen, start
from examples.bundled_model.tokenizer import train_tokenizer

TEXTS = [
    "def get_file(self):\n    return self.file",
    " the file name of the file",
    "class FileName:\n    def fileName(self):\n        return file_name",
] * 50
SIZES = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1}
SIZES |= {"max_encoder_position_embeddings": 16, "attention_window": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("start")


@pytest.fixture(scope="module")
def tokenizer(folder):
    return train_tokenizer(TEXTS, folder / "tokenizer", vocab_size=601)


@pytest.fixture(scope="module")
def checkpoint(folder, tokenizer):
    start.write_start(folder / "tokenizer", folder / "start", **SIZES)
    return folder / "start"


def load(path, **options):
    from tf_led import TFLEDForConditionalGeneration

    return TFLEDForConditionalGeneration.from_pretrained(path, **options)


def test_a_word_is_cut_alike_wherever_it_stands(tokenizer):
    pieces = tokenizer.tokenize("get_file fileName the file")
    bare = [piece.lstrip("\u0120") for piece in pieces]
    assert bare == ["get", "_", "file", "file", "Name", "the", "file"]


def test_every_text_comes_back(tokenizer):
    text = "def f(x):\n\treturn \u00e9 + '\u4e2d'  # odd\n"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_training_again_elsewhere_or_there_gives_the_same(folder, tokenizer):
    train_tokenizer(TEXTS, folder / "tokenizer", vocab_size=601)
    again = train_tokenizer(TEXTS, folder / "again", vocab_size=601)
    assert again.get_vocab() == tokenizer.get_vocab()
    first, second = (
        folder / name / "tokenizer.json" for name in ("tokenizer", "again")
    )
    assert first.read_bytes() == second.read_bytes()


def test_spellings_of_a_word_start_close_together():
    pieces = ["file", "\u0120file", "File", "name", "\u0120"]
    table = start.token_table(pieces, 1024, np.random.default_rng(0))
    alike = np.corrcoef(table[:, :512])
    assert alike[:3, :3].min() > 0.7 and np.abs(alike[3:, :3]).max() < 0.3
    assert abs(alike[3, 4]) < 0.3
    assert not table[:, 512:].any()


def test_waves_are_alike_for_neighbours_and_can_be_turned_back():
    part = start.Parts.of(128)
    table = start.waves(64, 128)
    alike = np.corrcoef(table[:, part.places])
    assert alike[3, 4] > alike[3, 9] > alike[3, 60]
    assert not table[:, : part.places.start].any()
    turned = table[1:, part.places] @ start.step_back(part.head)
    np.testing.assert_allclose(turned, table[:-1, part.places], atol=1e-6)


def test_the_first_weights_continue_what_the_document_says(folder):
    import tensorflow as tf

    write = {"encoder_layers": 2, "decoder_layers": 2, "attention_window": 8}
    model = load(start_folder(folder, d_model=128, **write))
    random = np.random.default_rng(0)
    document = random.permutation(np.arange(5, model.config.vocab_size))[:37]
    given = document[[3, 11, 19, 30]]
    output = model(
        input_ids=tf.constant(document[None], tf.int32),
        decoder_input_ids=tf.constant(given[None], tf.int32),
    )
    follows = document[[4, 12, 20, 31]]
    assert (output.logits.numpy().argmax(-1)[0] == follows).mean() >= 0.75


def start_folder(folder, **sizes):
    start.write_start(folder / "tokenizer", folder / "copying", **sizes)
    return folder / "copying"


def test_copying_is_rejected_for_other_heads(folder, tokenizer):
    sizes = {**SIZES, "decoder_attention_heads": 2}
    with pytest.raises(ValueError, match=r"attention heads.*2.*4"):
        start.write_start(folder / "tokenizer", folder / "other", **sizes)


def test_lengthened_positions_keep_what_was_learnt(folder, checkpoint):
    lengthen.lengthen(checkpoint, folder / "long", positions=64)
    short, long = (
        load(path).led.encoder.embed_positions.embeddings.numpy()
        for path in (checkpoint, folder / "long")
    )
    assert long.shape == (64, 16)
    np.testing.assert_array_equal(long[:16], short)
    np.testing.assert_array_equal(long[16:], start.waves(64, 16)[16:])


def test_what_is_shipped_is_half_the_size_and_the_same(folder, checkpoint):
    from tf_led import LEDTokenizerFast

    finish.finish(checkpoint, folder / "tokenizer", folder / "shipped")
    name = "model.safetensors"
    sizes = [(path / name).stat().st_size for path in (checkpoint, folder / "shipped")]
    assert sizes[1] < 0.6 * sizes[0]
    model = load(folder / "shipped")
    assert model.dtype_policy.name == "float32"
    assert model.generation_config.max_new_tokens == finish.WRITING["max_new_tokens"]
    assert LEDTokenizerFast.from_pretrained(folder / "shipped").model_max_length == 16
    weights = zip(load(checkpoint).weights, model.weights, strict=True)
    for before, after in weights:
        np.testing.assert_allclose(before.numpy(), after.numpy(), rtol=1e-3, atol=1e-6)
