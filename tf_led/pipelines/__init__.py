"""Texts in, results out: summaries, translations, answers and labels."""

from tf_led.pipelines.build import pipeline
from tf_led.pipelines.long_documents import LongSummary, Part, summarize_document
from tf_led.pipelines.question_answering import QuestionAnsweringPipeline
from tf_led.pipelines.text2text import (
    SummarizationPipeline,
    Text2TextGenerationPipeline,
    TranslationPipeline,
)
from tf_led.pipelines.text_classification import TextClassificationPipeline

__all__ = [
    "LongSummary",
    "Part",
    "QuestionAnsweringPipeline",
    "SummarizationPipeline",
    "Text2TextGenerationPipeline",
    "TextClassificationPipeline",
    "TranslationPipeline",
    "pipeline",
    "summarize_document",
]
