"""Small damage to a file: of its bytes, of its JSON, of what a zip archive holds."""

import copy
import io
import json
import zipfile

ODD_BYTES = (b"\0" * 8, b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\0\0\0\0\1\0\0\0", b"c}")
ODD_VALUES = (
    *(None, True, "", "x" * 9, "../../etc/passwd", [], {}, [0], {"a": {}}),
    *(-1, 0, 2**31, 10**9, 2**70, 0.5, 1e300, float("nan"), float("inf")),
    *([[]], [None], "[" * 500, "\ud800", [1] * 999),
)


def mutate(rng, blob, name):
    """Spoils a file, in a way that its name suggests or byte by byte.

    Args:
        rng: random.Random.
        blob: bytes of the whole file.
        name: str, its name.

    Returns:
        bytes.
    """
    special = [change for end, change in _BY_ENDING.items() if name.endswith(end)]
    if special and rng.random() < 0.5:
        return special[0](rng, blob)
    return mutate_bytes(rng, blob)


def mutate_bytes(rng, blob):
    """Cuts, flips, overwrites, repeats or drops a few bytes, the first most often."""
    blob = bytearray(blob)
    for _ in range(rng.choice([1, 1, 2, 5])):
        window = min(rng.choice([64, 1024, len(blob)]), len(blob))
        at = rng.randrange(max(1, window))
        kind = rng.randrange(5)
        if kind == 0:
            del blob[rng.randrange(len(blob) + 1) :]
        elif kind == 1 and blob:
            blob[at % len(blob)] ^= 1 << rng.randrange(8)
        elif kind == 2:
            odd = rng.choice([*ODD_BYTES, rng.randbytes(4)])
            blob[at : at + len(odd)] = odd
        elif kind == 3:
            blob[at:at] = blob[: rng.randrange(9)]
        else:
            del blob[at : at + rng.randrange(1, 9)]
    return bytes(blob)


def mutate_json(rng, blob):
    """Keeps the form; a value or a key anywhere becomes something odd, or deep."""
    top = json.loads(blob)
    for _ in range(rng.choice([1, 1, 3])):
        places = list(_places(top))
        if not places:
            break
        parent, key = rng.choice(places)
        kind = rng.random()
        if kind < 0.7:
            parent[key] = copy.deepcopy(rng.choice(ODD_VALUES))
        elif kind < 0.85 and isinstance(parent, dict):
            parent[rng.choice(["", "a/b", "x"])] = parent.pop(key)
        elif kind < 0.95:
            del parent[key]
        else:
            text = json.dumps(top).encode()
            return text.replace(b"null", b"[" * 5000 + b"]" * 5000, 1)
    return json.dumps(top).encode()


def _places(node):
    """Yields (container, key) of every value inside."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(items):
        yield node, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


def mutate_zip(rng, blob):
    """Spoils one entry of an archive, whose checksum fits again."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    small = [name for name, held in entries.items() if len(held) < 200_000]
    name = rng.choice(small)
    change = mutate_json if name.endswith(".json") else mutate_bytes
    entries[name] = change(rng, entries[name])
    spoiled = io.BytesIO()
    with zipfile.ZipFile(spoiled, "w") as archive:
        for name, held in entries.items():
            archive.writestr(name, held)
    return spoiled.getvalue()


def mutate_safetensors(rng, blob):
    """Spoils the header, whose length fits again."""
    length = int.from_bytes(blob[:8], "little")
    header = mutate_json(rng, blob[8 : 8 + length])
    return len(header).to_bytes(8, "little") + header + blob[8 + length :]


def mutate_lines(rng, blob):
    """Spoils one line of JSON."""
    lines = blob.splitlines()
    number = rng.randrange(len(lines))
    lines[number] = mutate_json(rng, lines[number])
    return b"\n".join(lines) + b"\n"


_BY_ENDING = {
    ".json": mutate_json,
    ".jsonl": mutate_lines,
    ".safetensors": mutate_safetensors,
    "zip/pytorch_model.bin": mutate_zip,
    ".keras": mutate_zip,
}
