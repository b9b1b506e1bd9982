"""What a model exports: endpoints and SavedModels."""
