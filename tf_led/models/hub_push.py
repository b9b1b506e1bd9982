"""From a model in memory to a model on the Hugging Face Hub."""

import os
import tempfile

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from tf_led.checkpoints.card import model_card
from tf_led.checkpoints.push import push_folder
from tf_led.checkpoints.save import kind_of
from tf_led.models.saving import pytorch_name, save_pretrained


class HubMixin:
    """Uploads a model."""

    def push_to_hub(
        self,
        repo_id,
        *,
        commit_message="Upload model",
        private=None,
        token=None,
        revision=None,
        create_pr=False,
        max_shard_size="5GB",
        safe_serialization=True,
    ):
        """Uploads what `save_pretrained` writes, as one commit.

        The repository is made if need be. If it has no README.md it gets a model card,
        which says how to load the model in TensorFlow and in PyTorch. A tokenizer has a
        `push_to_hub` of its own.

        Args:
            repo_id: str, such as "me/led-reports".
            commit_message: str.
            private: bool; None for what the account's settings say. Of a new
                repository.
            token: str, or None for the one that `hf auth login` has stored.
            revision: str, a branch that there is, or None for main.
            create_pr: bool. True opens a pull request instead of committing.
            max_shard_size: int in bytes, or text such as "5GB".
            safe_serialization: bool; False uploads pytorch_model.bin, which needs
                torch.

        Returns:
            huggingface_hub's `CommitInfo`, a str with the commit's address.

        Raises:
            ValueError: if `repo_id` cannot be one.
            OSError: if the Hub cannot be reached, or refuses.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.push_to_hub("not/an/id")
            Traceback (most recent call last):
            ValueError: ...
        """

        def make_card(full_id):
            base = _base_model(self.name_or_path)
            return model_card(self.config, pytorch_name(self), full_id, base)

        with tempfile.TemporaryDirectory() as folder:
            save_pretrained(
                self,
                folder,
                max_shard_size=max_shard_size,
                safe_serialization=safe_serialization,
            )
            return push_folder(
                folder,
                repo_id,
                make_card,
                commit_message=commit_message,
                private=private,
                token=token,
                revision=revision,
                create_pr=create_pr,
                kind=kind_of(safe_serialization),
            )


def _base_model(name_or_path):
    """The Hub id that a model came from; None for a folder, or for no origin at all."""
    if not name_or_path or os.path.exists(name_or_path) or "/" not in name_or_path:
        return None
    try:
        validate_repo_id(name_or_path)
    except HFValidationError:
        return None
    return name_or_path
