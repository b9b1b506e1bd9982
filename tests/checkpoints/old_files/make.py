"""Writes old.tar.xz: a tiny LED as transformers 4.57 saved it, and what it computed.

Run where the old classes still are: transformers 4.57.6, tensorflow 2.21 with tf_keras
2.21, torch. The tests only read the archive; they need none of these.

    python tests/checkpoints/old_files/make.py
"""

import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers

HERE = Path(__file__).parent
CONFIG = {
    "vocab_size": 29,
    "d_model": 6,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 7,
    "decoder_ffn_dim": 5,
    "attention_window": [4, 4],
    "max_encoder_position_embeddings": 16,
    "max_decoder_position_embeddings": 11,
}
INPUTS = {
    "input_ids": [[0, 5, 11, 7, 2, 1, 1], [0, 28, 3, 19, 13, 23, 2]],
    "attention_mask": [[1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1]],
    "global_attention_mask": [[1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0, 0]],
    "decoder_input_ids": [[2, 0, 17], [2, 0, 8]],
}


def make_torch(**fields):
    """PyTorch's LED; weights of few bits, which compress well, but no two alike."""
    config = transformers.LEDConfig(**{**CONFIG, **fields})
    model = transformers.LEDForConditionalGeneration(config).eval()
    rng = np.random.default_rng(5)
    for name, tensor in model.state_dict().items():
        noise = rng.integers(-127, 128, tuple(tensor.shape)) / 128
        is_gain = "norm" in name and name.endswith("weight")
        tensor.copy_(torch.tensor(noise / 4 + 1 if is_gain else noise))
    return model


def logits_of(model):
    inputs = {name: torch.tensor(value) for name, value in INPUTS.items()}
    # The window of 4 wants 8 tokens.
    padding = {"input_ids": 1, "attention_mask": 0, "global_attention_mask": 0}
    for name, value in padding.items():
        inputs[name] = torch.nn.functional.pad(inputs[name], [0, 1], value=value)
    with torch.no_grad():
        return model(**inputs).logits.numpy()


def as_tf(cls, folder):
    return cls.from_pretrained(folder, from_pt=True)


def write_all(top):
    outputs = {}
    model = make_torch()
    model.save_pretrained(top / "torch-bin", safe_serialization=False)
    model.save_pretrained(top / "torch-safetensors")
    outputs["tied"] = logits_of(model)
    untied = make_torch(tie_word_embeddings=False)
    untied.save_pretrained(top / "torch-untied")
    outputs["untied"] = logits_of(untied)
    source = top / "torch-bin"
    head = as_tf(transformers.TFLEDForConditionalGeneration, source)
    tf_inputs = {name: np.array(value) for name, value in INPUTS.items()}
    outputs["tf"] = head(tf_inputs).logits.numpy()
    head.save_pretrained(top / "tf-h5")
    head.save_pretrained(top / "tf-sharded", max_shard_size="2KB")
    head.save_pretrained(top / "tf-safetensors", safe_serialization=True)
    head.save_pretrained(
        top / "tf-safetensors-sharded", safe_serialization=True, max_shard_size="2KB"
    )
    second = as_tf(transformers.TFLEDForConditionalGeneration, source)
    second.save_pretrained(top / "tf-second-of-a-process")
    bare = as_tf(transformers.TFLEDModel, source)
    bare.save_pretrained(top / "tf-bare")
    outputs["states"] = bare(tf_inputs).last_hidden_state.numpy()
    np.savez(top / "outputs.npz", **outputs)


def main():
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder))
        with tarfile.open(HERE / "old.tar.xz", "w:xz", preset=9) as archive:
            archive.add(folder, "old", filter=anonymous)


def anonymous(entry):
    """Leaves out who wrote it and when."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    main()
