"""Ways to tokenize targets that transformers 5 dropped; `text_target` is the better."""

from contextlib import contextmanager


class Seq2SeqMixin:
    """`as_target_tokenizer` and `prepare_seq2seq_batch`."""

    @contextmanager
    def as_target_tokenizer(self):
        """Encodes targets within a `with` block: for LED, just as it encodes inputs.

        Yields:
            None.
        """
        yield

    def prepare_seq2seq_batch(
        self,
        src_texts,
        tgt_texts=None,
        max_length=None,
        max_target_length=None,
        padding="longest",
        return_tensors=None,
        truncation=True,
        **kwargs,
    ):
        """Encodes documents and, as `labels`, their summaries.

        Args:
            src_texts: list of str. The documents.
            tgt_texts: list of str. The summaries, if there are any.
            max_length: int. The length to cut documents to; the model's if None.
            max_target_length: int. The same for the summaries; `max_length` if None.
            padding: as in a call of the tokenizer.
            return_tensors: "tf" (int32), "np", "pt" or None for lists.
            truncation: as in a call of the tokenizer.
            **kwargs: other options of a call.

        Returns:
            BatchEncoding: `input_ids`, `attention_mask` and, with summaries, `labels`.
        """
        options = {"padding": padding, "truncation": truncation, **kwargs}
        options["return_tensors"] = return_tensors
        inputs = self(src_texts, max_length=max_length, **options)
        if tgt_texts is not None:
            length = max_target_length or max_length
            targets = self(text_target=tgt_texts, max_length=length, **options)
            inputs["labels"] = targets["input_ids"]
        return inputs
