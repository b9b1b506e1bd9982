"""What an HDF5 file holds: where in the file each dataset's numbers lie.

Only the structure is read with HDF5's own library; nothing is followed out of the file
and no number is converted or uncompressed.
"""

import h5py

# LED-large has 600 datasets in 500 groups, at most 8 deep.
_MAX_OBJECTS = 100_000
_MAX_DEPTH = 32
# Of a model saved whole: the optimizer's slots, named as the weights are.
_NOT_WEIGHTS = ("optimizer_weights",)
_BFLOAT16 = (15, 7, 8, 0, 7)  # where sign, exponent and mantissa lie, h5py's order


class Refused(Exception):
    """The file has something that a table of weights does not need."""


def read_table(path):
    """Lists a file's datasets.

    Args:
        path: str, an HDF5 file.

    Returns:
        list of [name, shape, dtype, offset]: the dataset's path in the file, a list of
        ints, NumPy's name of the dtype with its byte order ("<f4", or "bfloat16"), and
        the byte of the file where its numbers begin (None if it has none).

    Raises:
        Refused: on links, numbers elsewhere, compression. h5py raises anything else.
    """
    with h5py.File(path, "r", locking=False) as file:
        rows, seen = [], set()
        for name in file:
            if name not in _NOT_WEIGHTS:
                _walk(file, name, name, seen, rows)
        return rows


def _walk(parent, name, path, seen, rows):
    link = parent.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise Refused(f"`{path}` is a link ({type(link).__name__})")
    item = parent[name]
    address = h5py.h5o.get_info(item.id).addr
    if address in seen:
        raise Refused(f"`{path}` is there under another name too")
    seen.add(address)
    if len(seen) > _MAX_OBJECTS or path.count("/") > _MAX_DEPTH:
        raise Refused("it holds too many objects, or too deep ones")
    if isinstance(item, h5py.Dataset):
        rows.append([path, list(item.shape or ()), *_describe(item, path)])
    elif isinstance(item, h5py.Group):
        for inner in item:
            _walk(item, inner, f"{path}/{inner}", seen, rows)


def _describe(dataset, path):
    """Returns the dtype and where the numbers begin."""
    properties = dataset.id.get_create_plist()
    if properties.get_external_count():
        raise Refused(f"the numbers of `{path}` lie in another file")
    layout = properties.get_layout()
    if layout == h5py.h5d.VIRTUAL:
        raise Refused(f"`{path}` is a virtual dataset, made up of other files")
    if layout != h5py.h5d.CONTIGUOUS:
        raise Refused(f"`{path}` is compressed or in chunks")
    return _dtype(dataset, path), dataset.id.get_offset()


def _dtype(dataset, path):
    kind = dataset.id.get_type()
    is_float = isinstance(kind, h5py.h5t.TypeFloatID)
    if is_float and kind.get_fields() == _BFLOAT16 and kind.get_ebias() == 127:
        return "bfloat16"
    if isinstance(kind, h5py.h5t.TypeOpaqueID) and kind.get_size() == 2:
        return "bfloat16"  # as h5py stores NumPy's
    dtype = dataset.dtype
    if dtype.kind not in "fiub" or dtype.itemsize != kind.get_size():
        raise Refused(f"`{path}` holds {kind.__class__.__name__}, no plain numbers")
    return dtype.str
