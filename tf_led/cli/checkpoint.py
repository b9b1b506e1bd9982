"""What can be said about `--model` before TensorFlow is loaded."""

import json
from pathlib import Path

from tf_led.cli.errors import UsageError

TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"))


def check_checkpoint(model):
    """Refuses a directory that cannot be a LED checkpoint; lets a Hub id pass.

    Args:
        model: str, a directory or an id on the Hugging Face Hub.

    Raises:
        UsageError: for a path that is no directory, for one without a config or a
            tokenizer, and for a config of another architecture.

    Example:
        >>> from tf_led.cli.checkpoint import check_checkpoint
        >>> check_checkpoint("./no/such/place")
        Traceback (most recent call last):
        tf_led.cli.errors.UsageError: --model ./no/such/place: no such directory
    """
    folder = Path(model)
    if folder.is_dir():
        check_config(model, folder / "config.json")
        check_tokenizer(model, folder)
    elif folder.exists():
        raise UsageError(f"--model {model}: a file, not a checkpoint's directory")
    elif not could_be_hub_id(model):
        raise UsageError(f"--model {model}: no such directory")


def could_be_hub_id(model):
    """`name` or `owner/name`, nothing that only a path would have."""
    parts = model.split("/")
    return len(parts) <= 2 and all(
        part
        and part[0] not in ".~"
        and part.replace("-", "").replace(".", "").isalnum()
        for part in (part.replace("_", "") for part in parts)
    )


def check_config(model, path):
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"--model {model}: no config.json in it") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"--model {model}: config.json: {error}") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "led":
        raise UsageError(
            f"--model {model}: config.json has model_type {kind!r}, expected 'led'"
        )


def check_tokenizer(model, folder):
    if not any(
        all((folder / name).is_file() for name in names) for names in TOKENIZERS
    ):
        raise UsageError(
            f"--model {model}: no tokenizer in it: neither tokenizer.json nor "
            "vocab.json with merges.txt"
        )
