"""Which weights train: LoRA adapters, and freezing by name."""

from collections.abc import Sequence

import keras
import numpy as np

from tf_led.checkpoints.peft import load_adapters, save_adapters
from tf_led.models.pretrained.editing import forget_compiled
from tf_led.models.pretrained.weight_table import layer_table, matches
from tf_led.training import lora
from tf_led.utils.annotations import PathLike

# Queries and values, local and global, of every attention.
DEFAULT_TARGETS = ("query", "value", "query_global", "value_global", "q_proj", "v_proj")
GLOBAL_PROJECTIONS = ("query_global", "key_global", "value_global")


def enable_lora(
    model,
    rank: int,
    *,
    alpha: float | None = None,
    targets: Sequence[str] = DEFAULT_TARGETS,
    trainable: Sequence[str] = (),
) -> None:
    """Freezes the model and gives it low-rank adapters to train (LoRA).

    The outputs stay what they are until the adapters have learned something.
    Compile afterwards: the optimizer of before does not know the adapters.

    Args:
        rank: int >= 1.
        alpha: number, or None for `rank`. The product of an adapter's two factors
            counts `alpha / rank`.
        targets: names of the layers that get adapters: "query", "key", "value",
            "query_global", "key_global", "value_global", "output" (encoder),
            "q_proj", "k_proj", "v_proj", "out_proj" (decoder), "fc1", "fc2",
            "shared" (the token embedding), layers of a head; or longer parts of a
            path, such as "decoder/layers/0" or "encoder_attn/v_proj".
        trainable: names of weights that train beside them, such as "bias",
            "final_layer_norm" or "classification_head".

    Raises:
        ValueError: on a rank or alpha out of range, a name that no layer or weight
            has, a model that has adapters, or one that is quantised.

    Source: LoRA (arXiv 2106.09685), by `keras.layers.Dense.enable_lora`.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.enable_lora(rank=2, targets=["q_proj", "v_proj"])
        >>> len(model.trainable_variables)  # 2 layers, 2 attentions, 2 x 2 factors
        16
    """
    lora.check_rank(rank, alpha)
    chosen = _choose(layer_table(model), targets, "targets")
    lora.check_rank(rank, alpha, chosen.values())
    beside = _choose(_trainable_table(model), trainable, "trainable")
    _add_adapters(model, chosen, rank, alpha or rank, beside)


def _add_adapters(model, layers, rank, alpha, beside):
    _check_no_adapters(model)
    trained = _trainable_table(model)
    model._frozen_for_lora = tuple(trained)
    for variable in trained.values():
        variable.trainable = False
    with model.distribute_strategy.scope():
        lora.add_adapters(layers.values(), rank, alpha)
    for variable in beside.values():
        variable.trainable = True
    _ask_for_compile(model)


def _check_no_adapters(model):
    if model.adapters():
        raise ValueError(
            "The model has LoRA adapters: merge_lora() takes them in first."
        )
    for path in model.quantization():
        raise ValueError(
            f"`{path}` is quantised; add adapters and train them first, then "
            "merge_lora(), then quantize."
        )


def adapters(model) -> dict[str, keras.layers.Layer]:
    """The layers that have LoRA adapters.

    Returns:
        Dict from path, such as "led/decoder/layers/0/fc1", to Keras layer; empty
        without `enable_lora`.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.enable_lora(rank=2, targets=["q_proj"])
        >>> sorted(model.adapters())[0]
        'led/decoder/layers/0/encoder_attn/q_proj'
    """
    table = layer_table(model)
    return {path: layer for path, layer in table.items() if layer.lora_enabled}


def merge_lora(model) -> None:
    """Adds the adapters to the weights and takes them off.

    What trained before `enable_lora` trains again. Compile afterwards. Generating
    is faster then: with adapters every step adds them anew.

    Raises:
        ValueError: if there are none.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.enable_lora(rank=2, targets=["q_proj"])
        >>> model.merge_lora()
        >>> model.adapters()
        {}
    """
    for layer in _adapters(model, "merge").values():
        lora.merge_adapter(layer)
    table = model.weight_table()
    for path in model._frozen_for_lora:
        table[path].trainable = True
    _ask_for_compile(model)


def save_lora(model, directory: PathLike) -> None:
    """Writes the adapters alone, and what else was trained beside them.

    `save_pretrained` writes the whole model with the adapters merged.

    Args:
        directory: folder, made if it is not there. It gets
            adapter_model.safetensors and adapter_config.json, as PEFT has them.

    Raises:
        ValueError: if the model has no adapters.
        NotADirectoryError: if `directory` is a file.

    Source: the files are PEFT's.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.enable_lora(rank=2, targets=["q_proj"])
        >>> model.save_lora("adapters")
        >>> import os
        >>> sorted(os.listdir("adapters"))
        ['adapter_config.json', 'adapter_model.safetensors']
    """
    layers = _adapters(model, "save")
    paths = {id(v): path for path, v in model.weight_table().items()}
    one = next(iter(layers.values()))
    save_adapters(
        directory,
        {
            paths[id(lora.weight_of(layer))]: lora.adapters_of(layer)
            for layer in layers.values()
        },
        _trainable_table(model),
        rank=one.lora_rank,
        alpha=one.lora_alpha,
        base=model.name_or_path,
    )


def load_lora(model, directory: PathLike) -> None:
    """Puts on the adapters that `save_lora`, or PEFT, has written.

    The model must be the one that they were trained on. They can be trained on.

    Args:
        directory: folder.

    Raises:
        FileNotFoundError: if it holds no adapters.
        ValueError: if they do not fit, or the model has adapters already.

    Source: the files are PEFT's.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.enable_lora(rank=2, targets=["q_proj"])
        >>> model.save_pretrained("base")
        >>> model.save_lora("adapters")
        >>> again = TFLEDForConditionalGeneration.from_pretrained("base")
        >>> again.load_lora("adapters")
        >>> len(again.adapters())  # 2 layers with 2 attentions
        4
    """
    _check_no_adapters(model)
    adapters, others, config = load_adapters(directory)
    weights = model.weight_table()
    layers = {id(lora.weight_of(layer)): layer for layer in _layers(model)}
    for path, array in [*adapters.items(), *others.items()]:
        _check_fit(path, array, weights, layers, directory)
    chosen = {path: layers[id(weights[path])] for path in adapters}
    beside = {path: weights[path] for path in others}
    _add_adapters(model, chosen, config["r"], config["lora_alpha"], beside)
    for path, layer in chosen.items():
        for variable, array in zip(
            lora.adapters_of(layer), adapters[path], strict=True
        ):
            variable.assign(array)
    for path, variable in beside.items():
        variable.assign(others[path])


def freeze(model, *names: str) -> None:
    """Stops weights from training. Compile afterwards.

    Args:
        *names: parts of paths, such as "encoder", "decoder/layers/0", "embeddings"
            (of tokens and positions), "shared" (of tokens), "bias";
            "global_projections" for the projections of global attention. "encoder"
            does not hold the token embedding, which the decoder shares.

    Raises:
        ValueError: on a name that no weight has.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.freeze("encoder", "embeddings")
        >>> any("/encoder/" in v.path for v in model.trainable_variables)
        False
    """
    _set_trainable(model, names, False)


def unfreeze(model, *names: str) -> None:
    """Has frozen weights train again. Compile afterwards.

    Args:
        *names: as for `freeze`.

    Raises:
        ValueError: on a name that no weight has.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.freeze("encoder", "decoder", "embeddings")
        >>> model.unfreeze("fc1")
        >>> len(model.trainable_variables)  # kernel and bias, 2 + 2 layers
        8
    """
    _set_trainable(model, names, True)


def _set_trainable(model, names, value):
    for name in names:
        if not isinstance(name, str):
            raise ValueError(
                "`names` must be texts, one argument each as in freeze('encoder', "
                f"'bias'), got {name!r}."
            )
    aliases = {"global_projections": GLOBAL_PROJECTIONS}
    names = [part for name in names for part in aliases.get(name, (name,))]
    table = model.weight_table()
    # Not a weight but a buffer, in PyTorch too.
    table.pop("final_logits_bias", None)
    for variable in _choose(table, names, "names").values():
        variable.trainable = value
    _ask_for_compile(model)


def _trainable_table(model):
    return {path: v for path, v in model.weight_table().items() if v.trainable}


def _adapters(model, purpose):
    layers = model.adapters()
    if not layers:
        raise ValueError(f"There are no adapters to {purpose}: use enable_lora.")
    return layers


def _ask_for_compile(model):
    """Undoes `compile`: the optimizer knows other variables than now train."""
    model.compiled = False
    model.optimizer = None
    forget_compiled(model)


def _choose(table, names, argument):
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"`{argument}` must be a list of names, got {names!r}.")
    chosen = {}
    for name in names:
        found = {path: v for path, v in table.items() if matches(name, path)}
        if not found:
            allowed = sorted({part for path in table for part in path.split("/")})
            raise ValueError(
                f"`{argument}` has {name!r}, which is no part of any path here; parts "
                f"are {', '.join(part for part in allowed if not part.isdigit())}."
            )
        chosen |= found
    return chosen


def _layers(model):
    return layer_table(model).values()


def _check_fit(path, array, weights, layers, directory):
    if path not in weights:
        raise ValueError(f"{directory} has an entry for `{path}`; this model has none.")
    shape = tuple(weights[path].shape)
    if isinstance(array, np.ndarray):
        given = array.shape
    else:
        given = (array[0].shape[0], array[1].shape[1])
        if id(weights[path]) not in layers:
            raise ValueError(f"{directory}: `{path}` cannot have an adapter.")
    if given != shape:
        raise ValueError(
            f"{directory}: the entry for `{path}` is for a weight of shape {given}, "
            f"this model's has {shape}. Load them on the model they were trained on."
        )
