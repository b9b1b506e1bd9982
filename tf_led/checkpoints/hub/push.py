"""Uploads a saved checkpoint with its model card to the Hub, as one commit."""

from pathlib import Path

from huggingface_hub import HfApi, ModelCardData
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


_TASKS = {
    "LEDForConditionalGeneration": "summarization",
    "LEDForSequenceClassification": "text-classification",
    "LEDForQuestionAnswering": "question-answering",
}

_CARD = """\
---
{header}
---

# {title}

A Longformer Encoder-Decoder (LED). It reads documents of up to {positions:,} tokens,
each of which sees {window} around it; the decoder has {decoder_positions:,} positions.

## In TensorFlow

With tf_led:

```python
from tf_led import TF{name}

model = TF{name}.from_pretrained("{repo_id}")
```

## In PyTorch

{torch}

If the repository has a tokenizer, `LEDTokenizerFast.from_pretrained("{repo_id}")` of
either library loads it.

## Not filled in yet

What it was trained on, how, how well it does, and what it should not be used for.
"""
_TORCH = """\
With transformers{version}:

```python
from transformers import {name}

model = {name}.from_pretrained("{repo_id}")
```"""
_ONLY_HERE = """\
PyTorch's LED has no such head: this one pools the encoder's states
(`pooling={pooling!r}`). transformers' `LEDModel` loads all but the head."""


def model_card(config, name, repo_id, base_model=None):
    """Writes a model card.

    Args:
        config: `LEDConfig` of the model.
        name: str, PyTorch's class of it, such as "LEDForConditionalGeneration".
        repo_id: str, under which it can be loaded.
        base_model: str, the Hub id that it was loaded from, or None.

    Returns:
        str, Markdown behind a header of YAML.

    Example:
        >>> from tf_led.checkpoints.hub.push import model_card
        >>> from tf_led.testing import tiny_config
        >>> text = model_card(tiny_config(), "LEDModel", "me/led")
        >>> 'TFLEDModel.from_pretrained("me/led")' in text
        True
    """
    header = ModelCardData(
        library_name="transformers",
        tags=["led", "tf_led", "tensorflow", "keras", "pytorch", "long-documents"],
        pipeline_tag=_TASKS.get(name),
        base_model=base_model,
    )
    return _CARD.format(
        header=header.to_yaml(),
        title=str(repo_id).rpartition("/")[2],
        positions=config.max_encoder_position_embeddings,
        decoder_positions=config.max_decoder_position_embeddings,
        window=_window(config.attention_window),
        name=name,
        repo_id=repo_id,
        torch=_torch(config, name, repo_id),
    )


def _window(window):
    windows = sorted({window} if isinstance(window, int) else {*window})
    if len(windows) == 1:
        return f"{windows[0]:,}"
    return f"{windows[0]:,} to {windows[-1]:,}, depending on the layer,"


def _torch(config, name, repo_id):
    pooling = getattr(config, "pooling", "decoder")
    if pooling != "decoder":
        return _ONLY_HERE.format(pooling=pooling)
    # transformers 5 has dropped this one.
    is_old = name == "LEDForSequenceClassification"
    version = " below 5 (`pip install 'transformers<5'`)" if is_old else ""
    return _TORCH.format(version=version, name=name, repo_id=repo_id)
