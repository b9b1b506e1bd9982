"""Readies a loaded model for training as the arguments say."""

import keras

from tf_led.training.metrics import TokenAccuracy


def make_model(model, args, total_steps):
    """Adds adapters, turns on checkpointing, compiles.

    Args:
        model: TFLEDForConditionalGeneration, changed in place.
        args: the parsed arguments.
        total_steps: int, batches of the whole run.

    Returns:
        List of the keras metrics that it was compiled with.
    """
    if args.lora_rank:
        model.enable_lora(args.lora_rank)
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    metrics = [TokenAccuracy(model.config.pad_token_id)]
    optimizer = make_optimizer(args, total_steps)
    model.compile(optimizer, metrics=metrics, jit_compile=args.jit_compile)
    return metrics


def make_optimizer(args, total_steps):
    """Makes AdamW with the schedule that was asked for."""
    steps = args.accumulation_steps
    return keras.optimizers.AdamW(
        args.learning_rate,
        weight_decay=args.weight_decay,
        global_clipnorm=args.clip_norm or None,
        gradient_accumulation_steps=None if steps == 1 else steps,
    )
