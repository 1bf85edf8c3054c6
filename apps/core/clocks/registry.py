"""What is measured by clocks: metrics registered in code by the app that answers for them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.core.clocks.enums import RungKind


@dataclass(frozen=True)
class Rung:
    """One step of a ladder: at `percent` of the target, what is asked for."""

    percent: int
    kind: RungKind = RungKind.NOTIFY

    def __post_init__(self) -> None:
        """Refuse a rung nobody can reach.

        Raises:
            ValueError: the percentage is out of range.
        """
        if not 1 <= self.percent <= 1000:
            raise ValueError(f"A rung stands between 1 and 1000 % of the target, not at {self.percent} %.")


DEFAULT_LADDER = (
    Rung(50, RungKind.NOTIFY),
    Rung(75, RungKind.NOTIFY),
    Rung(90, RungKind.ESCALATE),
    Rung(100, RungKind.ESCALATE),
)


@dataclass(frozen=True)
class PauseReason:
    """Why a clock may stand still, and for how long at most.

    Attributes:
        key: "waiting_for_requester".
        title: read after "paused 1 h", for instance "waiting for requester".
        cap: working time after which the clock runs again by itself, all pauses of this reason added up; None for no
            limit.
    """

    key: str
    title: str
    cap: dt.timedelta | None = None


@dataclass(frozen=True)
class Metric:
    """One kind of time that is measured.

    Attributes:
        key: "tickets.first_response".
        title: "First response".
        on_rung: `on_rung(clock, rung, *, at)` is called once for each rung, in the transaction that records it, with
            the subject's row locked; `at` is the working moment at which the rung was reached. It writes rows and
            queues jobs, nothing else: a killed worker takes all of it back and another does it again.
        pause_reasons: why its clocks may pause; without any they never do.
        ladder: the rungs of a clock that is started without its own.
    """

    key: str
    title: str
    on_rung: Callable[..., None] | None = None
    pause_reasons: Sequence[PauseReason] = ()
    ladder: Sequence[Rung] = DEFAULT_LADDER
    _reasons: Mapping[str, PauseReason] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Index the reasons."""
        object.__setattr__(self, "_reasons", {reason.key: reason for reason in self.pause_reasons})

    def reason(self, key: str) -> PauseReason | None:
        """Return the reason called `key`, None where this metric knows none of that name."""
        return self._reasons.get(key)


_metrics: dict[str, Metric] = {}


def register_metric(metric: Metric) -> Metric:
    """Make a metric known; called from `AppConfig.ready` of the app whose records it measures."""
    _metrics[metric.key] = metric
    return metric


def metric_of(key: str) -> Metric:
    """Return the metric registered as `key`.

    Raises:
        LookupError: nobody registered it.
    """
    if key not in _metrics:
        raise LookupError(f"{key!r} is no metric of clocks; call register_metric() in the ready() of its app.")
    return _metrics[key]


def known_metric(key: str) -> Metric:
    """Return the metric registered as `key`, a bare one where the app that knew it is gone."""
    return _metrics.get(key) or Metric(key, key.rpartition(".")[2].replace("_", " ").capitalize())


def all_metrics() -> list[Metric]:
    """Return every metric, by key."""
    return [_metrics[key] for key in sorted(_metrics)]


def ladder_as_rows(ladder: Sequence[Rung]) -> list[list[Any]]:
    """Write a ladder the way a clock keeps it, lowest rung first; the same percentage twice is one rung.

    Raises:
        ValueError: two different rungs stand at the same percentage.
    """
    rungs = {rung.percent: rung for rung in ladder}
    if len(rungs) != len(set(ladder)):
        raise ValueError("Two rungs of one ladder stand at the same percentage.")
    return [[rung.percent, rung.kind.value] for _, rung in sorted(rungs.items())]


def ladder_of(rows: Sequence[Sequence[Any]]) -> tuple[Rung, ...]:
    """Read what `ladder_as_rows` wrote."""
    return tuple(Rung(int(percent), RungKind(kind)) for percent, kind in rows)
