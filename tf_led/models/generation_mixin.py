"""`generate` for models with a language head."""

from transformers import GenerationConfig


class GenerationMixin:
    """Adds `generate` and `generation_config` to a model."""

    def add_generation(self):
        """Sets the generation config that the model's config implies."""
        self.generation_config = GenerationConfig.from_model_config(self.config)
