"""Ways to tokenize targets that transformers 5 dropped; `text_target` is the better."""

from contextlib import contextmanager


class Seq2SeqMixin:
    """`as_target_tokenizer` and `prepare_seq2seq_batch`."""

    @contextmanager
    def as_target_tokenizer(self):
        """Encodes targets within a `with` block: for LED, just as it encodes inputs.

        Yields:
            None.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> with tokenizer.as_target_tokenizer():
            ...     tokenizer("a")["input_ids"]
            [0, 4, 2]
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

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> batch = tokenizer.prepare_seq2seq_batch(["aaa"], ["a"])
            >>> batch["labels"]
            [[0, 4, 2]]
        """
        options = {"padding": padding, "truncation": truncation, **kwargs}
        options["return_tensors"] = return_tensors
        inputs = self(src_texts, max_length=max_length, **options)
        if tgt_texts is not None:
            length = max_target_length or max_length
            targets = self(text_target=tgt_texts, max_length=length, **options)
            inputs["labels"] = targets["input_ids"]
        return inputs
