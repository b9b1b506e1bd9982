"""SRC and DEST of `tf-led convert`: checked at once, and named when something fails."""

import os
from pathlib import Path

from tf_led.cli.checkpoint import could_be_hub_id
from tf_led.cli.errors import UsageError

KERAS_HINT = (
    "; open a .keras file with keras.models.load_model after `import tf_led`, and call"
    " save_pretrained"
)


def blamed(args, error):
    """Tells which of SRC and DEST an error is about."""
    source, folder = Path(args.source).absolute(), Path(args.destination).absolute()
    place = Path(getattr(error, "filename", None) or source).absolute()
    if place.is_relative_to(source):
        return args.source
    # Of a DEST that cannot be made, the directory above may be the one that is named.
    is_there = folder.is_relative_to(place) or place.is_relative_to(folder)
    return args.destination if is_there else args.source


def check_destination(args):
    """Refuses a DEST that cannot be written to, or that holds something already."""
    folder = Path(args.destination)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file, not a directory")
    if folder.is_dir() and Path(args.source).is_dir() and folder.samefile(args.source):
        raise UsageError(f"{folder}: is SRC; convert to another directory")
    check_writable(folder)
    if folder.is_dir() and any(folder.iterdir()) and not args.force:
        raise UsageError(f"{folder}: not empty; --force writes to it all the same")


def check_writable(folder):
    """Refuses a directory that cannot be made, or that nothing can be put into."""
    here = folder.absolute()
    while not here.exists():
        here = here.parent
    if not here.is_dir():
        raise UsageError(f"{folder}: {here} is a file, not a directory")
    if not os.access(here, os.W_OK | os.X_OK):
        raise UsageError(f"{folder}: no permission to write to {here}")


def check_source(source):
    """Refuses a SRC that is neither a directory with a config nor a Hub id."""
    folder = Path(source)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            hint = KERAS_HINT if any(folder.glob("*.keras")) else ""
            raise UsageError(f"{source}: no config.json in it{hint}")
    elif folder.exists():
        hint = KERAS_HINT if folder.suffix == ".keras" else ""
        raise UsageError(f"{source}: a file, not a checkpoint's directory{hint}")
    elif not could_be_hub_id(source):
        raise UsageError(f"{source}: no such directory")
