"""Turns a BART checkpoint into a LED checkpoint, weight by weight, without a model."""

from dataclasses import replace

from tf_led.checkpoints.convert.configs import led_config, tile_rows
from tf_led.checkpoints.disk.atomic import leads_into, staged
from tf_led.checkpoints.errors import CheckpointError, some
from tf_led.checkpoints.formats.lazy_tensor import watch_finite, widest_dtype
from tf_led.checkpoints.formats.registry import open_weights
from tf_led.checkpoints.formats.replace import remove_other_weights, write_tensors
from tf_led.checkpoints.hub.source import open_source
from tf_led.checkpoints.load import LoadReport, warn_about
from tf_led.checkpoints.names import bart as bart_names
from tf_led.checkpoints.names.led import LED_NAMES
from tf_led.checkpoints.names.match import Plan, check_dtypes, check_tied
from tf_led.checkpoints.names.table import keep
from tf_led.checkpoints.save import kind_of
from tf_led.utils.annotations import PathLike


def expected_shape(name, config):
    """Tells the shape of a weight.

    Args:
        name: str, PyTorch LED's name without `led.`; of any but heads and positions.
        config: `LEDConfig`.

    Returns:
        tuple of ints, laid out as PyTorch's.

    Example:
        >>> from tf_led.checkpoints.convert.bart import expected_shape
        >>> from tf_led.testing import tiny_config
        >>> expected_shape("encoder.layers.0.fc1.weight", tiny_config())
        (17, 12)
    """
    *stem, part, suffix = name.split(".")
    width = config.d_model
    if part in ("shared", "embed_tokens", "lm_head"):
        return config.vocab_size, width
    ffn = getattr(config, f"{stem[0]}_ffn_dim")
    if suffix == "bias" or "norm" in part:
        return (ffn if part == "fc1" else width,)
    shapes = {"fc1": (ffn, width), "fc2": (width, ffn)}
    return shapes.get(part, (width, width))


def check_shapes(tensors, config, file):
    """Checks that the shapes of weights are those of a configuration.

    Args:
        tensors: dict of `LazyTensor` by PyTorch LED's name without `led.`; of a
            position table only the width is looked at, of heads nothing.
        config: `LEDConfig`.
        file: Path, for messages.

    Raises:
        CheckpointError: naming the first that does not fit.
    """
    for name, tensor in tensors.items():
        expected = expected_shape(name, config)
        if name.endswith("embed_positions.weight"):
            expected = (*tensor.shape[:1], config.d_model)
        if tensor.shape != expected:
            raise CheckpointError(
                f"`{file}`: `{tensor.name}` has shape {tensor.shape}, config.json says "
                f"{expected}."
            )


# BART's tables begin with two rows that stand for no position.
OFFSET = 2


def bart_to_led(
    source: PathLike,
    destination: PathLike,
    *,
    attention_window: int = 1024,
    max_positions: int = 16384,
    max_decoder_positions: int | None = None,
    max_shard_size: int | str = "5GB",
    safe_serialization: bool = True,
) -> None:
    """Turns a BART checkpoint into a LED checkpoint.

    Positions are copied over and over until there are enough; the projections of
    queries, keys and values are copied to those of global attention. On a document
    that one window covers, without global tokens, the LED computes what the BART did.
    Weights of another model that the destination held are deleted. NaN and infinite
    numbers are copied too, with a warning.

    Args:
        source: str or Path of a BART's folder, or a Hub id such as
            "facebook/bart-base". Weights as PyTorch wrote them, with or without a
            head.
        destination: str or Path of a folder, made if need be. It gets config.json, the
            weights, and tokenizer and generation config as far as the source has them.
        attention_window: int, the whole window of every encoder layer, even.
        max_positions: int, positions of the encoder.
        max_decoder_positions: int, positions of the decoder; None for as many as BART
            has.
        max_shard_size: int in bytes, or text such as "5GB".
        safe_serialization: bool; False writes pytorch_model.bin, which needs torch.

    Returns:
        `LEDConfig` of the new checkpoint.

    Raises:
        FileNotFoundError: if the source, or a file of it, does not exist.
        CheckpointError: if it is not a BART, or a file cannot be used.
        ValueError: if another argument is not allowed, or `destination` is `source`.

    Source: Longformer (arXiv 2004.05150), sections 5 and 7.

    Example:
        >>> from tf_led.checkpoints.convert.bart import bart_to_led
        >>> bart_to_led("no/such/folder", "led", max_positions=32768)
        Traceback (most recent call last):
        FileNotFoundError: `no/such/folder` is neither a folder here nor a Hub id ...
    """
    return convert_bart(
        source,
        destination,
        attention_window=attention_window,
        max_positions=max_positions,
        max_decoder_positions=max_decoder_positions,
        max_shard_size=max_shard_size,
        kind=kind_of(safe_serialization),
    )


def convert_bart(source, destination, *, max_shard_size="5GB", kind, **sizes):
    """Does `bart_to_led` in any format that tensors can be written in.

    Args:
        source: as for `bart_to_led`.
        destination: as for `bart_to_led`.
        max_shard_size: as for `bart_to_led`.
        kind: str, a key of `tf_led.checkpoints.formats.registry.FORMATS`.
        **sizes: the window and the positions, as for `bart_to_led`.

    Returns:
        `LEDConfig` of the new checkpoint.
    """
    if leads_into(source, destination):
        raise ValueError(
            f"`destination` {str(destination)!r} is `source`, or holds files that it "
            "links to, which would be replaced; give another folder."
        )
    place = open_source(source)
    config = led_config(place.read_json("config.json"), **sizes)
    tensors, nonfinite = watch_finite(open_weights(place.weights))
    tensors = led_tensors(tensors, config, place.weights)
    config.dtype = widest_dtype(tensor.dtype for tensor in tensors.values())
    with staged(destination) as staging:
        write_tensors(
            tensors, LED_NAMES, staging, max_shard_size=max_shard_size, kind=kind
        )
        remove_other_weights(staging)
        config.save_pretrained(staging.path)
        place.copy_generation_config(staging.path)
        place.copy_tokenizer(staging.path, config.max_encoder_position_embeddings)
    report = LoadReport(nonfinite_keys=sorted(nonfinite))
    warn_about(report, place.weights, stacklevel=3)
    return config


def led_tensors(tensors, config, file):
    """Renames a BART's weights, and lengthens its positions.

    Args:
        tensors: dict of `LazyTensor` by BART's key.
        config: `LEDConfig` of the LED to make.
        file: Path they come from, for messages.

    Returns:
        dict of `LazyTensor` by PyTorch LED's key, with `led.` where BART had `model.`.

    Raises:
        CheckpointError: if a weight is missing, unknown, or of the wrong shape or type.

    Example:
        >>> from pathlib import Path
        >>> from tf_led.checkpoints.convert.bart import led_tensors
        >>> from tf_led.testing import tiny_config
        >>> led_tensors({}, tiny_config(), Path("model.safetensors"))
        Traceback (most recent call last):
        tf_led.checkpoints.errors.CheckpointError: config.json has `encoder_layers` 2...
    """
    prefix = "led." if any(key.startswith("model.") for key in tensors) else ""
    found = _rename(tensors, file)
    check_dtypes(Plan(file, LED_NAMES, {name: (t, keep) for name, t in found.items()}))
    _check_depth(config, tensors, file)
    _drop_tied_copies(found, config, file)
    expected = bart_names.expected(config.encoder_layers, config.decoder_layers)
    _check_names(found, expected, file)
    check_shapes({name: found[name] for name in expected}, config, file)
    for half in ("encoder", "decoder"):
        rows = getattr(config, f"max_{half}_position_embeddings")
        name = f"{half}.embed_positions.weight"
        found[name] = _lengthen(found[name], rows, file)
    renamed = {_with_prefix(name, prefix): tensor for name, tensor in found.items()}
    return {name: replace(tensor, name=name) for name, tensor in renamed.items()}


def _with_prefix(name, prefix):
    is_head = name in LED_NAMES.heads or name.startswith("lm_head")
    return name if is_head else prefix + name


def _rename(tensors, file):
    found = {}
    for key, tensor in tensors.items():
        new = bart_names.to_led(key)
        if new is None:
            raise CheckpointError(
                f"`{file}` has {some([key])}, which is not a name of BART's."
            )
        for name in new:
            if name in found:
                twice = [found[name].name, key]
                raise CheckpointError(f"`{file}` holds one weight as {some(twice)}.")
            found[name] = tensor
    return found


def _drop_tied_copies(found, config, file):
    """Leaves one table of the tokens, whatever copies the file has, unless untied."""
    if not config.tie_word_embeddings:
        return
    copies = [found.pop(name) for name in LED_NAMES.untied if name in found]
    if copies and "shared.weight" not in found:
        found["shared.weight"] = copies.pop(0)
    if copies:
        table = {LED_NAMES.shared: (found["shared.weight"], keep)}
        check_tied(Plan(file, LED_NAMES, table, tied=copies))


def _check_depth(config, tensors, file):
    """Checks the layers against the file: their names alone could fill the memory."""
    for name in ("encoder_layers", "decoder_layers"):
        if getattr(config, name) > len(tensors):
            raise CheckpointError(
                f"config.json has `{name}` {getattr(config, name)}, but `{file}` has "
                f"only {len(tensors)} weights."
            )


def _check_names(found, expected, file):
    lacking = [name for name in expected if name not in found]
    if lacking:
        raise CheckpointError(f"`{file}` lacks {some(lacking)}, in LED's names.")
    extra = {*found} - {*expected} - {*LED_NAMES.heads} - {*LED_NAMES.untied}
    if extra:
        raise CheckpointError(
            f"`{file}` has weights beyond the layers of config.json: "
            f"{some(sorted(extra))}, in LED's names."
        )


def _lengthen(tensor, num_rows, file):
    old_rows, width = tensor.shape
    if old_rows <= OFFSET:
        raise CheckpointError(
            f"`{file}`: `{tensor.name}` has {old_rows} rows, {OFFSET} of which are no "
            "positions."
        )

    def read():
        return tile_rows(tensor.read()[OFFSET:], num_rows)

    return replace(tensor, shape=(num_rows, width), read=read, place=None)
