"""How well the predictive score would do on a file of leads without dates: a stratified hold-out, the same every time.

What is known only late, after people have talked to a lead, would tell the answer and is left out.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p

from apps.core.errors import InvalidInput
from apps.leads.domain.predicting.fitting import Quality, fit, judge, refuse_data

OUTCOME, KEY = "ToBeConverted", "Lead Number"
KNOWN_LATE = ("Lead Quality", "Last Notable Activity")
HELD_OUT, SEED, RARE = 0.3, 20260101, 20


@dataclass(frozen=True)
class Held:
    """What a hold-out found."""

    train: int
    test: int
    features: tuple[str, ...]
    quality: Quality

    @property
    def sentence(self) -> str:
        """The figures in words."""
        found = self.quality
        return (
            f"Learnt from {self.train:,} leads, judged on {self.test:,} it had not seen: AUC {found.auc or 0:.3f}, "
            f"Brier score {found.brier:.3f}, predicted and seen {found.error:.1%} apart on average."
        )


def evaluate(rows: Sequence[Mapping[str, str]]) -> Held:
    """Fit on seven tenths of the rows and judge on the others, with the same share of converted leads in both.

    Raises:
        InvalidInput: the outcome is missing, or there is too little to learn from.
    """
    if not rows or OUTCOME not in rows[0]:
        raise InvalidInput(f"The file needs a column “{OUTCOME}” that says 1 where a lead was converted.")
    outcomes = [row[OUTCOME].strip() == "1" for row in rows]
    if refused := refuse_data(outcomes):
        raise InvalidInput(refused)
    names = [name for name in rows[0] if name not in (OUTCOME, KEY, *KNOWN_LATE)]
    counted = {name: [row.get(name) or "" for row in rows] for name in names}
    figures = {name for name in names if all(_is_number(value) for value in counted[name] if value)}
    features = [_features(row, figures, names) for row in rows]
    dice = random.Random(SEED)  # noqa: S311  # the same split every time, no secret
    held: set[int] = set()
    for answer in (True, False):
        places = [place for place, outcome in enumerate(outcomes) if outcome == answer]
        dice.shuffle(places)
        held |= set(places[: round(HELD_OUT * len(places))])
    train = [place for place in range(len(rows)) if place not in held]
    usual = _often(features, train)
    kept = [{name: value for name, value in row.items() if name in usual} for row in features]
    model = fit([kept[place] for place in train], [outcomes[place] for place in train])
    test = sorted(held)
    quality = judge([model.probability(kept[place]) for place in test], [outcomes[place] for place in test])
    return Held(len(train), len(test), tuple(each.name for each in model.weights), quality)


def _often(features: Sequence[Mapping[str, float]], train: Sequence[int]) -> set[str]:
    """Return the features that enough leads to learn from have: a word that three of them share tells nothing."""
    found: dict[str, int] = {}
    for place in train:
        for name in features[place]:
            found[name] = found.get(name, 0) + 1
    return {name for name, number in found.items() if number >= RARE}


def _features(row: Mapping[str, str], figures: set[str], names: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in names:
        value = (row.get(name) or "").strip()
        if name in figures:
            found[f"{name} (log)"] = log1p(max(float(value), 0.0)) if value else 0.0
        else:
            found[f"{name}: {value or 'not known'}"] = 1.0
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
