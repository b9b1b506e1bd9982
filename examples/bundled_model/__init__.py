"""How the bundled model is made: `make bundled-model` from data to report."""
