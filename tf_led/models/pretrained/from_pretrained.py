"""Models from checkpoints: config, weights and generation config together."""

import os
from typing import Any

from transformers import GenerationConfig

from tf_led.checkpoints.convert.configs import is_allenai, led_fields
from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.hub.resolve import (
    check_is_no_file,
    find_file,
    get_file,
    resolve,
)
from tf_led.checkpoints.json_files import check_num_labels, read_object
from tf_led.checkpoints.load import check_layers, load_weights
from tf_led.layers.initializers import blank_weights, draw_weights
from tf_led.models.config import LEDConfig
from tf_led.models.generation.config_options import foreign_options, take_options
from tf_led.utils.annotations import PathLike
from tf_led.utils.versions import config_from_dict

MODEL_OPTIONS = ("attention_implementation", "dtype", "max_global_tokens", "name")
# Where to look, understood by `resolve` and by transformers' config classes alike.
PLACE_OPTIONS = (
    "cache_dir",
    "force_download",
    "local_files_only",
    "revision",
    "subfolder",
    "token",
)
SIZES = (
    "vocab_size",
    "d_model",
    "encoder_layers",
    "decoder_layers",
    "encoder_attention_heads",
    "decoder_attention_heads",
    "encoder_ffn_dim",
    "decoder_ffn_dim",
    "max_encoder_position_embeddings",
    "max_decoder_position_embeddings",
)
LAYER_COUNTS = ("encoder_layers", "decoder_layers")
_SIZE_LIMIT = 1 << 31
_LAYER_LIMIT = 1 << 10  # each layer takes time to make, whatever its size
# Fields that the models read and LEDConfig does not list.
EXTRA_FIELDS = ("gradient_checkpointing", "num_labels")
# What transformers takes and need not be said here: it is so in any case.
ALWAYS_SO = (
    "from_pt",  # the format is recognised
    "from_tf",
    "low_cpu_mem_usage",
    "resume_download",
    "trust_remote_code",  # nothing of a repository is run
    "weights_only",
)
# What to give in place of arguments of transformers that would change something.
INSTEAD = {
    "attn_implementation": "give `attention_implementation`",
    "device_map": "TensorFlow places the model; use `tf.device`",
    "mirror": "set HF_ENDPOINT before Python starts",
    "proxies": "set HTTPS_PROXY before Python starts",
    "quantization_config": 'call `model.quantize("int8")`',
    "state_dict": "call `model.set_weights`",
    "variant": "give a `subfolder` or `revision`",
}
# What config.json says of itself; nobody obeys it.
METADATA = {"_name_or_path", "architectures", "model_type", "transformers_version"}
CONFIG_FILE = "config.json"
GENERATION_CONFIG_FILE = "generation_config.json"


def from_pretrained(
    cls,
    name_or_path: PathLike | None = None,
    *model_args: Any,
    config: LEDConfig | PathLike | None = None,
    use_safetensors: bool | None = None,
    ignore_mismatched_sizes: bool = False,
    output_loading_info: bool = False,
    **kwargs: Any,
) -> Any:
    """Loads a checkpoint of any LED's: PyTorch's, the old TensorFlow's, this one's.

    Nothing is drawn at random but what the checkpoint lacks.

    Args:
        name_or_path: directory, or id on the Hugging Face Hub; transformers' name of
            it, `pretrained_model_name_or_path`, will do too. It holds config.json and
            model.safetensors, pytorch_model.bin or tf_model.h5, single or sharded;
            AllenAI's own LongformerEncoderDecoder is read too.
        *model_args: further positional arguments of the model.
        config: LEDConfig, or the directory or id to find one; None for that of the
            checkpoint.
        use_safetensors: bool, to read that format or another; None for what is
            there.
        ignore_mismatched_sizes: bool, whether weights of another shape are drawn
            anew.
        output_loading_info: bool, whether to return (model, report).
        **kwargs: `cache_dir`, `revision`, `subfolder`, `token`, `local_files_only`,
            `force_download`; `dtype`, `name`, `max_global_tokens`,
            `attention_implementation` and, with a head that has it, `pooling` of
            the model, where `dtype="auto"` is what config.json says; any field of the
            config, which overrides the file's, and `gradient_checkpointing`; any
            option of generation. What the old classes took to say what is so in any
            case (`from_pt`, `trust_remote_code`, ...) may stay.

    Returns:
        The model, with `generation_config` as the checkpoint has it.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        NotADirectoryError: if it is the path of a file.
        ValueError: if it cannot be used; the message names file and reason.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> TFLEDModel(tiny_config()).save_pretrained("checkpoint")
        >>> model = TFLEDModel.from_pretrained("checkpoint")
    """
    kwargs = _translate(kwargs)
    name_or_path = _choose_name(name_or_path, kwargs)
    check_is_no_file(name_or_path)  # a config, too, may be read from one
    place = {name: kwargs.pop(name) for name in PLACE_OPTIONS if name in kwargs}
    names = (*MODEL_OPTIONS, *cls.own_options)
    options = {name: kwargs.pop(name) for name in names if name in kwargs}
    generation = take_options(cls, kwargs)
    if isinstance(config, LEDConfig) and hasattr(cls, "generate"):
        generation = {**foreign_options(config), **generation}
    config = load_config(name_or_path if config is None else config, place, kwargs)
    if isinstance(options.get("dtype"), str) and options["dtype"] == "auto":
        options["dtype"] = _dtype_of(config)
    source = resolve(name_or_path, use_safetensors=use_safetensors, **place)
    layers = {name: getattr(config, name) for name in LAYER_COUNTS}
    check_layers(layers, source)
    model = make_blank(cls, config, *model_args, **options)
    report = _fill(model, source, ignore_mismatched_sizes)
    model.name_or_path = str(name_or_path)
    if source.commit_hash is not None:
        place["revision"] = source.commit_hash  # a branch may have moved since
    if model.can_generate():
        model.generation_config = load_generation_config(name_or_path, config, place)
        model._set_options(generation)
    return (model, report.as_dict()) if output_loading_info else model


def _translate(arguments):
    """Puts arguments of transformers under their names here."""
    kept = {n: v for n, v in arguments.items() if n not in ALWAYS_SO}
    for old, new in (("torch_dtype", "dtype"), ("use_auth_token", "token")):
        if old in kept:
            kept.setdefault(new, kept.pop(old))
    return kept


def _choose_name(name_or_path, arguments):
    """The checkpoint's name, which transformers calls otherwise."""
    other = arguments.pop("pretrained_model_name_or_path", None)
    if (name_or_path is None) == (other is None):
        raise TypeError(
            f"`name_or_path` is {name_or_path!r} and `pretrained_model_name_or_path` "
            f"{other!r}: give one of them, a directory or a Hub id."
        )
    return other if name_or_path is None else name_or_path


def _dtype_of(config):
    """The dtype that a config names: str, "float32" where it names none."""
    dtype = getattr(config, "dtype", None)
    return "float32" if dtype is None else str(dtype).rpartition(".")[2]


def make_blank(cls, config, *args, **options):
    """Builds a model without values, whose sizes nothing has compared with a file.

    Args:
        cls: class of the model.
        config: LEDConfig.
        *args: further positional arguments of the model.
        **options: further arguments of the model.

    Returns:
        The model.

    Raises:
        CheckpointError: if memory cannot hold its weights.
    """
    try:
        with blank_weights():
            return cls(config, *args, **options)
    except (MemoryError, OSError, OverflowError) as error:
        raise CheckpointError(
            f"The config describes weights that memory cannot hold: {one_line(error)}"
        ) from error


def _fill(model, source, ignore_mismatched_sizes):
    """Loads a model that was made blank, and draws what the file does not have."""
    table = model.weight_table()
    known = {id(variable) for variable in table.values()}
    others = [variable for variable in model.variables if id(variable) not in known]
    return load_weights(
        table,
        source,
        ignore_mismatched_sizes=ignore_mismatched_sizes,
        draw=lambda lacking: draw_weights(model, lacking + others),
    )


def load_config(source, place, overrides):
    """Reads a LEDConfig; raises for one of another model and an unknown override.

    Args:
        source: LEDConfig, directory or Hub id.
        place: dict of `PLACE_OPTIONS`.
        overrides: dict of fields that replace the file's.

    Returns:
        LEDConfig; a given one is copied if it is overridden, never changed.

    Raises:
        FileNotFoundError: if there is no config.json.
        ValueError: if it is not a LED's, or on a wrong type or an unknown name in
            `overrides`.
    """
    if isinstance(source, LEDConfig):
        fields = source.to_dict()
        if not overrides:
            return source
    elif isinstance(source, (str, os.PathLike)):
        fields = _read_config(source, place)
    else:
        raise TypeError(
            "`config` must be a LEDConfig, a directory or a Hub id, got "
            f"{type(source).__name__}."
        )
    # Fields, and the names under which LEDConfig knows some of them too.
    known = {*LEDConfig().to_dict(), *LEDConfig.attribute_map, *fields, *EXTRA_FIELDS}
    unknown = sorted(set(overrides) - (known - METADATA))
    if unknown:
        advice = "; ".join(INSTEAD[name] for name in unknown if name in INSTEAD)
        raise ValueError(
            f"from_pretrained got {', '.join(map(repr, unknown))}, which is neither an "
            f"option nor a field of LEDConfig{advice and ': '}{advice}."
        )
    # `from_dict` drops overrides of fields that the file lacks.
    extra = {name: overrides[name] for name in EXTRA_FIELDS if name in overrides}
    return make_config({**fields, **extra}, overrides)


def make_config(fields, overrides=()):
    """Makes a LEDConfig of what a file says, which may be anything.

    Args:
        fields: dict.
        overrides: dict of fields that replace them.

    Returns:
        LEDConfig.

    Raises:
        CheckpointError: on a field of another type, or a size that no model can have.
    """
    overrides = dict(overrides)
    check_num_labels({**fields, **overrides})
    try:
        config = config_from_dict(LEDConfig, fields, **overrides)
    except Exception as error:  # whatever a field of another type leads to
        raise CheckpointError(
            f"The config has a field that LEDConfig rejects: {one_line(error)}"
        ) from error
    _check_sizes(config)
    return config


def _check_sizes(config):
    """Checks the sizes before memory is used for them."""
    for name in SIZES:
        size = getattr(config, name)
        limit = _LAYER_LIMIT if name in LAYER_COUNTS else _SIZE_LIMIT
        if type(size) is not int or not 0 < size < limit:
            raise CheckpointError(
                f"The config has `{name}` {size!r:.80}; it must be a positive int "
                f"below {limit}."
            )


def load_generation_config(name_or_path, config, place):
    """Reads generation_config.json, or takes what an old config.json says.

    Args:
        name_or_path: directory or Hub id.
        config: LEDConfig, used where there is no such file.
        place: dict of `PLACE_OPTIONS`.

    Returns:
        GenerationConfig.

    Raises:
        CheckpointError: if the file is there but cannot be used.
        OSError: if the Hub has it but does not give it.
    """
    file = find_file(name_or_path, GENERATION_CONFIG_FILE, **place)
    if file is None:
        return _options_of_config(name_or_path, config, place)
    fields = read_object(file)
    try:
        return GenerationConfig.from_dict(fields)
    except Exception as error:  # whatever a field of another type leads to
        raise CheckpointError(f"`{file}` cannot be used: {one_line(error)}") from error


def _options_of_config(name_or_path, config, place):
    """What config.json says of generation, as old ones do and LEDConfig drops."""
    file = find_file(name_or_path, CONFIG_FILE, **place)
    try:
        fields = read_object(file) if file else {}
    except CheckpointError:  # it was not used: the caller has a config of their own
        fields = {}
    known = {name for name in vars(GenerationConfig()) if name in fields}
    options = {name: fields[name] for name in known}
    return GenerationConfig.from_model_config({**options, **config.to_dict()})


def _read_config(source, place):
    file = source if os.path.isfile(source) else get_file(source, CONFIG_FILE, **place)
    fields = read_object(file)
    if fields.get("model_type") == LEDConfig.model_type:
        return fields
    if is_allenai(fields):
        return led_fields(fields, file)
    raise CheckpointError(
        f"{file} is of model type {fields.get('model_type')!r:.80}, not 'led': "
        "this is a checkpoint of another architecture."
    )
