"""Writes data/classification: what PyTorch's LED for classification computed.

Needs transformers 4.57.6 and torch, in an environment of their own, as the package
itself needs version 5, which dropped the class:

    pip install transformers==4.57.6 torch safetensors
    python tests/parity/make_classification_golden.py

The folder gets the checkpoint that PyTorch wrote (config.json, model.safetensors),
golden.json with inputs, logits and losses, and gradients.safetensors with the gradient
of every weight by the loss of single labels.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LEDConfig, LEDForSequenceClassification

FOLDER = Path(__file__).parent / "data" / "classification"
CONFIG = {
    "vocab_size": 13,
    "d_model": 6,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 5,
    "decoder_ffn_dim": 7,
    "attention_window": 4,
    "max_encoder_position_embeddings": 12,
    "max_decoder_position_embeddings": 11,
    "num_labels": 3,
}
# Two end tokens (2) in every row; the first row has two global tokens.
INPUTS = {
    "input_ids": [
        [0, 5, 11, 2, 7, 9, 3, 2, 6],
        [0, 8, 2, 4, 10, 2, 1, 1, 1],
        [0, 12, 2, 2, 1, 1, 1, 1, 1],
    ],
    "attention_mask": [[1] * 9, [1] * 6 + [0] * 3, [1] * 4 + [0] * 5],
    "global_attention_mask": [
        [1, 0, 0, 0, 1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0] * 9,
    ],
}
LABELS = {
    "single_label_classification": [2, 0, 1],
    "multi_label_classification": [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0] * 3],
    "regression": [[0.5, -1.5, 3.0], [2.0, 0.25, -0.75], [1.0, 1.5, 0.0]],
}
NUMBERS = [0.5, -1.5, 2.0]


def main():
    torch.manual_seed(0)
    model = make_model(**CONFIG)
    FOLDER.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(FOLDER)
    golden = {"inputs": INPUTS, "labels": LABELS, "numbers": NUMBERS, "answers": {}}
    for problem_type, labels in LABELS.items():
        model.config.problem_type = None if "single" in problem_type else problem_type
        model.zero_grad()
        output = call(model, labels)
        output.loss.backward()
        golden["logits"] = output.logits.tolist()
        golden["answers"][problem_type] = {
            "loss": output.loss.item(),
            "out_proj": model.classification_head.out_proj.weight.grad.tolist(),
        }
        if "single" in problem_type:
            save_file(gradients(model), FOLDER / "gradients.safetensors")
    golden["one_number"] = one_number(model)
    (FOLDER / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


def make_model(**fields):
    """Weights of large spread: with the usual small ones a mistake hardly shows."""
    model = LEDForSequenceClassification(LEDConfig(**fields)).eval()
    for name, weight in model.named_parameters():
        noise = torch.randn_like(weight)
        is_gain = "norm" in name and name.endswith("weight")
        weight.data = 1 + 0.3 * noise if is_gain else 0.6 * noise
    return model


def call(model, labels):
    inputs = {name: torch.tensor(rows) for name, rows in INPUTS.items()}
    return model(**inputs, labels=torch.tensor(labels))


def gradients(model):
    """The gradient of every weight; zeros where it has no part in the loss."""
    return {
        name: torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
        for name, weight in model.named_parameters()
    }


def one_number(model):
    """The same model with the first of its labels alone."""
    small = make_model(**{**CONFIG, "num_labels": 1})
    weights = model.state_dict()
    for kind in ("weight", "bias"):
        name = f"classification_head.out_proj.{kind}"
        weights[name] = weights[name][:1]
    small.load_state_dict(weights)
    output = call(small, NUMBERS)
    return {"logits": output.logits.tolist(), "loss": output.loss.item()}


if __name__ == "__main__":
    main()
