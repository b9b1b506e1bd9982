"""Readies a loaded model for training as the arguments say."""

from tf_led.cli.checkpoint import tell
from tf_led.cli.parser import UsageError, blamed_on
from tf_led.training.accumulation import build_optimizer
from tf_led.training.distribution import check_accumulation, check_jit
from tf_led.training.metrics import TokenAccuracy
from tf_led.training.schedules import AdamW, WarmUp


def make_model(model, args, total_steps):
    """Freezes, adds adapters, turns on checkpointing, compiles.

    Args:
        model: TFLEDForConditionalGeneration, changed in place.
        args: the parsed arguments.
        total_steps: int, batches of the whole run.

    Returns:
        List of the keras metrics that it was compiled with.

    Raises:
        UsageError: for a name that no weight has, for a run of too few batches, and for
            what several replicas cannot do.
    """
    for name in args.freeze:
        with blamed_on(f"--freeze {name}"):
            model.freeze(name)
    if args.lora_rank:
        with blamed_on(f"--lora-rank {args.lora_rank}"):
            model.enable_lora(args.lora_rank)
    if not model.trainable_variables:
        raise UsageError(
            f"--freeze {' '.join(args.freeze)}: no weight is left that would train"
        )
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    optimizer = make_optimizer(args, total_steps)
    check_replicas(args, optimizer, model.distribute_strategy.num_replicas_in_sync)
    metrics = [TokenAccuracy(model.config.pad_token_id)]
    model.compile(
        optimizer,
        metrics=metrics,
        jit_compile=args.jit_compile,
        label_smoothing=args.label_smoothing,
    )
    build_optimizer(model.optimizer, model.trainable_variables)  # in this scope
    return metrics


def check_replicas(args, optimizer, num_replicas):
    """Raises an error for what cannot be done over several GPUs or workers.

    Args:
        args: the parsed arguments.
        optimizer: Keras optimizer.
        num_replicas: int.

    Raises:
        UsageError: naming the option.
    """
    with blamed_on(f"--accumulation-steps {args.accumulation_steps}"):
        check_accumulation(optimizer, num_replicas)
    with blamed_on("--jit-compile"):
        check_jit(args.jit_compile, num_replicas)


def make_optimizer(args, total_steps):
    """Makes AdamW with the requested schedule.

    Args:
        args: the parsed arguments.
        total_steps: int, batches of the whole run.

    Returns:
        Keras optimizer.

    Raises:
        UsageError: for a run without an update, or shorter than its warm-up.
    """
    steps = args.accumulation_steps
    updates, rest = divmod(total_steps, steps)
    if not updates:
        raise UsageError(
            f"--accumulation-steps {steps}: the whole run has {total_steps:,} batches, "
            "too few for an update"
        )
    if rest:
        tell(f"the last {rest:,} of {total_steps:,} batches make no whole update")
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
