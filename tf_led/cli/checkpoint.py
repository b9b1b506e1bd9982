"""What `--model` names: checked before TensorFlow is loaded, and loaded."""

import os
import sys
from pathlib import Path

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.json_files import read_object
from tf_led.cli.parser import UsageError, blamed_on
from tf_led.utils.bundled import FOLDER as BUNDLED
from tf_led.utils.bundled import announcement


def model_or_bundled(model):
    """Chooses the checkpoint, and announces the bundled one.

    Args:
        model: str, what `--model` says, or None if it is not given.

    Returns:
        str, a directory or a Hub id.

    Raises:
        UsageError: if there is neither.

    Example:
        >>> from tf_led.cli.checkpoint import model_or_bundled
        >>> model_or_bundled("my/checkpoint")
        'my/checkpoint'
    """
    if model is not None:
        return model
    if not (BUNDLED / "config.json").is_file():
        raise UsageError("there is no bundled model: give --model DIR_OR_ID")
    tell(announcement())
    return str(BUNDLED)


TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"))


def check_checkpoint(model):
    """Checks that a directory can be a LED checkpoint; a Hub id passes.

    Args:
        model: str, a directory or an id on the Hugging Face Hub.

    Raises:
        UsageError: for a path to a file, for a directory without a config or a
            tokenizer, and for a config that is damaged or of another architecture.

    Example:
        >>> from tf_led.cli.checkpoint import check_checkpoint
        >>> check_checkpoint("./no/such/place")
        Traceback (most recent call last):
        tf_led.cli.parser.UsageError: --model ./no/such/place: no such directory
    """
    folder = Path(model)
    if os.path.isdir(model):  # unlike pathlib's, it takes names of any length
        check_config(model, folder)
        read_json(model, folder, "generation_config.json", default={})
        check_tokenizer(model, folder)
    elif os.path.exists(model):
        raise UsageError(f"--model {model}: a file, not a checkpoint's directory")
    elif not could_be_hub_id(model):
        raise UsageError(f"--model {model}: no such directory")


MAX_ID = 96  # characters, says the Hub


def could_be_hub_id(model):
    """`name` or `owner/name`, nothing that only a path would have."""
    parts = model.split("/")
    return (
        len(model) <= MAX_ID
        and len(parts) <= 2
        and all(
            part
            and part[0] not in ".~"
            and part.replace("-", "").replace(".", "").isalnum()
            for part in (part.replace("_", "") for part in parts)
        )
    )


def check_config(model, folder):
    kind = read_json(model, folder, "config.json").get("model_type")
    if kind != "led":
        raise UsageError(
            f"--model {model}: config.json has model_type {kind!r}, expected 'led'"
        )


def read_json(model, folder, name, default=None):
    """Reads a JSON object; where the file is missing, returns `default` or raises."""
    try:
        return read_object(folder / name)
    except FileNotFoundError:
        if default is not None:
            return default
        raise UsageError(f"--model {model}: no {name} in it") from None
    except (OSError, CheckpointError) as error:
        raise UsageError(f"--model {model}: {error}") from None


def check_tokenizer(model, folder):
    if not any(
        all((folder / name).is_file() for name in names) for names in TOKENIZERS
    ):
        raise UsageError(
            f"--model {model}: no tokenizer in it: neither tokenizer.json nor "
            "vocab.json with merges.txt"
        )


def load_config_and_tokenizer(name):
    is_here = os.path.isdir(name)
    with blamed_on(
        f"--model {name}" + ("" if is_here else " (a Hub id, no directory)")
    ):
        from tf_led import LEDTokenizerFast
        from tf_led.models.pretrained.from_pretrained import load_config

        return load_config(name, {}, {}), LEDTokenizerFast.from_pretrained(name)


def load_model(name, **options):
    with blamed_on(f"--model {name}"):
        from tf_led import TFLEDForConditionalGeneration

        model, report = TFLEDForConditionalGeneration.from_pretrained(
            name, output_loading_info=True, **options
        )
    missing = report["missing_keys"]
    if missing:
        raise UsageError(
            f"--model {name}: the checkpoint lacks {len(missing)} weights, "
            f"{missing[0]} among them; the rest would be random numbers"
        )
    return model


def check_vocabulary(name, tokenizer, size):
    if len(tokenizer) > size:
        raise UsageError(
            f"--model {name}: its tokenizer has {len(tokenizer):,} tokens, the model's "
            f"vocabulary {size:,}: they do not belong together"
        )


def check_new_tokens(number, limit):
    if number is not None and number > limit:
        raise UsageError(
            f"--max-new-tokens {number}: the model's decoder has {limit} positions"
        )


def tell(message):
    print(f"tf-led: {message}", file=sys.stderr, flush=True)
