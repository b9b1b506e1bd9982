"""What float32 models lose when products round their factors to bfloat16.

`python -m benchmarks.product_error CHECKPOINT` runs one document twice, with and
without, and prints as JSON the error of the logits and the first generated token that
differs. On a processor whose units do not do it (no AMX) every product's factors are
rounded here instead: the arithmetic of those units but for the order of the sums.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from unittest import mock

from benchmarks import machine, plan

# TensorFlow's own kernels' wrappers: all matrix products of a model pass one of them.
PRODUCTS = {
    "gen_math_ops": ["mat_mul", "batch_mat_mul_v2", "batch_mat_mul_v3"],
    "gen_linalg_ops": ["einsum"],
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--document", help="a text; drawn at random if not given")
    parser.add_argument(
        "--source-len", type=int, default=2048, help="of a text, at most"
    )
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--one-run", choices=["float32", "units", "rounded"])
    options = parser.parse_args(argv)
    if options.one_run:
        print(json.dumps(one_run(options)))
    else:
        how = "units" if "amx_bf16" in machine.flags() else "rounded"
        exact, rounded = other_process(options, "float32"), other_process(options, how)
        print(json.dumps(compare(exact, rounded, how), indent=1))


def other_process(options, how):
    command = [sys.executable, "-m", "benchmarks.product_error", options.checkpoint]
    command += [f"--source-len={options.source_len}", f"--one-run={how}"]
    command += [f"--new-tokens={options.new_tokens}"]
    command += [f"--document={options.document}"] if options.document else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def one_run(options):
    if options.one_run == "units":
        import tf_led

        tf_led.use_bfloat16_products()
    with rounding(options.one_run == "rounded"):
        return answers(options)


def answers(options):
    """Logits of the first tokens and the greedily generated ids, as lists."""
    import tensorflow as tf

    from benchmarks.workers import inputs
    from tf_led import TFLEDForConditionalGeneration

    model = TFLEDForConditionalGeneration.from_pretrained(options.checkpoint)
    vocab_size = model.config.vocab_size
    names = "input_ids", "attention_mask", "global_attention_mask"
    source = map(tf.constant, document(options, vocab_size))
    batch = dict(zip(names, source, strict=True))
    target = inputs.target({"target_len": 16}, vocab_size)
    logits = model(**batch, decoder_input_ids=target).logits
    number = options.new_tokens
    ids = model.generate(**batch, min_new_tokens=number, max_new_tokens=number)
    return {"logits": logits[0].numpy().tolist(), "ids": ids[0].numpy().tolist()}


def document(options, vocab_size):
    """Ids, mask and global mask [1, S] of the text, or of words drawn at random."""
    import numpy as np

    from benchmarks.workers import inputs
    from tf_led import LEDTokenizerFast

    if options.document is None:
        return inputs.document({"source_len": options.source_len}, vocab_size)
    tokenizer = LEDTokenizerFast.from_pretrained(options.checkpoint)
    text = Path(options.document).read_text(encoding="utf-8")
    ids = tokenizer(text, truncation=True, max_length=options.source_len)["input_ids"]
    ids = np.array([ids], np.int32)
    return ids, *inputs.masks(ids)


def rounding(is_on):
    """A context in which the factors of every product are rounded to bfloat16."""
    from contextlib import ExitStack

    from tensorflow.python.ops import gen_linalg_ops, gen_math_ops

    homes = {"gen_math_ops": gen_math_ops, "gen_linalg_ops": gen_linalg_ops}
    stack = ExitStack()
    for home, names in PRODUCTS.items() if is_on else ():
        for name in names:
            product = getattr(homes[home], name)
            stack.enter_context(
                mock.patch.object(homes[home], name, rounded_product(product))
            )
    return stack


def rounded_product(product):
    import tensorflow as tf

    def rounded(tensor):
        if isinstance(tensor, (list, tuple)):
            return [rounded(one) for one in tensor]
        if not tf.is_tensor(tensor) or tensor.dtype != tf.float32:
            return tensor
        return tf.cast(tf.cast(tensor, tf.bfloat16), tf.float32)

    def call(*factors, **options):
        named = {name: rounded(value) for name, value in options.items()}
        return product(*map(rounded, factors), **named)

    return call


def compare(exact, rounded, how):
    import numpy as np

    logits, other = np.array(exact["logits"]), np.array(rounded["logits"])
    pairs = zip(exact["ids"], rounded["ids"], strict=True)
    differing = [place for place, (one, two) in enumerate(pairs) if one != two]
    return {
        "processor": machine.processor(),
        "how": how,
        plan.OURS: "float32 against float32 with products in bfloat16",
        "logits_std": float(logits.std()),
        "max_error": float(np.abs(other - logits).max()),
        "rms_error": float(np.sqrt(np.mean((other - logits) ** 2))),
        "same_best_token": float(np.mean(logits.argmax(-1) == other.argmax(-1))),
        "generated": len(exact["ids"]),
        "first_difference": differing[0] if differing else None,
    }


if __name__ == "__main__":
    sys.exit(main())
