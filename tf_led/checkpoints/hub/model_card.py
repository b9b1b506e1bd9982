"""The README.md of a model on the Hub: what it is, and how to load it."""

from huggingface_hub import ModelCardData

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
        >>> from tf_led.checkpoints.hub.model_card import model_card
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
