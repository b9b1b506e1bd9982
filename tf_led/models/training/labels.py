"""Finding labels, and the logits and weights that belong to them."""

from tf_led.models.inputs.named_inputs import is_mapping


class NamedLabels:
    """Names what a model learns from, and the logits that each label belongs to.

    Labels stand in the inputs by their names, or come as `y`: the label alone, or a
    dict by these names, or a tuple in this order where there are several. A Keras loss
    or metric sees several, and their logits, as dicts by the names of the logits.
    """

    label_names = ("labels",)
    logits_names = ("logits",)

    def _find_labels(self, inputs, y):
        """The labels by their names, from `y` or else from the inputs."""
        names = self.label_names
        if y is not None and not is_mapping(y):
            several = len(names) > 1
            if several and not (isinstance(y, (tuple, list)) and len(y) == len(names)):
                raise ValueError(
                    f"`y` is a {type(y).__name__}; give a dict of {', '.join(names)}, "
                    "or a tuple of them in this order."
                )
            y = dict(zip(names, y if several else [y], strict=True))
        found = {}
        for source in (inputs, y):
            if is_mapping(source):
                held = ((name, source.get(name)) for name in names)
                found |= {name: value for name, value in held if value is not None}
        return found

    def _one_or_named(self, labels, names):
        """The label itself if there can be but one, else all of them by `names`."""
        values = [labels.get(name) for name in self.label_names]
        return values[0] if len(values) == 1 else dict(zip(names, values, strict=True))

    def _weights(self, weights, names):
        """Sample weights; by `names` where each of several labels has its own."""
        if is_mapping(weights):
            return self._one_or_named(weights, names)
        if isinstance(weights, (tuple, list)) and len(self.label_names) > 1:
            return dict(zip(names, weights, strict=True))
        return weights

    def _logits(self, outputs):
        values = [outputs[name] for name in self.logits_names]
        if len(values) == 1:
            return values[0]
        return dict(zip(self.logits_names, values, strict=True))
