"""PyTorch's LED from transformers: forward, training step, encoder, generation."""

import inputs
import measure
import torch
import torch_device
from transformers import LEDForConditionalGeneration


def make_model(job):
    """The model of the run's checkpoint, in the job's dtype."""
    model = LEDForConditionalGeneration.from_pretrained(
        job["checkpoint"], dtype=getattr(torch, job["dtype"])
    )
    return model.to(torch_device.NAME).eval()


def document(job):
    names = "input_ids", "attention_mask", "global_attention_mask"
    return dict(zip(names, map(ids, inputs.document(job)), strict=True))


def target(job):
    return ids(inputs.target(job))


def ids(array):
    return torch.tensor(array, dtype=torch.long, device=torch_device.NAME)


def forward(job):
    model, batch, tokens = make_model(job), document(job), target(job)

    @torch.no_grad()
    def call():
        return model(**batch, decoder_input_ids=tokens, use_cache=False).logits

    return call


def encode(job):
    encoder, batch = make_model(job).get_encoder(), document(job)
    return torch.no_grad()(lambda: encoder(**batch).last_hidden_state)


def generate(job):
    model, batch = make_model(job), document(job)
    return lambda: model.generate(
        **batch,
        num_beams=job["num_beams"],
        min_new_tokens=job["target_len"],
        max_new_tokens=job["target_len"],
    )


def train(job):
    model, batch, labels = make_model(job).train(), document(job), target(job)
    if job["checkpointing"]:
        model.gradient_checkpointing_enable()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-5)

    def step():
        optimizer.zero_grad()
        model(**batch, labels=labels).loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    works = forward, encode, generate, train
    measure.run({work.__name__: work for work in works})
