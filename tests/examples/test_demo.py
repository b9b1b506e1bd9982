import json

import pytest

from examples.demo import NUM_SHOWN, compare, write_demo


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


def test_the_document_is_long_and_comes_back_from_its_tokens(demo):
    from transformers import LEDTokenizer

    text = (demo / "document.txt").read_text(encoding="utf-8")
    tokenizer = LEDTokenizer.from_pretrained(demo / "checkpoint")
    ids = tokenizer(text)["input_ids"]
    assert len(ids) > 8192
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_chapters_keep_their_titles_out_of_sight(demo):
    rows = {}
    for name in ("train", "validation"):
        lines = (demo / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        rows[name] = [json.loads(line) for line in lines]
    found = [row for part in rows.values() for row in part]
    assert len(found) == len({row["document"] for row in found}) > 50
    assert len(found) == len({row["summary"] for row in found})
    assert len(rows["train"]) > 2 * len(rows["validation"]) > 20
    assert not any(row["document"].startswith(("***", "===")) for row in found)


def test_before_and_after_are_shown_beside_each_other(tmp_path, capsys):
    rows = [
        {"document": f"text {n}", "summary": f"said {n}", "prediction": f"wrote {n}"}
        for n in range(NUM_SHOWN + 1)
    ]
    for name in ("validation", "before", "after"):
        lines = [json.dumps(row) + "\n" for row in rows]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    compare(tmp_path)
    printed = capsys.readouterr().out
    assert printed.count("wrote 3") == 2 and printed.count("said 3") == 1
    assert f"text {NUM_SHOWN}" not in printed
