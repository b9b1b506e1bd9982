"""The generation config as a part of what Keras saves."""

from transformers import GenerationConfig

from tf_led.models.config import LEDConfig


class SavedGeneration:
    """Keeps a model's `generation_config` in its `.keras` file, as in checkpoints."""

    def get_config(self):
        generation_config = self.generation_config.to_dict()
        return {**super().get_config(), "generation_config": generation_config}

    @classmethod
    def from_config(cls, config, **kwargs):
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
