"""Readies a loaded model for training as the arguments say."""

from tf_led.cli.errors import UsageError, blamed_on
from tf_led.training.accumulation import build_optimizer
from tf_led.training.metrics import TokenAccuracy
from tf_led.training.optimizer import AdamW
from tf_led.training.schedules import WarmUp


def make_model(model, args, total_steps):
    """Freezes, adds adapters, turns on checkpointing, compiles.

    Args:
        model: TFLEDForConditionalGeneration, changed in place.
        args: the parsed arguments.
        total_steps: int, batches of the whole run.

    Returns:
        List of the keras metrics that it was compiled with.

    Raises:
        UsageError: for a name that no weight has, and a warm-up that is too long.
    """
    for name in args.freeze:
        with blamed_on(f"--freeze {name}"):
            model.freeze(name)
    if args.lora_rank:
        model.enable_lora(args.lora_rank)
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    metrics = [TokenAccuracy(model.config.pad_token_id)]
    model.compile(
        make_optimizer(args, total_steps),
        metrics=metrics,
        jit_compile=args.jit_compile,
        label_smoothing=args.label_smoothing,
    )
    build_optimizer(model.optimizer, model.trainable_variables)  # in this scope
    return metrics


def make_optimizer(args, total_steps):
    """Makes AdamW with the schedule that was asked for.

    Args:
        args: the parsed arguments.
        total_steps: int, batches of the whole run.

    Returns:
        Keras optimizer.

    Raises:
        UsageError: for a warm-up longer than the run.
    """
    steps = args.accumulation_steps
    updates = max(1, total_steps // steps)
    if args.warmup_steps > updates:
        raise UsageError(
            f"--warmup-steps {args.warmup_steps}: the whole run has {updates:,} updates"
        )
    schedule = WarmUp(args.learning_rate, updates, args.warmup_steps, args.schedule)
    return AdamW(
        schedule,
        weight_decay=args.weight_decay,
        global_clipnorm=args.clip_norm or None,
        gradient_accumulation_steps=None if steps == 1 else steps,
    )
