"""Options of `generate` that exclude each other."""

import logging

from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.utils.validation import check_int, check_unit

MOST_CANDIDATES = 1024
_logger = logging.getLogger(__name__)


def check_combinations(values):
    """Checks options of which each alone is allowed.

    Args:
        values: dict of all option values by name.

    Raises:
        ValueError: naming those that exclude each other.
    """
    groups, penalty = values["num_beam_groups"], values["diversity_penalty"]
    if groups == 1 and penalty != 0:
        raise ValueError(
            f"`diversity_penalty` is {penalty}, which needs `num_beam_groups` > 1."
        )
    if groups > 1:
        _check_groups(values, groups, penalty)
    if values["penalty_alpha"]:
        _check_contrastive(values)
    _check_drafts(values)


def _check_groups(values, groups, penalty):
    beams = values["num_beams"]
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
    alpha, top_k = values["penalty_alpha"], values["top_k"]
    check_unit("penalty_alpha", alpha, "[0, 1]")
    searches_otherwise = values["do_sample"] or values["num_beams"] > 1
    if not searches_otherwise:
        check_int("top_k", top_k, 0)
        if top_k > MOST_CANDIDATES:  # each is read by the decoder
            raise ValueError(
                f"`top_k` must be at most {MOST_CANDIDATES:,} with `penalty_alpha`, "
                f"got {top_k!r}."
            )
    if searches_otherwise or top_k <= 1:
        _logger.warning(
            "`penalty_alpha` (%s) has no effect: contrastive search needs `top_k` > 1, "
            "`do_sample=False` and `num_beams=1`.",
            alpha,
        )


def _check_drafts(values):
    options = GenerationOptions(**values)
    given = options.draft_options
    if not given:
        return
    if len(given) > 1:
        raise ValueError(
            f"`prompt_lookup_num_tokens` is {values[given[0]]} and an "
            "`assistant_model` was given: drafts come from one of them. Leave the "
            "other out."
        )
    name = given[0]
    # Nobody need have given the number of an assistant's drafts.
    by_assistant = name == "num_assistant_tokens"
    wanted = (
        "An `assistant_model`" if by_assistant else f"`{name}` is {values[name]}, which"
    )
    if options.mode not in ("greedy", "sample"):
        mode = options.mode.replace("_", " ")
        is_contrastive = options.mode == "contrastive_search"
        switch = "penalty_alpha" if is_contrastive else "num_beams"
        way = "penalty_alpha=None" if is_contrastive else "num_beams=1"
        raise ValueError(
            f"{wanted} goes with greedy search and sampling only, got {mode} "
            f"({switch}={values[switch]}). Leave it out, or set `{way}`."
        )
    if not values["use_cache"]:
        raise ValueError(f"{wanted} needs `use_cache=True`, got False.")
