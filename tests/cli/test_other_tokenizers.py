"""Commands on a checkpoint whose tokenizer is not LED's own."""

import json
import shutil

import pytest

from tests.tokenization.other_tokenizers import CORPUS, metaspace, save
from tf_led.cli.main import main

pytestmark = pytest.mark.filterwarnings("always:The tokenizer of.*Metaspace")
QUICK = ["--num-beams", "1", "--max-new-tokens", "5"]
TEXT = " ".join(CORPUS)


@pytest.fixture(scope="module")
def german(checkpoint, tmp_path_factory):
    """The checkpoint with a Metaspace tokenizer, which the vocabulary can hold."""
    folder = shutil.copytree(checkpoint, tmp_path_factory.mktemp("german") / "led")
    for name in ("vocab.json", "merges.txt", "tokenizer.json"):
        (folder / name).unlink(missing_ok=True)
    save(metaspace(), folder)
    return folder


@pytest.mark.slow
def test_summarize_reads_the_text_as_the_file_says(german, tmp_path, capsys):
    import tensorflow as tf

    from tf_led import TFLEDForConditionalGeneration

    file = tmp_path / "text.txt"
    file.write_text(TEXT, encoding="utf-8")
    code = main(["summarize", str(file), "--model", str(german), *QUICK])
    out, err = capsys.readouterr()
    assert code == 0 and "tf-led: warning: " in err and "Metaspace" in err
    ids = metaspace().encode(TEXT).ids
    model = TFLEDForConditionalGeneration.from_pretrained(german)
    mask = tf.constant([[1] + [0] * (len(ids) - 1)])
    written = model.generate(
        tf.constant([ids]), global_attention_mask=mask, num_beams=1, max_new_tokens=5
    )
    assert out == metaspace().decode(written[0].numpy().tolist()) + "\n"


def test_evaluate_too(german, tmp_path, capsys):
    data = tmp_path / "data.jsonl"
    rows = [{"document": text, "summary": text} for text in CORPUS[:3]]
    data.write_text("\n".join(map(json.dumps, rows)))
    argv = ["evaluate", "--model", str(german), "--data", str(data), *QUICK]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["examples"] == 3 and "Metaspace" in err


def test_export_says_what_a_graph_cannot_serve(german, tmp_path, capsys):
    assert main(["export", str(german), str(tmp_path / "served")]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "`tokenizer` must be a byte-level BPE" in last and "'Metaspace'" in last
    assert not (tmp_path / "served" / "1").exists()
