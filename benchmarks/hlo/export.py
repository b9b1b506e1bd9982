"""Writes our programs, compiled for no device yet, as modules that JAX can run.

    python -m benchmarks.hlo.export build/hlo led --source-len 16384

For each program FOLDER/NAME.PROGRAM.hlo.pb, and a .json that says what its arguments
are and how `module_numbers.py` draws them; with --reference also an .npz of what
TensorFlow computes here from the same numbers. A GPU is not needed.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.hlo import module_numbers as numbers
from benchmarks.workers.inputs import LED_BASE
from tf_led import LEDConfig, TFLEDForConditionalGeneration
from tf_led.ops.attention import get_attention

TINY = {
    **LED_BASE,
    "vocab_size": 211,
    "d_model": 48,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 96,
    "decoder_ffn_dim": 96,
    "attention_window": 16,
}
SIZES = {"base": LED_BASE, "tiny": TINY}
LEARNING_RATE = 1e-3


class Programs:
    """The functions to export, and the arguments of each.

    Args:
        options: the parsed command line.
    """

    def __init__(self, options):
        limit = max(16_384, options.source_len)
        config = SIZES[options.size] | {"max_encoder_position_embeddings": limit}
        self.config = LEDConfig(**config)
        self.options = options
        self.model = TFLEDForConditionalGeneration(
            self.config,
            dtype=options.policy,
            attention_implementation=options.attention_implementation,
        )
        self.variables = [v.value for v in self.model.trainable_variables]

    def arguments(self, program):
        """How to draw the arguments of a program: a list of specs."""
        batch, source, target = (
            self.options.batch_size,
            self.options.source_len,
            self.options.target_len,
        )
        if program.startswith("attention"):
            heads = self.config.encoder_attention_heads
            shape = [batch, source, heads, self.config.d_model // heads]
            tokens = {"kind": "normal", "shape": shape}
            tokens["dtype"] = self.model.compute_dtype
            return [tokens] * 3
        ids = {"kind": "ids", "dtype": "int32", "high": self.config.vocab_size}
        return [
            {**ids, "shape": [batch, source]},
            {"kind": "ones", "dtype": "int32", "shape": [batch, source]},
            {"kind": "first", "dtype": "int32", "shape": [batch, source]},
            {**ids, "shape": [batch, target]},
        ]

    def forward(self, ids, mask, global_mask, decoder_ids):
        """The logits."""
        return self.model(
            ids,
            attention_mask=mask,
            global_attention_mask=global_mask,
            decoder_input_ids=decoder_ids,
            use_cache=False,
        ).logits

    def train(self, ids, mask, global_mask, labels):
        """A step of gradient descent: the loss and the norm of the gradient.

        The module also returns the weights that the step changed.
        """
        with tf.GradientTape() as tape:
            loss = self.model(
                ids,
                attention_mask=mask,
                global_attention_mask=global_mask,
                labels=labels,
                use_cache=False,
            ).loss
        grads = tape.gradient(
            loss, self.variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        grads = [tf.convert_to_tensor(grad) for grad in grads]
        for variable, grad in zip(self.variables, grads, strict=True):
            variable.assign_sub(LEARNING_RATE * tf.cast(grad, variable.dtype))
        return loss, tf.linalg.global_norm(grads)

    def attention(self, query, key, value):
        """Windowed attention with one global token."""
        mask = tf.ones(tf.shape(query)[:2], tf.bool)
        attend = get_attention(self.options.attention_implementation)
        context, _ = attend(
            query,
            key,
            value,
            global_key=key[:, :1],
            global_value=value[:, :1],
            query_mask=mask,
            key_mask=mask,
            global_key_mask=mask[:, :1],
            radius=self.config.attention_window // 2,
            scale=query.shape[3] ** -0.5,
        )
        return context

    def attention_gradient(self, query, key, value):
        """Its gradient by queries, keys and values."""
        tokens = [query, key, value]
        with tf.GradientTape() as tape:
            tape.watch(tokens)
            context = self.attention(*tokens)
        return tape.gradient(context, tokens, output_gradients=query)


PROGRAMS = ("forward", "train", "attention", "attention_gradient")


def main(argv=None):
    options = parse(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    programs = Programs(options)
    for program in options.programs:
        size = export(programs, program, options.folder / f"{options.name}.{program}")
        print(f"{options.name}.{program}: {size:,} bytes", file=sys.stderr)


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hlo.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER")
    add("name", metavar="NAME")
    add("--size", choices=SIZES, default="base")
    add("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    add("--source-len", type=int, default=16_384, metavar="S")
    add("--target-len", type=int, default=256, metavar="T")
    add("--batch-size", type=int, default=1, metavar="B")
    add("--policy", default="float32", help="or mixed_bfloat16, mixed_float16")
    add("--attention-implementation", default="grouped", metavar="NAME")
    add("--reference", action="store_true", help="also compute the results here")
    return parser.parse_args(argv)


def export(programs, program, path):
    """Writes one module; returns its size in bytes."""
    specs = programs.arguments(program)
    function = tf.function(
        getattr(programs, program),
        jit_compile=True,
        autograph=False,
        input_signature=[tf.TensorSpec(s["shape"], s["dtype"]) for s in specs],
    )
    captured = function.get_concrete_function().captured_inputs
    weights = _names_of_weights(programs.model)
    captured = [_spec_of(tensor, weights) for tensor in captured]
    module = function.experimental_get_compiler_ir(
        *(tf.TensorSpec(s["shape"], s["dtype"]) for s in specs)
    )(stage="hlo_serialized")
    _suffixed(path, ".hlo.pb").write_bytes(module)
    meta = {"arguments": specs + captured, "program": program}
    _suffixed(path, ".json").write_text(json.dumps(meta))
    if programs.options.reference:
        _assign(weights, captured, len(specs))
        arrays = [numbers.draw(spec, i) for i, spec in enumerate(specs)]
        results = tf.nest.flatten(function(*map(tf.constant, arrays)))
        results = [tf.cast(result, tf.float32).numpy() for result in results]
        np.savez(_suffixed(path, ".npz"), *results)
    return len(module)


def _suffixed(path, suffix):
    return path.with_name(path.name + suffix)


def _names_of_weights(model):
    return {variable.path: variable.value for variable in model.variables}


def _spec_of(tensor, weights):
    """How to draw what a function captured: a weight, or a constant."""
    if tensor.dtype != tf.resource:
        value = tensor.numpy().tolist()
        spec = {"kind": "constant", "value": value, "shape": tensor.shape.as_list()}
        return {**spec, "dtype": tensor.dtype.name}
    name, variable = next(
        (name, variable)
        for name, variable in weights.items()
        if variable.handle is tensor
    )
    kind = "gain" if name.endswith("gamma") else "weight"
    if not variable.dtype.is_floating:
        kind = "zeros"  # the state of a seed generator
    spec = {"kind": kind, "shape": variable.shape.as_list(), "name": name}
    return {**spec, "dtype": variable.dtype.name}


def _assign(weights, captured, first):
    for number, spec in enumerate(captured, first):
        if "name" in spec:
            weights[spec["name"]].assign(numbers.draw(spec, number))


if __name__ == "__main__":
    main()
