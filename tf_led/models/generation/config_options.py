"""Options of generation in a model's config, where transformers 4 had them."""

import logging
from typing import Any, Self

from transformers import GenerationConfig

from tf_led.models.config import OPTION_NAMES, LEDConfig

_logger = logging.getLogger(__name__)

_DEFAULT = LEDConfig()


def options_of(config):
    """Lists the options of generation that a model's config holds.

    Args:
        config: LEDConfig.

    Returns:
        dict of option values by name.
    """
    return {name: getattr(config, name) for name in OPTION_NAMES & set(dir(config))}


def foreign_options(config):
    """Lists those of `options_of` that are not fields of LEDConfig, as `num_beams`."""
    own = vars(_DEFAULT)
    return {name: v for name, v in options_of(config).items() if name not in own}


def take_options(cls, arguments):
    """Takes the options of generation from the arguments of `from_pretrained`.

    Args:
        cls: the model class; one without `generate` has no options.
        arguments: dict; what LEDConfig has no field for is removed.

    Returns:
        dict of option values by name.
    """
    if not hasattr(cls, "generate"):
        return {}
    names = OPTION_NAMES & set(arguments)
    options = {name: arguments[name] for name in names}
    for name in names - set(vars(_DEFAULT)):
        del arguments[name]
    return options


class ConfigOptions:
    """Adds a `generation_config` that follows what users set on `config`.

    Scripts for the old classes set `model.config.num_beams = 4` after loading. Such a
    field, and any that is changed there later, counts as if it had been set on
    `generation_config` at the same time. The model's config stays as it is.
    """

    @property
    def generation_config(self) -> GenerationConfig:
        """The GenerationConfig that `generate` starts from."""
        if "_generation_config" not in self.__dict__:
            raise AttributeError("generation_config")  # Keras reads before it sets
        before, now = self.__dict__["_config_options"], options_of(self.config)
        changed = {n: v for n, v in now.items() if n not in before or before[n] != v}
        if changed:
            self.__dict__["_config_options"] = now
            _logger.warning(
                "%s of `model.config` goes for `generate`. Set it on "
                "`model.generation_config`.",
                ", ".join(f"{name}={value!r}" for name, value in changed.items()),
            )
            self._set_options(changed)
        return self.__dict__["_generation_config"]

    @generation_config.setter
    def generation_config(self, value: GenerationConfig | None) -> None:
        self.__dict__["_generation_config"] = value
        self.__dict__["_config_options"] = options_of(self.config)

    def _take_options_of_config(self):
        """Sets the generation config that the model's config implies."""
        foreign = foreign_options(self.config)
        fields = self.config.to_dict()
        own = {name: fields[name] for name in fields if name not in foreign}
        self.generation_config = GenerationConfig.from_model_config(own)
        self._set_options(foreign)

    def _set_options(self, options):
        config = self.__dict__["_generation_config"] or GenerationConfig()
        for name, value in options.items():
            setattr(config, name, value)  # `generate` checks them, all together
        self.__dict__["_generation_config"] = config


class SavedGeneration:
    """Keeps a model's `generation_config` in its `.keras` file, as in checkpoints."""

    def get_config(self):
        generation_config = self.generation_config.to_dict()
        return {**super().get_config(), "generation_config": generation_config}

    @classmethod
    def from_config(cls, config: LEDConfig | dict[str, Any], **kwargs: Any) -> Self:
        """Builds a model from a LEDConfig, or from what `get_config` returned.

        Args:
            config: LEDConfig or dict.
            **kwargs: further arguments of the model.

        Returns:
            The model, freshly initialised, with the generation config that it had.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.generation_config.num_beams = 5
            >>> again = TFLEDForConditionalGeneration.from_config(model.get_config())
            >>> again.generation_config.num_beams
            5
        """
        if isinstance(config, LEDConfig):
            return super().from_config(config, **kwargs)
        config = dict(config)
        generation_config = config.pop("generation_config", None)
        model = super().from_config(config, **kwargs)
        if generation_config is not None:
            model.generation_config = GenerationConfig.from_dict(generation_config)
        return model

    _from_config = from_config
