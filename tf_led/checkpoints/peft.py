"""LoRA adapters on their own, in the files and under the names of PEFT."""

import collections
from pathlib import Path

import numpy as np

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.registry import open_weights
from tf_led.checkpoints.formats.safetensors import write_safetensors
from tf_led.checkpoints.json_files import read_object, write_object
from tf_led.checkpoints.names.led import LED_NAMES

CONFIG = "adapter_config.json"
# The first that is there is read; PEFT wrote the second until version 0.6.
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
LARGEST_ALPHA = 1e30  # beyond, float32 cannot hold a weight that counts so often
_PREFIX = "base_model.model."
_DENSE = (".lora_A.weight", ".lora_B.weight")
_EMBEDDING = (".lora_embedding_A", ".lora_embedding_B")
# PEFT's variants, which compute something else from the same factors.
_VARIANTS = ("use_dora", "use_rslora", "fan_in_fan_out", "rank_pattern")
_VARIANTS += ("alpha_pattern", "lora_bias")


def save_adapters(directory, adapters, others, *, rank, alpha, base, names=LED_NAMES):
    """Writes adapter_model.safetensors and adapter_config.json, all or nothing.

    Args:
        directory: str or Path of a folder; made if need be.
        adapters: dict from our path of a weight, such as "led/.../query/kernel", to its
            factors float[in, rank] and float[rank, out].
        others: dict of further weights by our path that were trained beside them. PEFT
            reads those whose layer is here as a whole, weight and bias.
        rank: int.
        alpha: number.
        base: str, where the base model came from.
        names: `NameTable` of the architecture.

    Raises:
        ValueError: if a path is not in `names`.
        NotADirectoryError: if `directory` is a file.
    """
    tensors = [t for item in adapters.items() for t in _factors(names, *item)]
    tensors += [_whole(names, *item) for item in others.items()]
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": base or None,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
        "target_modules": sorted(_module(names, path)[0] for path in adapters),
        "modules_to_save": _whole_modules(names, others) or None,
    }
    with staged(directory) as staging:
        write_object(staging.path / CONFIG, config)
        write_safetensors(staging.path / WEIGHTS[0], tensors)
        staging.move_last(WEIGHTS[0])


def load_adapters(directory, names=LED_NAMES):
    """Reads what `save_adapters`, or PEFT for a LED, has written.

    Args:
        directory: str or Path of a folder with adapter_config.json and
            adapter_model.safetensors or adapter_model.bin.
        names: `NameTable` of the architecture.

    Returns:
        (adapters, others, config): the dicts of `save_adapters` with arrays, and the
        dict of adapter_config.json.

    Raises:
        FileNotFoundError: if one of the two files is missing.
        CheckpointError: if they cannot be used; the message names file and reason.
    """
    folder = Path(directory)
    file = _weight_file(folder)
    config = _read_config(folder / CONFIG)
    adapters, others = {}, {}
    for key, tensor in open_weights(file).items():
        path, place, array = _ours(names, key, tensor.read(), file)
        if not np.isfinite(np.asarray(array, "float32")).all():
            raise CheckpointError(
                f"{file}: `{one_line(key)}` holds NaN or infinite numbers."
            )
        if place is None:
            others[path] = array
        else:
            adapters.setdefault(path, [None, None])[place] = array
    _check_factors(adapters, config, file)
    return adapters, others, config


def _weight_file(folder):
    found = [folder / name for name in WEIGHTS if (folder / name).is_file()]
    lacking = WEIGHTS[0] if not found else CONFIG
    if not found or not (folder / CONFIG).is_file():
        raise FileNotFoundError(
            f"{folder} has no {lacking}: give a folder that save_lora or PEFT wrote."
        )
    return found[0]


def _read_config(file):
    config = read_object(file)
    if config.get("peft_type") != "LORA":
        raise CheckpointError(f"{file} does not describe LoRA adapters.")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    is_rank = type(rank) is int and rank > 0
    if not is_rank or type(alpha) not in (int, float) or not 0 < alpha < LARGEST_ALPHA:
        raise CheckpointError(
            f"{file} has `r` {rank!r:.80} and `lora_alpha` {alpha!r:.80}; they must be "
            "an int and a number, both above 0 and not beyond all measure."
        )
    variants = [name for name in _VARIANTS if config.get(name)]
    if variants:
        raise CheckpointError(
            f"{file} has {variants[0]}: {config[variants[0]]!r}, which is not plain "
            "LoRA. Merge it into the model with PEFT and load that."
        )
    return config


def _check_factors(adapters, config, file):
    rank = config.get("r")
    if not adapters:
        raise CheckpointError(f"{file} holds no adapters.")
    for path, (left, right) in adapters.items():
        whole = left is not None and right is not None
        if not whole or left.shape[1:] != (rank,) or right.shape[:1] != (rank,):
            raise CheckpointError(
                f"{file}: the adapter of `{path}` is not two factors of "
                f"rank {rank!r}, which {CONFIG} gives."
            )


def _factors(names, path, pair):
    module, suffixes = _module(names, path)
    return [
        _lazy(f"{_PREFIX}{module}{suffix}", np.transpose(np.asarray(factor)))
        for suffix, factor in zip(suffixes, pair, strict=True)
    ]


def _whole(names, path, weight):
    key, transform = names.require_pytorch(path)
    return _lazy(f"{_PREFIX}{key}", transform(np.asarray(weight)))


def _whole_modules(names, others):
    """PyTorch's modules of which all weights are here."""
    counts = collections.Counter(_module(names, path)[0] for path in others)
    embeddings = [_module(names, p)[0] for p in others if p.endswith("/embeddings")]
    return sorted([*embeddings, *(name for name, n in counts.items() if n == 2)])


def _module(names, path):
    """PyTorch's module of one of our weights, and the suffixes of its factors."""
    key, _ = names.require_pytorch(path)
    is_embedding = path.endswith("/embeddings")
    return key.rpartition(".")[0], _EMBEDDING if is_embedding else _DENSE


def _ours(names, key, array, file):
    """Our path of a tensor, which factor it is (None: a whole weight), the array."""
    name = key.removeprefix(_PREFIX)
    for suffixes in (_DENSE, _EMBEDDING):
        for place, suffix in enumerate(suffixes):
            if name.endswith(suffix):
                row = names.to_ours(name.removesuffix(suffix) + ".weight")
                if row is not None:
                    return _prefixed(names, name, row[0]), place, array.T
    row = names.to_ours(name)
    if row is None:
        raise CheckpointError(
            f"{file}: `{key}` is not a weight or an adapter of a {names.model}."
        )
    return _prefixed(names, name, row[0]), None, row[1](array)


def _prefixed(names, name, path):
    is_inside = names.bare(name) != name and names.bare(path) == path
    return f"{names.prefix}/{path}" if is_inside else path


def _lazy(key, array):
    array = np.ascontiguousarray(array)
    return LazyTensor(
        key, array.shape, array.dtype.name, Path(WEIGHTS[0]), lambda: array
    )
