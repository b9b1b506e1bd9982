"""The pipeline that finds answers in documents."""

import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
import tensorflow as tf

from tf_led.data.global_attention_rules import choose_rule
from tf_led.pipelines.base import (
    AnswerOptions,
    Pipeline,
    check_text,
    dataset_items,
    limit_of,
    make_inputs,
    shows_bar,
    track,
)
from tf_led.utils.annotations import Tokenizer
from tf_led.utils.validation import check_int

if TYPE_CHECKING:
    from tf_led.models.tasks.question_answering import TFLEDForQuestionAnswering

MASKED = -10000.0  # the score of a token that cannot be in an answer
STRIDE = 128


class Example(NamedTuple):
    """A question and the document to look in; both str."""

    question: str
    context: str


class Part(NamedTuple):
    """A part of a document behind its question.

    Args:
        example: int, the index of the Example in its batch.
        ids: int32[S].
        allowed: bool[S], True for tokens of the document, and for the first `<s>`.
        encoding: `tokenizers.Encoding`, which knows the characters of each token.
    """

    example: int
    ids: np.ndarray
    allowed: np.ndarray
    encoding: object


class QuestionAnsweringPipeline(Pipeline):
    """Answers with their places, as transformers 4.57's pipeline of this name.

    A document beyond the model's limit is read in overlapping parts; the best answer of
    all parts wins, and its place is that in the whole document.

    Args:
        model: TFLEDForQuestionAnswering.
        tokenizer: LEDTokenizerFast, or another fast tokenizer.
        **options: see `tf_led.pipelines.pipeline`.

    Example:
        >>> from tf_led import LEDTokenizerFast, TFLEDForQuestionAnswering
        >>> from tf_led.pipelines import QuestionAnsweringPipeline
        >>> from tf_led.testing import tiny_config
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> model = TFLEDForQuestionAnswering(tiny_config(), pooling="encoder")
        >>> answer = QuestionAnsweringPipeline(model, LEDTokenizerFast(vocab, []))
        >>> list(answer(question="b", context="abba"))
        ['score', 'start', 'end', 'answer']
    """

    option_names = (
        "top_k",
        "doc_stride",
        "max_answer_len",
        "max_seq_len",
        "handle_impossible_answer",
        "align_to_words",
        "global_tokens",
    )

    def __init__(
        self,
        model: "TFLEDForQuestionAnswering",
        tokenizer: Tokenizer,
        *,
        task: str = "question-answering",
        **options: Unpack[AnswerOptions],
    ) -> None:
        super().__init__(model, tokenizer, task=task, **options)

    def check_options(self, options):
        """Raises ValueError for what is unknown or out of range; else gives them."""
        super().check_options(options)
        for name in ("top_k", "max_answer_len", "max_seq_len"):
            if options.get(name) is not None:
                check_int(name, options[name], at_least=1)
        if options.get("doc_stride") is not None:
            check_int("doc_stride", options["doc_stride"], at_least=0)
        return options

    def __call__(
        self,
        inputs: Any = None,
        context: str | list[str] | None = None,
        *,
        question: str | list[str] | None = None,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Unpack[AnswerOptions],
    ) -> Any:
        """Looks for an answer to each question.

        Args:
            inputs: a question (str, with `context`); a dict of `question` and
                `context`; a list, generator or `tf.data.Dataset` of such dicts.
            context: str, or list of str, the documents; with one question it is asked
                of all.
            question: str, or list of str, the questions; with one context all are
                asked of it.
            batch_size: int, parts of documents at a time, for this call.
            progress_bar: bool, for this call.
            **options: see `tf_led.pipelines.pipeline`.

        Returns:
            dict of `score` (float), `start`, `end` (int, characters of the context) and
            `answer` (str); with `top_k` above 1 a list of them, the best first; for
            several questions a list of these, for a stream a generator.
        """
        inputs = gather_inputs(inputs, question, context)
        if isinstance(inputs, list) and len(inputs) == 1:
            inputs = inputs[0]
        return self.answer(inputs, batch_size, progress_bar, **options)

    def read(self, item, index):
        """Reads one input: Example."""
        if not isinstance(item, Mapping) or not {"question", "context"} <= item.keys():
            raise ValueError(
                "an input must be a dict with the keys 'question' and 'context', got "
                f"{item!r:.60}."
            )
        texts = [check_text(item[name], index, name) for name in Example._fields]
        for name, text in zip(Example._fields, texts, strict=True):
            if not text.strip():
                raise ValueError(f"`{name}` cannot be empty, got {text!r:.60}.")
        return Example(*texts)

    def length(self, item):
        """The characters of an input: int."""
        return len(item.question) + len(item.context)

    def run(self, batch, options, batch_size, progress_bar):
        """Answers a batch of Examples: a list of dicts, or of lists of dicts."""
        parts = [
            part
            for i, item in enumerate(batch)
            for part in self.parts(i, item, options)
        ]
        order = np.argsort([-len(part.ids) for part in parts], kind="stable")
        scores = [None] * len(parts)
        starts = range(0, len(parts), batch_size)
        shown = shows_bar(progress_bar, len(starts), 1)
        for start in track(starts, len(starts), "batch of parts", shown):
            chosen = order[start : start + batch_size]
            found = self.scores([parts[i] for i in chosen], options)
            for i, row in zip(chosen, found, strict=True):
                scores[i] = row
        results = []
        for i, example in enumerate(batch):
            own = [
                (part, row)
                for part, row in zip(parts, scores, strict=True)
                if part.example == i
            ]
            results.append(best_answers(own, example, options))
        return results

    def parts(self, index, example, options):
        """Encodes question and document, in overlapping parts if need be."""
        limit = limit_of(self.model)
        length = options.get("max_seq_len") or limit
        if length > limit:
            raise ValueError(
                f"`max_seq_len` is {length}, the model takes {limit} tokens."
            )
        remaining = self._remaining_length(example, length, limit)
        encoding = self.tokenizer(
            example.question,
            example.context,
            truncation="only_second",
            max_length=length,
            stride=stride_of(options.get("doc_stride"), length, remaining),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            verbose=False,
        )
        for number, ids in enumerate(encoding["input_ids"]):
            ids = np.array(ids, np.int32)
            allowed = np.array([s == 1 for s in encoding.sequence_ids(number)])
            allowed[0] |= ids[0] == self.tokenizer.cls_token_id
            yield Part(index, ids, allowed, encoding.encodings[number])

    def _remaining_length(self, example, length, limit):
        """How many tokens of the document fit behind the question: at least 1."""
        added = self.tokenizer.num_special_tokens_to_add(True)
        encoded = self.tokenizer(
            example.question, add_special_tokens=False, verbose=False
        )
        question = len(encoded["input_ids"])
        remaining = length - question - added
        if remaining < 1:
            raise ValueError(
                f"the question {example.question!r:.60} has {question} tokens, which "
                f"leaves none for the document within {length}. Ask a shorter one"
                + (", or give a larger `max_seq_len`." if length < limit else ".")
            )
        return remaining

    def scores(self, parts, options):
        """The logits of parts: list of (start, end), float32[S] each."""
        rule = options.get("global_tokens", "question")
        rule = choose_rule(rule, self.tokenizer)
        ids = [part.ids for part in parts]
        output = self.model(
            **make_inputs(ids, [*map(rule, ids)], self.tokenizer, self.model),
            use_cache=False,
            return_dict=True,
        )
        starts, ends = (
            tf.cast(logits, tf.float32).numpy()
            for logits in (output.start_logits, output.end_logits)
        )
        return [(starts[i, : len(r)], ends[i, : len(r)]) for i, r in enumerate(ids)]


def stride_of(stride, length, remaining):
    """The tokens that a part shares with the one before it.

    Args:
        stride: int; None for STRIDE or half of `length`, as in transformers 4.57, but
            at most three quarters of what a part holds.
        length: int, tokens of a part with its question.
        remaining: int, those of the document among them.

    Returns:
        int, less than `remaining`.

    Raises:
        ValueError: if parts would go no further than the ones before them.
    """
    if stride is None:
        return min(STRIDE, length // 2, remaining * 3 // 4)
    if stride >= remaining:
        raise ValueError(
            f"`doc_stride` is {stride}, but a part holds {remaining} tokens of the "
            f"document behind the question. Give at most {remaining - 1}; parts that "
            "share most of their tokens are many."
        )
    return stride


def gather_inputs(inputs, question, context):
    """Brings the ways to give questions and documents to one: dict, list or stream."""
    if isinstance(inputs, tf.data.Dataset):
        inputs = dataset_items(inputs)
    if isinstance(inputs, str):
        inputs, question = None, inputs
    if inputs is not None:
        if question is not None or context is not None:
            raise ValueError("Give `question` and `context`, or dicts of both.")
        if isinstance(inputs, (Mapping, types.GeneratorType)):
            return inputs
        return list(inputs) if isinstance(inputs, (list, tuple)) else inputs
    if question is None or context is None:
        missing = "question" if question is None else "context"
        raise ValueError(f"`{missing}` is missing: an answer needs both.")
    questions, contexts = listed(question), listed(context)
    if len(contexts) == 1:
        contexts *= len(questions)
    if len(questions) == 1:
        questions *= len(contexts)
    if len(questions) != len(contexts):
        raise ValueError(
            f"There are {len(questions)} questions and {len(contexts)} contexts: give "
            "one context, or one for each question."
        )
    return [
        {"question": q, "context": c} for q, c in zip(questions, contexts, strict=True)
    ]


def listed(texts):
    """One text, or several, as a list; what each is `read` checks."""
    several = isinstance(texts, Iterable) and not isinstance(texts, (str, bytes))
    return [*texts] if several else [texts]


def best_answers(parts, example, options):
    """Chooses the best answers of all parts of a document.

    Within a part equal texts are one answer, and their scores are added, as in
    transformers 4.57. Of several parts the best counts: what two of them read is no
    likelier for that.

    Args:
        parts: list of (Part, (start logits, end logits)).
        example: Example.
        options: dict.

    Returns:
        dict, or a list of dicts where there are more or fewer than one.
    """
    top_k = options.get("top_k") or 1
    answers, lowest_null = {}, np.inf
    for part, logits in parts:
        found, null = answers_of_part(part, logits, example, options, top_k)
        lowest_null = min(lowest_null, null)
        for text, answer in found.items():
            best = answers.get(text)
            if best is None or answer["score"] > best["score"]:
                answers[text] = answer
    found = [*answers.values()]
    if options.get("handle_impossible_answer"):
        found.append({"score": float(lowest_null), "start": 0, "end": 0, "answer": ""})
    found = sorted(found, key=lambda answer: -answer["score"])[:top_k]
    return found[0] if len(found) == 1 else found


def answers_of_part(part, logits, example, options, top_k):
    """The answers in one part.

    Args:
        part: Part.
        logits: (start logits, end logits), float32[S] each.
        example: Example.
        options: dict.
        top_k: int.

    Returns:
        (answers, null): dict from the text in lower case to the answer, whose place is
        that of its best span, and the score of "no answer", a float.
    """
    starts, ends = (
        probabilities(row, part.allowed).astype(np.float64) for row in logits
    )
    null = starts[0] * ends[0]
    starts[0] = ends[0] = 0.0  # `<s>` stands for "no answer"
    to_words = options.get("align_to_words", True)
    number = top_k * 2 + 10 if to_words else top_k
    answers = {}
    for first, last, score in best_spans(
        starts, ends, number, options.get("max_answer_len") or 15
    ):
        if not (part.allowed[first] and part.allowed[last]):
            continue
        begin, end = characters(part.encoding, first, last, to_words)
        answer = example.context[begin:end]
        known = answers.setdefault(
            answer.lower(),
            {"score": 0.0, "start": begin, "end": end, "answer": answer},
        )
        known["score"] += score
    return answers, null


def probabilities(logits, allowed):
    """Softmax over the allowed tokens: float32[S]."""
    scores = np.where(allowed, logits, np.float32(MASKED))
    scores = np.exp(scores - scores.max())
    return scores / scores.sum()


def best_spans(starts, ends, number, longest):
    """The spans of the highest products of probabilities.

    Args:
        starts: float[S].
        ends: float[S].
        number: int, how many.
        longest: int, the most tokens of a span.

    Returns:
        List of (first, last, score), the best first.
    """
    size = len(starts)
    longest = min(longest, size)
    padded = np.concatenate([ends, np.zeros(longest - 1)])
    following = np.lib.stride_tricks.sliding_window_view(padded, longest)  # [S, L]
    flat = (starts[:, None] * following).reshape(-1)
    number = min(number, len(flat))
    best = np.argpartition(-flat, number - 1)[:number]
    best = best[np.argsort(-flat[best], kind="stable")]
    spans = [(int(i // longest), int(i % longest), float(flat[i])) for i in best]
    return [(s, s + n, score) for s, n, score in spans if s + n < size]


def characters(encoding, first, last, to_words):
    """The characters of the document that a span of tokens covers: (start, end)."""
    if to_words:
        words = encoding.token_to_word(first), encoding.token_to_word(last)
        if None not in words:
            begin, end = (encoding.word_to_chars(word, 1) for word in words)
            if begin and end:
                return begin[0], end[1]
    return encoding.offsets[first][0], encoding.offsets[last][1]
