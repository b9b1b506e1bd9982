"""Finds the weights in a folder, or says what is there instead."""

from dataclasses import dataclass
from pathlib import Path

from tf_led.checkpoints.formats.registry import CANDIDATES, UNREAD

_SHOWN = 8


@dataclass(frozen=True)
class LocalCheckpoint:
    """Weights that lie on this machine.

    Args:
        name: what was asked for, a folder or a Hub id.
        weights: Path of the weight file or of the index.
        shards: tuple of Paths, those that the index names; empty for a single file.
        commit_hash: str, the Hub's commit; None for a folder.
    """

    name: str
    weights: Path
    shards: tuple[Path, ...] = ()
    commit_hash: str | None = None


def wanted(use_safetensors=None):
    """Lists the file names to try, in order.

    Args:
        use_safetensors: True for safetensors only, False for the other formats only,
            None for all.

    Returns:
        list of str.

    Raises:
        ValueError: if `use_safetensors` is none of the three.
    """
    if use_safetensors not in (None, True, False):
        raise ValueError(
            f"`use_safetensors` must be True, False or None, got {use_safetensors!r}."
        )
    return [
        name
        for name, kind in CANDIDATES.items()
        if use_safetensors in (None, kind == "safetensors")
    ]


def find_weights(folder, *, use_safetensors=None):
    """Finds the weight file of a folder.

    Args:
        folder: str or Path of a folder.
        use_safetensors: as for `wanted`.

    Returns:
        Path of the first of model.safetensors, its index, pytorch_model.bin, its index,
        tf_model.h5, its index that is there.

    Raises:
        FileNotFoundError: if there is none; the message lists what is there.
    """
    folder = Path(folder)
    for name in wanted(use_safetensors):
        if (folder / name).is_file():
            return folder / name
    present = sorted(entry.name for entry in folder.iterdir())
    raise FileNotFoundError(no_weights(folder, present, use_safetensors))


def no_weights(place, present, use_safetensors=None):
    """Writes the message for a place without weights.

    Args:
        place: str or Path, the folder or the Hub id.
        present: list of str, the names of the files there.
        use_safetensors: as for `wanted`.

    Returns:
        str, one line.
    """
    looked_for = ", ".join(wanted(use_safetensors))
    unread = sorted({UNREAD[name] for name in present if name in UNREAD})
    shown = ", ".join(f"`{name}`" for name in present[:_SHOWN]) or "nothing"
    if len(present) > _SHOWN:
        shown += f" and {len(present) - _SHOWN} more"
    why = f" ({'; '.join(unread)})" if unread else ""
    return f"`{place}` has no weights: looked for {looked_for}; there is {shown}{why}."
