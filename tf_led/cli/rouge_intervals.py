"""ROUGE with the interval that its mean lies in."""

import numpy as np

from tf_led.cli.errors import UsageError

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
SAMPLES = 1000


def score_texts(predictions, references):
    """Scores every text by rouge-score, with stemming.

    Args:
        predictions: list of n str.
        references: list of n str; for Lsum one sentence a line.

    Returns:
        Dict from name to float64[n], F1 from 0 to 100.

    Raises:
        UsageError: if rouge-score is not installed.
    """
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise UsageError(
            "ROUGE needs rouge-score, which is not installed: "
            "pip install 'tf_led[train]'"
        ) from None
    scorer = RougeScorer(NAMES, use_stemmer=True)
    scored = [
        scorer.score(reference, prediction)
        for prediction, reference in zip(predictions, references, strict=True)
    ]
    return {
        name: np.array([100 * score[name].fmeasure for score in scored])
        for name in NAMES
    }


def with_interval(values, *, seed, confidence=0.95):
    """The mean of scores, and where it lies if the texts were drawn again.

    Args:
        values: float[n].
        seed: int, of the 1000 draws.
        confidence: float, share of the draws within the interval.

    Returns:
        Dict of `mean`, `low` and `high`, float.

    Example:
        >>> from tf_led.cli.rouge_intervals import with_interval
        >>> with_interval([50.0, 50.0], seed=0)
        {'mean': 50.0, 'low': 50.0, 'high': 50.0}
    """
    random, values = np.random.default_rng(seed), np.asarray(values)
    draws = range(SAMPLES)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in draws]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    numbers = {"mean": values.mean(), "low": low, "high": high}
    return {name: round(float(number), 4) for name, number in numbers.items()}
