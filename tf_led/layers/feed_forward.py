"""What follows attention in every layer: residuals, norms and the two-layer network."""

from tf_led.layers import heads
from tf_led.ops.activations import get_activation
from tf_led.ops.dropout import dropout, fold_seed


class FeedForwardMixin:
    """Gives a layer `fc1`, `fc2` and `final_layer_norm`, and post-norm residuals."""

    def add_feed_forward(
        self, dim, ffn_dim, *, activation, dropout_rate, activation_dropout, init_std
    ):
        """Creates the sublayers; called from `__init__`."""
        self.dim = dim
        self.ffn_dim = ffn_dim
        self.activation = get_activation(activation)
        self.dropout_rate = dropout_rate
        self.activation_dropout = activation_dropout
        policy = self.dtype_policy
        self.fc1 = heads.dense(ffn_dim, init_std, "fc1", policy)
        self.fc2 = heads.dense(dim, init_std, "fc2", policy)
        self.final_layer_norm = heads.layer_norm("final_layer_norm", policy)

    def build_feed_forward(self):
        """Builds the sublayers; called from `build`."""
        self.fc1.build((None, None, self.dim))
        self.fc2.build((None, None, self.ffn_dim))
        self.final_layer_norm.build((None, None, self.dim))

    def add_and_norm(self, residual, update, norm, seed):
        """Returns norm(residual + dropout(update)), [B, S, D]."""
        return norm(residual + dropout(update, self.dropout_rate, seed))

    def feed_forward(self, hidden, seed):
        """Maps [B, S, D] to [B, S, D] through the wide layer, residual and norm."""
        update = heads.on_rows(lambda rows: self._two_layers(rows, seed), hidden)
        return self.add_and_norm(
            hidden, update, self.final_layer_norm, fold_seed(seed, 1)
        )

    def _two_layers(self, rows, seed):
        wide = self.activation(self.fc1(rows))
        wide = dropout(wide, self.activation_dropout, fold_seed(seed, 0))
        return self.fc2(wide)
