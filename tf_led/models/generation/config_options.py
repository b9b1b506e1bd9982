"""Options of generation in a model's config, where transformers 4 had them."""

import logging

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
    def generation_config(self):
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
    def generation_config(self, value):
        self.__dict__["_generation_config"] = value
        self.__dict__["_config_options"] = options_of(self.config)

    def _set_options(self, options):
        config = self.__dict__["_generation_config"] or GenerationConfig()
        for name, value in options.items():
            setattr(config, name, value)  # `generate` checks them, all together
        self.__dict__["_generation_config"] = config
