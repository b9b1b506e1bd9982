"""Option values that can be judged without a model."""

import logging
import math
import numbers

_logger = logging.getLogger(__name__)

_AT_LEAST = {
    "max_length": 1,
    "max_new_tokens": 1,
    "min_length": 0,
    "min_new_tokens": 0,
    "num_beams": 1,
    "num_beam_groups": 1,
    "num_return_sequences": 1,
}
# True or False, or None where nobody has said.
_FLAGS = (
    "do_sample",
    "use_cache",
    "renormalize_logits",
    "remove_invalid_values",
    "return_dict_in_generate",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "output_logits",
)


def check_values(values):
    """Refuses counts that are no counts, and options that exclude each other.

    What `GenerationConfig` refuses itself is not repeated here.

    Args:
        values: dict of option values by name.

    Raises:
        ValueError: naming the option, what it was and what is allowed.
    """
    for name, least in _AT_LEAST.items():
        _check_count(name, values[name], least)
    for name in _FLAGS:
        _check_flag(name, values[name])
    _check_early_stopping(values["early_stopping"])
    _check_number("length_penalty", values["length_penalty"])
    if values["max_time"] is not None:
        _check_number("max_time", values["max_time"], least=0)
    _check_groups(values)
    _check_contrastive(values)


def _check_count(name, value, least):
    is_count = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if value is not None and not (is_count and value >= least):
        raise ValueError(f"`{name}` must be an int from {least} on, got {value!r}.")


def _check_flag(name, value):
    # 1 and "no" would mean what nobody can tell: some of these are compared with True.
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False, got {value!r}.")


def _check_early_stopping(value):
    if not isinstance(value, bool) and value != "never":
        raise ValueError(
            f'`early_stopping` must be True, False or "never", got {value!r}.'
        )


def _check_number(name, value, least=-math.inf):
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and value >= least):
        bound = "" if least == -math.inf else f" from {least} on"
        raise ValueError(f"`{name}` must be a number{bound}, got {value!r}.")


def _check_groups(values):
    groups, beams = values["num_beam_groups"], values["num_beams"]
    penalty = values["diversity_penalty"]
    if groups == 1:
        if penalty != 0:
            raise ValueError(
                f"`diversity_penalty` is {penalty}, which needs `num_beam_groups` > 1."
            )
        return
    if beams % groups:
        raise ValueError(
            f"`num_beams` must be a multiple of `num_beam_groups`, got {beams} beams "
            f"and {groups} groups."
        )
    if values["do_sample"]:
        raise ValueError(
            f"`num_beam_groups` is {groups}, which needs `do_sample=False`: group beam "
            "search does not sample."
        )
    if not penalty > 0:
        raise ValueError(
            f"`diversity_penalty` must be above 0 with {groups} groups of beams, got "
            f"{penalty}: without it every group finds the same."
        )


def _check_contrastive(values):
    alpha = values["penalty_alpha"]
    if alpha is None or alpha == 0:
        return
    if not 0 < alpha <= 1:
        raise ValueError(f"`penalty_alpha` must be from 0 to 1, got {alpha!r}.")
    searches_otherwise = values["do_sample"] or values["num_beams"] > 1
    if searches_otherwise or (values["top_k"] or 0) <= 1:
        _logger.warning(
            "`penalty_alpha` (%s) has no effect: contrastive search needs `top_k` > 1, "
            "`do_sample=False` and `num_beams=1`.",
            alpha,
        )
