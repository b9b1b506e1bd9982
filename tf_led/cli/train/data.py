"""From the files that `tf-led train` is given to the batches of any epoch."""

import contextlib
import warnings

from tf_led.cli.parser import UsageError, blamed_on
from tf_led.data.batching import BatchMaker, BatchPlan
from tf_led.data.encode import LEAST, encode_examples
from tf_led.data.global_attention_rules import choose_rule
from tf_led.data.pipeline import one_epoch
from tf_led.data.records import DataWarning, Keys
from tf_led.models.config import window_radii
from tf_led.training.workers import without_autotune


class Feed:
    """Batches of one file, epoch by epoch, each worker's part of them.

    Args:
        encoded: `tf_led.data.encode.Encoded`.
        maker: BatchMaker.
        plan: BatchPlan.
        strategy: tf.distribute.Strategy that the model lives in.
    """

    def __init__(self, encoded, maker, plan, strategy):
        self.encoded = encoded
        self.maker = maker
        self.plan = plan
        self.strategy = strategy

    def __len__(self):
        """Batches of an epoch."""
        return len(self.plan)

    def epoch(self, epoch, first=0, stop=None):
        """The batches of an epoch from one to another.

        Args:
            epoch: int from 0.
            first: int, the first batch.
            stop: int, the one to stop before; None for all that are left.

        Returns:
            What `fit` takes: dataset of dicts of int32[B, S] and int32[B, T].
        """
        where = {"epoch": epoch, "first": first, "stop": stop}
        replicas = self.strategy.num_replicas_in_sync
        if replicas == 1:
            return one_epoch(self.plan, self.maker, **where)

        def of_this_worker(context):
            local = replicas // context.num_input_pipelines
            start = context.input_pipeline_id * local
            shards = tuple(range(start, start + local))
            mine = one_epoch(
                self.plan, self.maker, **where, num_shards=replicas, shards=shards
            )
            return without_autotune(mine)

        return self.strategy.distribute_datasets_from_function(of_this_worker)


def make_feed(option, path, tokenizer, config, args, *, cache_dir, strategy, shuffle):
    """Reads a file of examples.

    Args:
        option: str, the option that names the file.
        path: str.
        tokenizer: LEDTokenizerFast.
        config: LEDConfig.
        args: the parsed arguments.
        cache_dir: folder for ids, or None.
        strategy: tf.distribute.Strategy.
        shuffle: bool.

    Returns:
        Feed.

    Raises:
        UsageError: if the file, or an argument, cannot be used.
    """
    limits = length_limits(config, args)
    keys = Keys(args.document_key, args.summary_key, args.question_key, args.separator)
    with blamed_on(f"--global-tokens {args.global_tokens}"):
        rule = choose_rule(args.global_tokens, tokenizer, args.separator)
    with report_all_bad_records(f"--{option}"):
        encoded = encode_examples(
            path,
            tokenizer,
            **limits,
            source_prefix=args.source_prefix,
            keys=keys,
            strict=args.strict,
            cache_dir=cache_dir,
            progress_bar=True,
        )
    maker = BatchMaker(
        encoded,
        tokenizer.pad_token_id,
        rule,
        pad_to_multiple_of=args.pad_to_multiple_of or 2 * max(window_radii(config)),
        # Under XLA every length is compiled for: there are to be few.
        pad_labels_to_multiple_of=32 if args.jit_compile else 1,
        **limits,
    )
    plan = BatchPlan(
        encoded.sources.lengths,
        batch_size=args.batch_size,
        shuffle=shuffle,
        seed=args.seed,
    )
    return Feed(encoded, maker, plan, strategy)


@contextlib.contextmanager
def report_all_bad_records(option):
    """Shows every warning of a bad record, and blames errors on the option.

    Args:
        option: str, the option that named the file.

    Raises:
        UsageError: if the file cannot be used.
    """
    with warnings.catch_warnings(), blamed_on(option):
        warnings.simplefilter("always", DataWarning)
        yield


def length_limits(config, args):
    """The lengths that texts are cut to.

    Args:
        config: LEDConfig.
        args: the parsed arguments.

    Returns:
        Dict of `max_source_length` and `max_target_length`, int.

    Raises:
        UsageError: for one beyond the model's, and for one that holds no token.
    """
    limits = {}
    for name, half in (("source", "encoder"), ("target", "decoder")):
        limit = getattr(config, f"max_{half}_position_embeddings")
        length = getattr(args, f"max_{name}_length") or limit
        if length > limit:
            raise UsageError(
                f"--max-{name}-length {length}: the model's {half} has {limit} "
                "positions"
            )
        if length < LEAST:
            raise UsageError(
                f"--max-{name}-length {length}: must be at least {LEAST}, "
                "a token between the special ones"
            )
        limits[f"max_{name}_length"] = length
    return limits
