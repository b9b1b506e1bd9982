"""The main job at its real size: led-base and a document of over 10,000 tokens."""

import pydoc_data.topics
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.large

LED_BASE = {
    "vocab_size": 50265,
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
    "attention_window": 1024,
    "max_encoder_position_embeddings": 16384,
    "max_decoder_position_embeddings": 1024,
}
OPTIONS = ["--num-beams", "2", "--max-new-tokens", "48"]


def write_led_base(folder):
    """A checkpoint of led-base's size and a document, as PyTorch's users have them."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LEDForConditionalGeneration

    from tf_led.testing import spread_weights, tiny_config

    text = Path(pydoc_data.topics.__file__).read_bytes()[:45_000]
    (folder / "document.txt").write_bytes(text)
    learner = ByteLevelBPETokenizer()
    learner.train(
        [pydoc_data.topics.__file__],
        vocab_size=8009,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        show_progress=False,
    )
    learner.save_model(str(folder))
    config = tiny_config(**LED_BASE)
    model = LEDForConditionalGeneration(config)
    weights = {name: torch.tensor(w) for name, w in spread_weights(config).items()}
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    model.generation_config.no_repeat_ngram_size = 2
    # The tokenizer's 8,009 tokens only, so that the ids have letters.
    model.final_logits_bias[:, 8009:] = -1e9
    model.save_pretrained(folder)


def pytorch_summary(folder):
    import torch
    from transformers import LEDForConditionalGeneration, LEDTokenizer

    tokenizer = LEDTokenizer.from_pretrained(folder)
    text = (folder / "document.txt").read_bytes().decode()
    batch = tokenizer(text, truncation=True, max_length=16384, return_tensors="pt")
    is_global = torch.zeros_like(batch["input_ids"])
    is_global[:, 0] = 1
    model = LEDForConditionalGeneration.from_pretrained(folder).eval()
    ids = model.generate(
        **batch, global_attention_mask=is_global, num_beams=2, max_new_tokens=48
    )
    assert batch["input_ids"].shape[1] > 10_000
    assert len(set(ids[0].tolist())) > 20  # not one token over and over
    return tokenizer.decode(ids[0], skip_special_tokens=True)


def test_text_is_that_of_pytorch_at_the_size_of_led_base(tmp_path):
    write_led_base(tmp_path)
    installed = Path(sys.executable).with_name("tf-led")
    command = [installed, "summarize", tmp_path / "document.txt", "--model", tmp_path]
    done = subprocess.run([*command, *OPTIONS], capture_output=True, check=True)
    assert done.stdout.decode() == pytorch_summary(tmp_path) + "\n"
