"""Unpickles PyTorch's tables of tensors and nothing else.

A pickle is a program. Before it runs, each of its instructions is compared with the
short list that PyTorch's writer uses, and each name that it asks for with the names of
`torch_vocabulary`; while it runs, it can call only the stand-ins there.
"""

import io
import pickle
import pickletools

from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.torch_vocabulary import (
    ALLOWED_GLOBALS,
    ALLOWED_OPCODES,
    Storage,
    StorageType,
)

# A tensor takes five at most, LED-large has 600 tensors. As the key of a dict, a tuple
# of tuples of tuples, some 100,000 deep, makes Python itself crash.
_MAX_TUPLES = 20_000


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        return ALLOWED_GLOBALS[f"{module}.{name}"]  # `take_pickle` has looked already

    def persistent_load(self, pid):
        # Old files add a sixth field, a window on the storage; None unless used.
        kind, storage_type, key, _, numel, *window = pid
        is_plain = kind == "storage" and window in ([], [None])
        if not is_plain or not isinstance(storage_type, StorageType):
            raise pickle.UnpicklingError("it names a storage in an unknown way")
        return Storage(str(key), storage_type.dtype, numel)


def take_pickle(file, source):
    """Cuts the next pickle out of a file, refusing it if it does more than it may.

    Args:
        file: a seekable binary file, placed where a pickle begins. It is left at the
            byte behind that pickle's end.
        source: str, the file's name for messages.

    Returns:
        bytes of the pickle; nothing of it has run.

    Raises:
        CheckpointError: naming the first global or instruction that is not allowed.
    """
    start, tuples = file.tell(), 0
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            _check_instruction(opcode.name, argument, count, source)
            tuples += "TUPLE" in opcode.name
    except CheckpointError:
        raise
    except Exception as error:  # pickletools raises whatever a wrong byte leads to
        raise _broken(source, error) from error
    if tuples > _MAX_TUPLES:
        raise CheckpointError(
            f"`{source}` holds {tuples} tuples, too many for weights."
        )
    end = file.tell()
    file.seek(start)
    return file.read(end - start)


def _check_instruction(name, argument, count, source):
    if name == "GLOBAL":
        asked = argument.replace(" ", ".", 1)
        if asked not in ALLOWED_GLOBALS:
            raise CheckpointError(
                f"`{source}` asks for `{one_line(asked)}`, which plain tensors do not "
                "need; nothing of it was run."
            )
    elif name not in ALLOWED_OPCODES:
        raise CheckpointError(
            f"`{source}` holds the pickle instruction {name}, which PyTorch's weight "
            "files do not use; nothing of it was run."
        )
    elif name == "LONG_BINPUT" and argument > count:  # it would reserve gigabytes
        raise CheckpointError(f"`{source}` holds a pickle with a false memo number.")


def load_pickle(data, source):
    """Runs a pickle that `take_pickle` let pass.

    Args:
        data: bytes of one pickle.
        source: str, the file's name for messages.

    Returns:
        What it holds: dicts, lists, tuples, numbers, text and `TensorRecord`s.

    Raises:
        CheckpointError: if it is inconsistent.
    """
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # a broken pickle can raise nearly anything
        raise _broken(source, error) from error


def _broken(source, error):
    return CheckpointError(f"`{source}` holds a broken pickle: {one_line(error)}")
