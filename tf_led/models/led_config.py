"""transformers' LEDConfig, without the silence about options of generation."""

from typing import Any

import transformers

from tf_led.models.config import OPTION_NAMES

_OWN = frozenset(vars(transformers.LEDConfig()))


class LEDConfig(transformers.LEDConfig):
    """transformers' LEDConfig that keeps the options of generation it is given.

    transformers 5 drops `LEDConfig(num_beams=4)` without a word. Here such an option
    stays an attribute of the config, as in transformers 4, and a model that is built
    from it generates with it. Models take transformers' own class just as well.

    Args:
        *args: as transformers' class has them.
        **fields: fields of transformers' LEDConfig; options of generation; fields of
            your own, which are kept and saved.

    Source: transformers 4.57 and 5.24, classes of this name.

    Example:
        >>> from tf_led import LEDConfig
        >>> config = LEDConfig(d_model=12, num_beams=4)
        >>> config.d_model, config.num_beams
        (12, 4)
    """

    # transformers 5.0 keeps this name without reading it.
    attribute_map = {
        **transformers.LEDConfig.attribute_map,
        "num_hidden_layers": "encoder_layers",
    }

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        for name in _options_in(fields):
            setattr(self, name, fields[name])

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Makes a config of a dict, which stays as it is.

        Args:
            config_dict: dict of fields.
            **kwargs: fields and options that replace those of the dict, and
                `return_unused_kwargs`: bool, whether to return (config, dict of those
                that are neither) in place of an error.

        Returns:
            LEDConfig.

        Raises:
            ValueError: on a name that is neither a field nor an option.

        Example:
            >>> from tf_led import LEDConfig
            >>> LEDConfig.from_dict({"d_model": 12}, num_beams=4).num_beams
            4
        """
        wants_unused = kwargs.pop("return_unused_kwargs", False)
        options = {name: kwargs.pop(name) for name in _options_in(kwargs)}
        config, unused = super().from_dict(
            {**config_dict, **options}, return_unused_kwargs=True, **kwargs
        )
        if wants_unused:
            return config, unused
        # Before transformers 5.4 what it has obeyed is listed too.
        obeyed = {"dtype", "torch_dtype"}
        unknown = sorted(n for n in set(unused) - obeyed if not n.startswith("_"))
        if unknown:
            raise ValueError(
                f"LEDConfig has no field {', '.join(map(repr, unknown))}, nor is that "
                "an option of generation. Set a field of your own on the config."
            )
        return config


def _options_in(fields):
    """Names what transformers drops: options that are not LEDConfig's own fields."""
    return (OPTION_NAMES & set(fields)) - _OWN
