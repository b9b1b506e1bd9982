"""Pipelines that write: summaries, translations, any other text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, overload

import tensorflow as tf

from tf_led.pipelines.base import (
    Pipeline,
    WritingOptions,
    check_text,
    shows_bar,
    track,
)
from tf_led.pipelines.fusing import fuse_document
from tf_led.pipelines.long_documents import (
    METHODS,
    Joined,
    Part,
    encode_cut,
    plan_parts,
    summarize_split,
    write_parts,
)
from tf_led.pipelines.text_generator import TextGenerator, check_part_tokens
from tf_led.utils.annotations import Tokenizer
from tf_led.utils.validation import check_int

if TYPE_CHECKING:
    from tf_led.models.tasks.conditional_generation import TFLEDForConditionalGeneration

# What transformers' pipelines generate with where a checkpoint does not say.
DEFAULTS = {"num_beams": 4, "max_new_tokens": 256}
UNSET_LENGTH = 20  # transformers' default `max_length`, which says nothing


class Text2TextGenerationPipeline(Pipeline):
    """Writes a text for each text, as transformers 4.57's pipeline of this name.

    Args:
        model: TFLEDForConditionalGeneration.
        tokenizer: LEDTokenizerFast, or another fast tokenizer.
        task: str.
        **options: see `tf_led.pipelines.pipeline`.

    Example:
        >>> from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
        >>> from tf_led.pipelines import Text2TextGenerationPipeline
        >>> from tf_led.testing import tiny_config
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> write = Text2TextGenerationPipeline(model, LEDTokenizerFast(vocab, []))
        >>> [list(record) for record in write(["aa", "a"], max_new_tokens=3)]
        [['generated_text'], ['generated_text']]
    """

    return_name = "generated"
    long_documents = "cut"

    def __init__(
        self,
        model: "TFLEDForConditionalGeneration",
        tokenizer: Tokenizer,
        *,
        task: str = "text2text-generation",
        **options: Unpack[WritingOptions],
    ) -> None:
        super().__init__(model, tokenizer, task=task, **options)
        limit = model.config.max_decoder_position_embeddings
        self.defaults = missing_defaults(model.generation_config, limit)
        params = (getattr(model.config, "task_specific_params", None) or {}).get(task)
        params = dict(params or {})
        prefix = params.pop("prefix", getattr(model.config, "prefix", None))
        self.prefix = prefix or ""
        self.defaults.update(params)

    def check_options(self, options):
        """Checks the options of the call; `generate` checks its own. Gives them all."""
        call, _ = take_call_options(options, self.long_documents)
        if call.summary_tokens is not None:
            check_int("summary_tokens", call.summary_tokens, at_least=1)
        if call.part_tokens is not None:
            limit = self.model.config.max_encoder_position_embeddings
            check_part_tokens(call.part_tokens, limit)
        return options

    @overload
    def __call__(
        self,
        inputs: str,
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Unpack[WritingOptions],
    ) -> list[dict[str, Any]]: ...

    @overload
    def __call__(
        self,
        inputs: list[str] | tuple[str, ...],
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Unpack[WritingOptions],
    ) -> list[Any]: ...

    @overload
    def __call__(
        self,
        inputs: Iterator[str] | tf.data.Dataset,
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Unpack[WritingOptions],
    ) -> Iterator[list[dict[str, Any]]]: ...

    def __call__(
        self,
        inputs: Any,
        *,
        batch_size: int | None = None,
        progress_bar: bool | None = None,
        **options: Any,
    ) -> Any:
        """Writes a text for each input.

        Args:
            inputs: str, list of str, or a generator or `tf.data.Dataset` of str.
            batch_size: int, inputs and parts of documents at a time, for this call.
            progress_bar: bool, for this call: over inputs, for a single one over its
                parts.
            **options: see `tf_led.pipelines.pipeline`; all others go to `generate`.

        Returns:
            For a str a list of dicts, one for each of `num_return_sequences`; for a
            list a list of dicts, or of lists where `num_return_sequences` is above 1;
            for a stream a generator of lists.
        """
        results = self.answer(inputs, batch_size, progress_bar, **options)
        flat = isinstance(inputs, (list, tuple)) and all(len(r) == 1 for r in results)
        return [records[0] for records in results] if flat else results

    def read(self, item, index):
        """Checks one input: str."""
        return check_text(item, index)

    def run(self, batch, options, batch_size, progress_bar):
        """Writes for a batch of texts: a list of lists of dicts."""
        call, options = take_call_options(options, self.long_documents)
        generator = self.generator(call, options, batch_size)
        results, short = [None] * len(batch), {}
        for i, text in enumerate(batch):
            if call.long_documents == "cut":
                short[i] = encode_cut(generator, text, "an input", call.truncation)
            elif not call.is_about_parts and fits(generator, text):
                short[i] = generator.encode(text)
            else:
                results[i] = self.run_long(generator, text, call, progress_bar)
        if short:
            sequences = generator.generate([*short.values()])
            for i, ids in zip(short, sequences, strict=True):
                results[i] = self.records(generator, ids, call)
        return results

    def run_long(self, generator, text, call, progress_bar):
        """Writes for one text beyond the limit: a list of dicts."""
        if call.long_documents == "fuse":
            ids, _ = fuse_document(generator, text)
            return self.records(generator, ids, call)
        if call.return_tensors:
            raise ValueError(
                "`return_tensors=True` gives the ids of one call of `generate`, and a "
                "document that is split takes several. Give long_documents='cut' or "
                "'fuse', without `summary_tokens` and `return_parts`."
            )
        parts = []
        written = self.write_parts(generator, text, call, parts.append, progress_bar)
        record = {self.text_key: written}
        if call.return_parts:
            record["parts"] = [part._asdict() for part in parts]
        return [record]

    def write_parts(self, generator, text, call, on_part, progress_bar):
        """Writes about the parts of a text, and about what was written: str."""
        return summarize_split(
            generator, text, call.summary_tokens, on_part, bar=progress_bar
        ).text

    def records(self, generator, sequences, call):
        """One dict for each of int[R, T]."""
        if call.return_tensors:
            return [{f"{self.return_name}_token_ids": ids} for ids in sequences]
        return [{self.text_key: generator.decode(ids)} for ids in sequences]

    @property
    def text_key(self):
        """The key of the text in a result: str."""
        return f"{self.return_name}_text"

    def generator(self, call, options, batch_size):
        """Makes the TextGenerator of a call, with transformers' defaults."""
        defaults = {} if "generation_config" in options else dict(self.defaults)
        if options.get("max_length") is not None:
            defaults.pop("max_new_tokens", None)
        if call.stop_sequence is not None:
            ids = self.tokenizer(call.stop_sequence, add_special_tokens=False)
            defaults["eos_token_id"] = ids["input_ids"][0]
        return TextGenerator(
            self.model,
            self.tokenizer,
            global_tokens=call.global_tokens,
            prefix=self.prefix,
            batch_size=batch_size,
            clean_up=call.clean_up_tokenization_spaces,
            part_tokens=call.part_tokens,
            **{**defaults, **options},
        )


class CallOptions(NamedTuple):
    """What a call takes beside the options of `generate`."""

    long_documents: str
    global_tokens: Any = "first"
    summary_tokens: int | None = None
    part_tokens: int | None = None
    return_parts: bool = False
    return_tensors: bool = False
    return_text: bool = True
    clean_up_tokenization_spaces: bool = False
    truncation: Any = None
    stop_sequence: str | None = None

    @property
    def is_about_parts(self):
        """Whether a text that fits is treated as one with a single part."""
        return self.summary_tokens is not None or self.return_parts


def take_call_options(options, long_documents):
    """Takes what is not for `generate` out of the options: (CallOptions, dict)."""
    own = {name: options[name] for name in CallOptions._fields if name in options}
    rest = {name: options[name] for name in options if name not in own}
    if own.get("truncation"):  # asks for what is called "cut" here
        if own.get("long_documents") not in (None, "cut"):
            raise ValueError(
                f"`truncation` is {own['truncation']!r}, which cuts, and "
                f"`long_documents` is {own['long_documents']!r}. Give one of them."
            )
        own["long_documents"] = "cut"
    if own.get("long_documents") is None:
        own["long_documents"] = long_documents
    call = CallOptions(**own)
    if call.long_documents not in METHODS:
        raise ValueError(
            f"`long_documents` must be one of {', '.join(map(repr, METHODS))}, got "
            f"{call.long_documents!r}."
        )
    for name in ("summary_tokens", "part_tokens", "return_parts"):
        value = getattr(call, name)
        is_given = value is not None and value is not False
        if is_given and call.long_documents != "split":
            raise ValueError(
                f"`{name}` is {value}: only with long_documents='split', not "
                f"{call.long_documents!r}."
            )
    if not (call.return_text or call.return_tensors):
        raise ValueError("`return_text` is False: give `return_tensors=True` with it.")
    for name in ("src_lang", "tgt_lang"):
        if rest.pop(name, None) is not None:
            raise ValueError(
                f"`{name}` is {options[name]!r}, but LED has no tokens of languages: a "
                "checkpoint translates from one language into one other."
            )
    return call, rest


def fits(generator, text):
    """Whether the encoder can read a text at once: bool."""
    if len(text) > 128 * generator.limit:  # so many characters no token has
        return False
    return len(generator.encode(text).ids) <= generator.limit


def missing_defaults(generation_config, limit):
    """The options of transformers' pipelines that a checkpoint leaves open.

    Args:
        generation_config: GenerationConfig of the model.
        limit: int, the decoder's positions.

    Returns:
        dict.
    """
    found = {}
    if (generation_config.num_beams or 1) == 1:
        found["num_beams"] = DEFAULTS["num_beams"]
    has_length = (generation_config.max_length or UNSET_LENGTH) != UNSET_LENGTH
    if generation_config.max_new_tokens is None and not has_length:
        found["max_new_tokens"] = min(DEFAULTS["max_new_tokens"], limit - 1)
    return found


class SummarizationPipeline(Text2TextGenerationPipeline):
    """Summarises texts of any length, as transformers 4.57's pipeline of this name.

    Args:
        model: TFLEDForConditionalGeneration.
        tokenizer: LEDTokenizerFast, or another fast tokenizer.
        **options: see `tf_led.pipelines.pipeline`.

    Example:
        >>> from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
        >>> from tf_led.pipelines import SummarizationPipeline
        >>> from tf_led.testing import tiny_config
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> summarize = SummarizationPipeline(model, LEDTokenizerFast(vocab, []))
        >>> list(summarize("aa", max_new_tokens=3)[0])
        ['summary_text']
    """

    return_name = "summary"
    long_documents = "split"

    def __init__(
        self,
        model: "TFLEDForConditionalGeneration",
        tokenizer: Tokenizer,
        *,
        task: str = "summarization",
        **options: Unpack[WritingOptions],
    ) -> None:
        super().__init__(model, tokenizer, task=task, **options)


class TranslationPipeline(Text2TextGenerationPipeline):
    """Translates texts, as transformers 4.57's pipeline of this name.

    A text beyond the limit is translated part by part ("split").

    Args:
        model: TFLEDForConditionalGeneration.
        tokenizer: LEDTokenizerFast, or another fast tokenizer.
        **options: see `tf_led.pipelines.pipeline`.

    Example:
        >>> from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
        >>> from tf_led.pipelines import TranslationPipeline
        >>> from tf_led.testing import tiny_config
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> translate = TranslationPipeline(model, LEDTokenizerFast(vocab, []))
        >>> list(translate("aa", max_new_tokens=3)[0])
        ['translation_text']
    """

    return_name = "translation"
    long_documents = "split"

    def __init__(
        self,
        model: "TFLEDForConditionalGeneration",
        tokenizer: Tokenizer,
        *,
        task: str = "translation",
        **options: Unpack[WritingOptions],
    ) -> None:
        super().__init__(model, tokenizer, task=task, **options)

    def write_parts(self, generator, text, call, on_part, progress_bar):
        """Translates the parts of a text; the white space between them stays: str."""
        if call.summary_tokens is not None:
            raise ValueError(
                f"`summary_tokens` is {call.summary_tokens}: a translation is not "
                "summarised. Leave it out."
            )
        spans, _ = plan_parts(generator, text)
        written = write_parts(generator, Joined.whole(text), spans, {})
        many = shows_bar(progress_bar, len(spans), generator.batch_size)
        texts = []
        for start, end, translated in track(written, len(spans), "part", many):
            on_part(Part(1, len(texts) + 1, start, end, translated))
            part = text[start:end]
            texts.append(translated.strip() + (part[len(part.rstrip()) :] or " "))
        return "".join(texts).strip()
