"""What a load found: the keys that a file and a model do not share."""

import dataclasses
import warnings

from tf_led.checkpoints import names
from tf_led.checkpoints.errors import some


@dataclasses.dataclass
class LoadReport:
    """What a file had and a model wanted, in PyTorch's names.

    Args:
        missing_keys: list of str, weights of the model that the file lacks; they keep
            their initial values.
        unexpected_keys: list of str, weights of the file that the model lacks.
        mismatched_keys: list of (key, shape in the file, shape in the model), left at
            their initial values under `ignore_mismatched_sizes`.
        error_msgs: list of str, always empty, since an error is raised; transformers'
            `output_loading_info` has this field.
        nonfinite_keys: list of str, weights of the file, loaded as they are, that hold
            NaN or infinity.
    """

    missing_keys: list = dataclasses.field(default_factory=list)
    unexpected_keys: list = dataclasses.field(default_factory=list)
    mismatched_keys: list = dataclasses.field(default_factory=list)
    error_msgs: list = dataclasses.field(default_factory=list)
    nonfinite_keys: list = dataclasses.field(default_factory=list)

    def as_dict(self):
        """Returns the fields as a dict, as `output_loading_info=True` gives it."""
        return dataclasses.asdict(self)


def make_report(plan, keys, mismatched, nonfinite=()):
    """Sums up a plan.

    Args:
        plan: `Plan`.
        keys: dict of PyTorch's name by path, for each variable of the model.
        mismatched: list of (key, shape in the file, shape in the model).
        nonfinite: list of str, the file's keys of weights with NaN or infinity.

    Returns:
        `LoadReport`; weights that are zeros where a file lacks them are not missing.
    """
    missing = [
        key
        for path, key in keys.items()
        if path not in plan.found and path not in names.ZERO_IF_ABSENT
    ]
    return LoadReport(
        sorted(missing),
        sorted(plan.unexpected),
        sorted(mismatched),
        nonfinite_keys=sorted(nonfinite),
    )


def warn_about(report, file, stacklevel, drawn=False):
    """Warns of every weight that did not go where one might think it went.

    Args:
        report: `LoadReport`.
        file: Path of the weight file.
        stacklevel: Python int, as for `warnings.warn`, counted from the caller.
        drawn: bool, whether what the file has no values for was drawn at random.
    """
    instead = "newly drawn" if drawn else "left as they were"
    told = (
        (report.missing_keys, f"lacks {{}} of the model's weights, {instead}: {{}}"),
        (report.unexpected_keys, "has {} weights that the model does not use: {}"),
        (
            [key for key, *_ in report.mismatched_keys],
            f"has {{}} weights of another shape, not loaded but {instead}: {{}}",
        ),
        (report.nonfinite_keys, "has {} weights with NaN or infinite numbers: {}"),
    )
    for keys, text in told:
        if keys:
            message = f"`{file}` {text.format(len(keys), some(keys))}."
            warnings.warn(message, stacklevel=stacklevel + 1)
