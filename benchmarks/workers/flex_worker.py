"""FlexAttention of PyTorch, compiled, with LED's sliding window: attention alone."""

import inputs
import measure
import torch
import torch_device
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

RADIUS = 512


def attention(job):
    dtype = getattr(torch, job["dtype"])
    q, k, v = [  # [B, N, S, H], the layout it asks for
        torch.tensor(x).transpose(1, 2).contiguous().to(torch_device.NAME, dtype)
        for x in inputs.heads(job)
    ]
    length = job["source_len"]
    blocks = create_block_mask(
        in_window, None, None, length, length, device=torch_device.NAME
    )
    run = torch.compile(flex_attention)
    return torch.no_grad()(lambda: run(q, k, v, block_mask=blocks)[0, 0, 0, 0].item())


def in_window(batch, head, query, key):
    return (query - key).abs() <= RADIUS


if __name__ == "__main__":
    measure.run({"attention": attention})
