"""Uploads a saved checkpoint to the Hugging Face Hub, as one commit."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import (
    HFValidationError,
    HTTPError,  # httpx's, of the version that huggingface_hub uses
    LocalTokenNotFoundError,
)

from tf_led.checkpoints.errors import one_line
from tf_led.checkpoints.formats.registry import FORMATS
from tf_led.checkpoints.formats.replace import preferred_to

CARD = "README.md"


def push_folder(
    folder,
    repo_id,
    make_card,
    *,
    commit_message="Upload model",
    private=None,
    token=None,
    revision=None,
    create_pr=False,
    kind="safetensors",
):
    """Uploads a folder to a model repository, which is made if need be.

    Weights of the repository that readers would prefer to the new ones, and shards of
    an earlier number, are deleted by the same commit.

    Args:
        folder: str or Path, holding a checkpoint; a card is written to it.
        repo_id: str, such as "me/led-reports".
        make_card: called with the full id; returns the text of a README.md, which goes
            up if the repository has none.
        commit_message: str.
        private: bool; None for what the account's settings say. Of a new repository.
        token: str, or None for the one that `hf auth login` has stored.
        revision: str, a branch, or None for main.
        create_pr: bool. True opens a pull request instead of committing.
        kind: str, "safetensors" or "torch", of the folder's weights.

    Returns:
        huggingface_hub's `CommitInfo`, a str with the commit's address.

    Raises:
        ValueError: if `repo_id` cannot be one.
        OSError: if the Hub cannot be reached, or rejects the upload.
    """
    api = HfApi(token=token)
    try:
        full_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        if not api.file_exists(full_id, CARD, revision=revision):
            Path(folder, CARD).write_text(make_card(full_id), encoding="utf-8")
        return api.upload_folder(
            repo_id=full_id,
            folder_path=folder,
            commit_message=commit_message,
            revision=revision,
            create_pr=create_pr,
            delete_patterns=_stale(kind),
        )
    except HFValidationError as error:
        raise ValueError(
            f"`repo_id` {repo_id!r} cannot be one: {one_line(error)}"
        ) from error
    except LocalTokenNotFoundError as error:
        raise PermissionError(
            f"Cannot push to `{repo_id}` without a token: pass `token`, or run "
            "`hf auth login`."
        ) from error
    except HTTPError as error:
        raise ConnectionError(
            f"Cannot push to `{repo_id}`: {one_line(error)} Check the id, and that "
            "`token` (or `hf auth login`) may write there."
        ) from error


def _stale(kind):
    """Patterns of the files that a reader would take for the weights, or for a part."""
    patterns = []
    for row in preferred_to(FORMATS[kind]):
        patterns += [row.file, row.index, f"{row.stem}-*-of-*{row.ending}"]
    return patterns
