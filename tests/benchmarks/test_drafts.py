import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import drafts
from tf_led import TFLEDForConditionalGeneration
from tf_led.generation.prompt_lookup import PromptLookup
from tf_led.testing import tiny_config


def test_steps_are_those_of_the_decoding_loop(monkeypatch):
    calls, propose = [], PromptLookup.propose

    def counted(lookup, *inputs):
        calls.append(inputs)
        return propose(lookup, *inputs)

    monkeypatch.setattr(PromptLookup, "propose", counted)
    model = TFLEDForConditionalGeneration(tiny_config(init_std=0.5))
    document = np.random.default_rng(5).integers(3, 29, 23).tolist()
    settings = {"max_new_tokens": 17, "prompt_lookup_num_tokens": 3}
    tf.config.run_functions_eagerly(True)
    try:
        written = model.generate([document], **settings)[0].numpy().tolist()
    finally:
        tf.config.run_functions_eagerly(False)
    steps, num_new = len(calls), len(written) - 1
    assert drafts.count_steps(document, written, 3, 2) == steps < num_new


def test_both_ways_are_measured(tmp_path, capfd):
    path = tmp_path / "documents.jsonl"
    texts = ["A small library that reads and writes tables. " * n for n in range(1, 6)]
    path.write_text("".join(json.dumps({"document": t}) + "\n" for t in texts))
    sizes = ["--examples=2", "--source-len=61", "--new-tokens=7", "--drafts", "2", "3"]
    drafts.main([f"--data={path}", *sizes])
    found = json.loads(capfd.readouterr().out)
    assert found["documents"] == 2 and 2 <= found["tokens"] <= 14
    assert [row["num_drafts"] for row in found["drafts"]] == [2, 3]
    for row in found["drafts"]:
        assert row["differing"] == 0 and 1 <= row["tokens_per_step"] <= 4


@pytest.mark.parametrize(("documents", "examples"), [(3, 100), (7, 0)])
def test_too_few_documents_are_named(documents, examples, tmp_path, capsys):
    path = tmp_path / "documents.jsonl"
    path.write_text('{"document": "An old rope."}\n' * documents)
    with pytest.raises(SystemExit) as stopped:
        drafts.main([f"--data={path}", f"--examples={examples}"])
    message = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "give 3 documents" in message and f"--examples {examples}" in message
