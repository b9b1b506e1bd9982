"""PyTorch's LED from transformers: forward, training step, encoder, generation."""

import inputs
import measure
import torch
from transformers import LEDForConditionalGeneration


def make_model(job):
    """The model of the run's checkpoint, in the job's dtype."""
    return LEDForConditionalGeneration.from_pretrained(
        job["checkpoint"], dtype=getattr(torch, job["dtype"])
    ).eval()


def document(job):
    names = "input_ids", "attention_mask", "global_attention_mask"
    arrays = [torch.tensor(x, dtype=torch.long) for x in inputs.document(job)]
    return dict(zip(names, arrays, strict=True))


def target(job):
    return torch.tensor(inputs.target(job), dtype=torch.long)


def forward(job):
    model, batch, ids = make_model(job), document(job), target(job)

    @torch.no_grad()
    def call():
        return model(**batch, decoder_input_ids=ids, use_cache=False).logits

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
