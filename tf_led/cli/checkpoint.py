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
            tokenizer, and for a config that is damaged or of another architecture.

    Example:
        >>> from tf_led.cli.checkpoint import check_checkpoint
        >>> check_checkpoint("./no/such/place")
        Traceback (most recent call last):
        tf_led.cli.errors.UsageError: --model ./no/such/place: no such directory
    """
    folder = Path(model)
    if folder.is_dir():
        check_config(model, folder)
        read_json(model, folder, "generation_config.json", default={})
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


def check_config(model, folder):
    kind = read_json(model, folder, "config.json").get("model_type")
    if kind != "led":
        raise UsageError(
            f"--model {model}: config.json has model_type {kind!r}, expected 'led'"
        )


def read_json(model, folder, name, default=None):
    """Reads a JSON object; where the file is missing, gives `default` or refuses."""
    try:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if default is not None:
            return default
        raise UsageError(f"--model {model}: no {name} in it") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"--model {model}: {name}: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f"--model {model}: {name}: not a JSON object: {content!r:.40}")
    return content


def check_tokenizer(model, folder):
    if not any(
        all((folder / name).is_file() for name in names) for names in TOKENIZERS
    ):
        raise UsageError(
            f"--model {model}: no tokenizer in it: neither tokenizer.json nor "
            "vocab.json with merges.txt"
        )
