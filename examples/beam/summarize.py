"""Summarises JSONL with Apache Beam: the SavedModel runs where the data is.

    python summarize.py --model served/led/1 --input in.jsonl --output out.jsonl

Each line of the input is an object with a text under "text"; it comes out with what the
model says of it under "summary". A line that cannot be read, or has no text, goes to
OUTPUT.errors.jsonl with the reason. Needs the packages apache-beam and tensorflow;
options that it does not know go to Beam, for instance `--runner` and its own.
"""

import argparse
import json

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

ERRORS = "errors"


class SavedModelHandler(ModelHandler):
    """Runs a SavedModel's `serving_default`, which takes and gives texts.

    Args:
        path: str, the numbered folder of an export.
        batch_size: int, the most documents at once.
    """

    def __init__(self, path, batch_size):
        self._path = path
        self._batch_size = batch_size

    def load_model(self):
        import tensorflow as tf

        return tf.saved_model.load(self._path)

    def run_inference(self, batch, model, inference_args=None):
        import tensorflow as tf

        answer = model.signatures["serving_default"](text=tf.constant(list(batch)))
        texts = np.asarray(answer["generated_text"])
        return [text.decode() for text in texts]

    def batch_elements_kwargs(self):
        return {"min_batch_size": 1, "max_batch_size": self._batch_size}


class Read(beam.DoFn):
    """From a line to (its object as JSON, its text); what is none goes to `ERRORS`."""

    def process(self, line):
        try:
            row = json.loads(line.decode())
            text = row["text"]
            if not isinstance(text, str):
                raise TypeError(f"`text` is {text!r:.40}, expected a string")
            # JSON can hold half a character ("\ud800"), which UTF-8 cannot.
            json.dumps(row, ensure_ascii=False).encode()
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            shown = line.decode(errors="replace")
            failed = json.dumps({"line": shown, "error": reason}, ensure_ascii=False)
            yield beam.pvalue.TaggedOutput(ERRORS, failed)
        else:
            yield json.dumps(row), text


def write(keyed):
    """From (object as JSON, summary) to a line."""
    row, summary = keyed
    return json.dumps({**json.loads(row), "summary": summary}, ensure_ascii=False)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a numbered folder of an export")
    parser.add_argument("--input", required=True, help="JSONL; a pattern is fine")
    parser.add_argument("--output", required=True, help="JSONL to write")
    parser.add_argument("--batch-size", type=int, default=8)
    args, rest = parser.parse_known_args(argv)
    handler = KeyedModelHandler(SavedModelHandler(args.model, args.batch_size))
    with beam.Pipeline(options=PipelineOptions(rest)) as pipeline:
        # As bytes: one that is no UTF-8 spoils its own line alone.
        coder = beam.coders.BytesCoder()
        lines = pipeline | beam.io.ReadFromText(args.input, coder=coder)
        rows = lines | beam.ParDo(Read()).with_outputs(ERRORS, main="rows")
        summaries = rows.rows | RunInference(handler)
        # One file each: `shard_name_template` would number them otherwise.
        single = {"num_shards": 1, "shard_name_template": ""}
        (
            summaries
            | beam.Map(write)
            | "Write" >> beam.io.WriteToText(args.output, **single)
        )
        rows[ERRORS] | "Write errors" >> beam.io.WriteToText(
            f"{args.output}.errors.jsonl", **single
        )


if __name__ == "__main__":
    main()
