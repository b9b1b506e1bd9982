import json

import pytest

from examples.demo import write_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    return folder


def contents(folder):
    return {
        file.relative_to(folder): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_writing_it_again_gives_the_same(demo):
    before = contents(demo)
    write_demo(demo)
    assert contents(demo) == before


def test_pytorch_opens_the_checkpoint(demo):
    from transformers import LEDForConditionalGeneration

    _, report = LEDForConditionalGeneration.from_pretrained(
        demo / "checkpoint", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]


def test_document_fits_the_model_and_comes_back_from_its_tokens(demo):
    from transformers import LEDTokenizer

    text = (demo / "document.txt").read_text(encoding="utf-8")
    tokenizer = LEDTokenizer.from_pretrained(demo / "checkpoint")
    ids = tokenizer(text)["input_ids"]
    assert 4096 < len(ids) < 16384
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_examples_of_the_demo_keep_their_answers_out_of_sight(demo):
    rows = {}
    for name in ("train", "validation"):
        lines = (demo / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        rows[name] = [json.loads(line) for line in lines]
        for row in rows[name]:
            assert row["document"].startswith("def ") and len(row["summary"]) > 20
            assert row["summary"] not in row["document"]
    assert (len(rows["train"]), len(rows["validation"])) == (24, 8)
    documents = [row["document"] for part in rows.values() for row in part]
    assert len(set(documents)) == 32
