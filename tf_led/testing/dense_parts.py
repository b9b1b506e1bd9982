"""The pieces of a transformer in NumPy that LED's encoder and decoder share."""

import math

import numpy as np

_ERF = np.vectorize(math.erf, otypes=["float64"])
ACTIVATIONS = {
    "gelu": lambda x: x * 0.5 * (1 + _ERF(x / math.sqrt(2))),
    "gelu_new": lambda x: (
        x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    ),
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
}


class Weights:
    """PyTorch's named arrays below one prefix, and what is computed with them.

    Args:
        arrays: dict from name to float array; kernels are [out, in] as in PyTorch.
        prefix: what each name starts with, such as "encoder.layers.0.".
    """

    def __init__(self, arrays, prefix=""):
        self.arrays, self.prefix = arrays, prefix

    def below(self, prefix):
        return Weights(self.arrays, self.prefix + prefix)

    def __getitem__(self, name):
        return self.arrays[self.prefix + name]

    def linear(self, name, hidden):
        return hidden @ self[name + ".weight"].T + self[name + ".bias"]

    def heads(self, name, hidden, num_heads):
        """The projection `name`, cut into heads: [B, S, D] -> [B, S, N, H]."""
        return self.linear(name, hidden).reshape(*hidden.shape[:2], num_heads, -1)

    def norm(self, name, hidden):
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        unit = centred / np.sqrt(variance + 1e-5)
        return unit * self[name + ".weight"] + self[name + ".bias"]

    def embed(self, ids):
        """Tokens plus positions, which count padding too, then the norm."""
        length, limit = ids.shape[1], len(self["embed_positions.weight"])
        if length > limit:
            raise ValueError(
                f"{length} tokens are more than the {limit} positions of the "
                f"{self.prefix.strip('.')}."
            )
        hidden = (
            self.arrays["shared.weight"][ids] + self["embed_positions.weight"][:length]
        )
        return self.norm("layernorm_embedding", hidden)

    def feed_forward(self, hidden, activation):
        inner = ACTIVATIONS[activation](self.linear("fc1", hidden))
        return self.norm("final_layer_norm", hidden + self.linear("fc2", inner))

    def attend(self, hidden, memory, visible, head_mask):
        """The decoder's attention from `hidden` to the `visible` [B, T, S] of `memory`.

        Returns the projected context [B, T, D] and the probabilities [B, N, T, S]; a
        query that sees nothing has probabilities of zero.
        """
        num_heads = len(head_mask)
        query = self.heads("q_proj", hidden, num_heads)
        key = self.heads("k_proj", memory, num_heads)
        value = self.heads("v_proj", memory, num_heads)
        scores = np.einsum("btnh,bsnh->bnts", query, key) / math.sqrt(key.shape[-1])
        scores = np.where(visible[:, None], scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True, initial=-1e300))
        total = weights.sum(axis=-1, keepdims=True)
        probs = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        probs = probs * head_mask[:, None, None]
        context = np.einsum("bnts,bsnh->btnh", probs, value)
        return self.linear("out_proj", context.reshape(hidden.shape)), probs
