"""The TensorFlow LED that transformers 4 had, on tf_keras: forward only.

It cannot train with a global token, nor generate inside a graph.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import inputs  # noqa: E402
import measure  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_device  # noqa: E402, F401
from transformers import LEDConfig, TFLEDForConditionalGeneration  # noqa: E402


def make_model(job):
    """Weights drawn here: without torch it cannot read the run's checkpoint."""
    model = TFLEDForConditionalGeneration(LEDConfig(**inputs.config_values(job)))
    model.build_in_name_scope()
    return model


def document(job):
    names = "input_ids", "attention_mask", "global_attention_mask"
    arrays = [tf.constant(x) for x in inputs.document(job)]
    return dict(zip(names, arrays, strict=True))


def forward(job):
    model = make_model(job)
    run = tf.function(lambda batch: model(batch, use_cache=False).logits)
    batch = {**document(job), "decoder_input_ids": tf.constant(inputs.target(job))}
    return lambda: run(batch).numpy()


def generate(job):
    model, batch = make_model(job), document(job)
    return lambda: model.generate(
        **batch,
        num_beams=job["num_beams"],
        min_new_tokens=job["target_len"],
        max_new_tokens=job["target_len"],
    )


if __name__ == "__main__":
    measure.run({"forward": forward, "generate": generate})
