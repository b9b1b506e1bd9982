from tests.tokenization.make_golden import LONG, SHORT


def test_a_block_for_targets_changes_nothing(tokenizer):
    with tokenizer.as_target_tokenizer():
        assert tokenizer(SHORT) == tokenizer(text_target=SHORT)


def test_documents_and_summaries_make_a_batch(tokenizer):
    batch = tokenizer.prepare_seq2seq_batch(
        [LONG, SHORT], [SHORT, SHORT], max_target_length=4, return_tensors="tf"
    )
    assert batch["input_ids"].shape == (2, 9)
    assert batch["labels"].shape == (2, 4)
    assert "labels" not in tokenizer.prepare_seq2seq_batch([LONG])
