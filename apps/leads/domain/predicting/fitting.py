"""Logistic regression over plain features: fitted on the earlier part, judged on the later one. No database here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

from apps.leads.domain.scoring.judging import auc

METHOD, STRENGTH, TENTHS = "logistic regression", 1.0, 10
LEAST_ROWS, LEAST_OF_EACH = 200, 40  # below, nothing is shown: a figure nobody can trust is worse than none


@dataclass(frozen=True)
class Weight:
    """One feature: its weight per standard deviation, and its usual value and spread."""

    name: str
    weight: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Fitted:
    """A fitted model that explains itself: log odds are the intercept and what each feature adds."""

    intercept: float
    weights: tuple[Weight, ...]

    def parts(self, features: Mapping[str, float]) -> list[tuple[str, float]]:
        """Return what each feature adds to the log odds, the strongest first."""
        added = [
            (each.name, each.weight * (features.get(each.name, 0.0) - each.mean) / each.spread) for each in self.weights
        ]
        return sorted(added, key=lambda part: -abs(part[1]))

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability for one lead."""
        return 1 / (1 + exp(-(self.intercept + sum(part for _, part in self.parts(features)))))

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {
            "intercept": self.intercept,
            "weights": [[each.name, each.weight, [each.mean, each.spread]] for each in self.weights],
        }


def read_fitted(stored: Mapping[str, Any]) -> Fitted:
    """Return a stored model."""
    weights = tuple(Weight(name, weight, *usual) for name, weight, usual in stored["weights"])
    return Fitted(float(stored["intercept"]), weights)


def refuse_data(outcomes: Sequence[bool]) -> str | None:
    """Return why there is too little to learn from, None when there is enough."""
    positives = sum(outcomes)
    if len(outcomes) >= LEAST_ROWS and min(positives, len(outcomes) - positives) >= LEAST_OF_EACH:
        return None
    return (
        f"{len(outcomes):,} leads with a known outcome, {positives:,} of them good: it takes {LEAST_ROWS} and at least "
        f"{LEAST_OF_EACH} of each outcome before anything is predicted."
    )


def fit(rows: Sequence[Mapping[str, float]], outcomes: Sequence[bool]) -> Fitted:
    """Fit a model: features to standard deviations, an L2 penalty, the same result every time."""
    import numpy  # noqa: PLC0415  # a second to import: only the monthly fit pays for it
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    names = sorted({name for row in rows for name in row})
    table = numpy.array([[row.get(name, 0.0) for name in names] for row in rows], dtype=float)
    means, spreads = table.mean(axis=0), table.std(axis=0)
    kept = [place for place, spread in enumerate(spreads) if spread > 0]
    scaled = (table[:, kept] - means[kept]) / spreads[kept]
    found = LogisticRegression(C=STRENGTH, max_iter=1000).fit(scaled, numpy.array(outcomes, dtype=int))
    weights = (
        Weight(names[place], float(weight), float(means[place]), float(spreads[place]))
        for place, weight in zip(kept, found.coef_[0], strict=True)
    )
    return Fitted(float(found.intercept_[0]), tuple(weights))


@dataclass(frozen=True)
class Quality:
    """How good probabilities were on leads the model had not seen."""

    auc: float | None
    brier: float
    log_loss: float
    calibration: list[list[float]]

    @property
    def error(self) -> float:
        """The expected calibration error: how far predicted and seen lie apart, by tenths."""
        total = sum(number for _, _, number in self.calibration)
        return sum(number * abs(said - seen) for said, seen, number in self.calibration) / total if total else 0.0


def judge(said: Sequence[float], outcomes: Sequence[bool]) -> Quality:
    """Return AUC, Brier score, log loss, and predicted against seen by tenths of the leads."""
    pairs = sorted(zip(said, outcomes, strict=True))
    size = max(1, -(-len(pairs) // TENTHS))
    tenths = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    calibration = [
        [sum(p for p, _ in part) / len(part), sum(o for _, o in part) / len(part), float(len(part))] for part in tenths
    ]
    brier = sum((p - o) ** 2 for p, o in pairs) / len(pairs)
    tiny = 1e-12
    loss = -sum(log(max(p if o else 1 - p, tiny)) for p, o in pairs) / len(pairs)
    return Quality(auc(pairs), brier, loss, calibration)


def drift(before: Sequence[float], now: Sequence[float]) -> float | None:
    """Return the population stability index of two sets of probabilities, by tenths of the first; None without both."""
    if not before or not now:
        return None
    import numpy  # noqa: PLC0415  # as above

    cuts = numpy.quantile(numpy.array(before), [place / TENTHS for place in range(1, TENTHS)])
    shares = []
    for values in (before, now):
        places = numpy.searchsorted(cuts, numpy.array(values), side="right")
        counted = numpy.bincount(places, minlength=TENTHS) + 0.5  # half a lead everywhere: no empty tenth
        shares.append(counted / counted.sum())
    return float(((shares[1] - shares[0]) * numpy.log(shares[1] / shares[0])).sum())
