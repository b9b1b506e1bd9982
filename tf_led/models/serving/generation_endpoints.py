"""Generation as an endpoint: options fixed at export, some of them inputs."""

from typing import Unpack

import tensorflow as tf
from transformers import GenerationConfig

from tf_led.generation.options.option_table import GenerationOptionTypes
from tf_led.generation.options.resolve import resolve_options
from tf_led.generation.prompt import prepare_prompt
from tf_led.generation.python_hooks import PythonHooks
from tf_led.generation.search.greedy_and_sampling import make_seed
from tf_led.models.generation.generation_inputs import (
    GenerationInputs,
    convert_inputs,
    default_mask,
)
from tf_led.models.serving.endpoints import IDS, MASKS, with_masks
from tf_led.models.serving.endpoints import endpoints as forward_endpoints
from tf_led.serving.endpoint import Endpoint, Input, make_endpoint

DRAWN_SEED = -1


def endpoints(
    model,
    generation_config: GenerationConfig | None = None,
    *,
    xla: bool = False,
    seed: int | None = None,
    **options: Unpack[GenerationOptionTypes],
) -> dict[str, Endpoint]:
    """Lists what can be served.

    Args:
        generation_config: GenerationConfig, or None for the model's.
        xla: bool, whether to add "generate_xla".
        seed: int from 0 on, where requests that give none start to sample; None
            draws a seed for each.
        **options: of `generate`, which win over the config's.

    Returns:
        Dict from name to Endpoint: "encode", "forward", and "generate", whose
        options that may be tensors are inputs.

    Raises:
        ValueError: on options that `generate` does not take, or that need Python.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> sorted(model.endpoints(num_beams=2, max_new_tokens=3))
        ['encode', 'forward', 'generate']
    """
    options = resolve_options(
        generation_config,
        defaults=model.generation_config,
        overrides=options,
        prompt_len=1,
        position_limit=model.config.max_decoder_position_embeddings,
        vocab_size=model.config.vocab_size,
    )
    start_token_id = options.decoder_start_token_id
    _check(options, seed)
    inputs = (IDS, *MASKS, *_option_inputs(options, seed))
    found = forward_endpoints(model)
    for name, jit in [("generate", False)] + [("generate_xla", True)] * bool(xla):
        generate = _make_generate(model, options, start_token_id, jit)
        found[name] = make_endpoint(generate, inputs)
    return found


def _make_generate(model, options, start_token_id, jit):
    """The function of an endpoint: documents and live options to sequences."""

    # What is checked outside is checked under XLA too, which drops assertions.
    def generate(input_ids, attention_mask, global_attention_mask, **live):
        inputs = GenerationInputs(input_ids)
        tensors = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "global_attention_mask": global_attention_mask,
        }
        mask = tf.cast(default_mask(inputs, model.config), tf.int64)
        tensors = with_masks(tensors, attention_mask=mask)
        inputs = GenerationInputs(**tensors)
        inputs = convert_inputs(inputs, model.config, model.compute_dtype)
        sequences, length = run(inputs, _checked(live, options))
        return {"sequences": sequences[:, :length]}

    def run(inputs, live):
        batch_size = tf.shape(inputs.input_ids)[0]
        prompt = prepare_prompt(batch_size=batch_size, start_token_id=start_token_id)
        live = dict(live)
        seed = live.pop("seed", None)
        decoded, _ = model._run(
            options.with_tensors(**live), inputs, prompt, seed, keywords={}
        )
        return decoded.sequences, decoded.length

    if jit:
        run = tf.function(run, autograph=False, jit_compile=True)
    return generate


def _check(options, seed):
    PythonHooks().check_graph(options)
    if options.return_dict_in_generate:
        raise ValueError(
            "`return_dict_in_generate` is True, but a signature serves the sequences "
            "alone. Leave it out."
        )
    is_seed = isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0
    if seed is not None and not is_seed:
        raise ValueError(
            f"`seed` must be an int from 0 on, or None to draw one for each request; "
            f"got {seed!r}."
        )
    if seed is not None and not options.do_sample:
        raise ValueError(
            f"`seed` is {seed}, but nothing is sampled. Set `do_sample=True`, or leave "
            "it out."
        )


def _option_inputs(options, seed):
    """The options that a request may set, with what they are where it does not."""
    yield Input("max_new_tokens", tf.int32, [], options.max_length - 1)
    if options.num_beams > 1:
        yield Input("length_penalty", tf.float32, [], options.length_penalty)
    if options.do_sample:
        temperature = 1.0 if options.temperature is None else options.temperature
        yield Input("temperature", tf.float32, [], temperature)
        yield Input("seed", tf.int32, [], DRAWN_SEED if seed is None else seed)


def _checked(live, options):
    """Stops a request with a number out of its range, such as too many new tokens."""
    checked, most = dict(live), options.max_length - 1
    count = live["max_new_tokens"]
    hint = f"; allowed are 1 to {most}, the number fixed at export."
    checks = [
        tf.debugging.Assert(
            (count >= 1) & (count <= most), ["`max_new_tokens` is", count, hint]
        )
    ]
    if "length_penalty" in live:
        value = live["length_penalty"]
        message = ["`length_penalty` must be a finite number, got", value]
        checks.append(tf.debugging.Assert(tf.math.is_finite(value), message))
    if "temperature" in live:
        value = live["temperature"]
        message = ["`temperature` must be above 0, got", value]
        checks.append(tf.debugging.Assert(value > 0, message))
    if "seed" in live:
        drawn = tf.random.uniform([2], tf.int32.min, tf.int32.max, tf.int32)
        checked["seed"] = tf.where(live["seed"] < 0, drawn, make_seed(live["seed"]))
    with tf.control_dependencies(checks):
        return {name: tf.identity(tensor) for name, tensor in checked.items()}
