"""What content achieved: per version, channel and day; rates; the variants of a page beside each other."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, QuerySet, Subquery

from apps.content.models import ContentAsset, ContentMetric, ContentVersion
from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.words import NOTHING

if TYPE_CHECKING:
    from apps.accounts.models import User

COUNTS = ("shown", "delivered", "bounced", "opened", "clicked", "converted", "complained", "unsubscribed")
LARGEST = 10_000_000_000


@dataclass(frozen=True)
class Figures:
    """Counts added up, and what they come to; a rate of nothing is None."""

    shown: int = 0
    delivered: int = 0
    bounced: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    complained: int = 0
    unsubscribed: int = 0

    @property
    def arrived(self) -> int:
        """How many arrived: as told, or what was sent without what bounced."""
        return self.delivered or max(0, self.shown - self.bounced)

    @property
    def rates(self) -> list[tuple[str, float | None]]:
        """The rates by name: bounces of what was sent; opens, complaints, unsubscribes of what arrived; clicks of
        opens, or of what was shown where nothing counts opens; conversions of opens (visits), else of clicks.
        """
        base = self.opened or self.clicked
        return [
            ("Bounced", _share(self.bounced, self.shown)),
            ("Opened or visited", _share(self.opened, self.arrived)),
            ("Clicked", _share(self.clicked, self.opened or self.arrived)),
            ("Converted", _share(self.converted, base)),
            ("Complained", _share(self.complained, self.arrived)),
            ("Unsubscribed", _share(self.unsubscribed, self.arrived)),
        ]

    @property
    def told(self) -> list[tuple[str, str]]:
        """The rates by name as people read them."""
        return [(name, NOTHING if rate is None else f"{rate:.2%}") for name, rate in self.rates]

    @property
    def conversion(self) -> str:
        """The rate of conversions as people read it."""
        return dict(self.told)["Converted"]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def newest_rows(rows: QuerySet[ContentMetric]) -> QuerySet[ContentMetric]:
    """Return those of `rows` that count: of each version, channel, day and source the one that came last."""
    same = ContentMetric.objects.filter(
        version=OuterRef("version"),
        main_channel=OuterRef("main_channel"),
        day=OuterRef("day"),
        source=OuterRef("source"),
    )
    found: QuerySet[ContentMetric] = rows.filter(pk=Subquery(same.order_by("-pk").values("pk")[:1]))
    return found


def figures_of(version: ContentVersion) -> dict[str, Figures]:
    """Return what a version achieved, by channel: one query."""
    return _added(newest_rows(ContentMetric.objects.filter(version=version)), lambda row: str(row.main_channel))


def _added(rows: Iterable[ContentMetric], key: Any) -> dict[str, Figures]:
    totals: dict[str, dict[str, int]] = {}
    for row in rows:
        total = totals.setdefault(key(row), dict.fromkeys(COUNTS, 0))
        for name in COUNTS:
            total[name] += getattr(row, name)
    return {name: Figures(**total) for name, total in sorted(totals.items())}


def by_variant(asset: ContentAsset) -> list[tuple[ContentVersion, Figures]]:
    """Return the versions of a piece of content that have figures, with what each achieved: two queries."""
    rows = newest_rows(ContentMetric.objects.filter(version__asset=asset))
    totals = _added(rows, lambda row: str(row.version_id))
    versions = ContentVersion.objects.filter(pk__in=totals).defer("body").order_by("variant", "number")
    return [(each, totals[str(each.pk)]) for each in versions]


def by_day(version: ContentVersion, *, most: int = 90) -> list[tuple[dt.date, Figures]]:
    """Return what a version achieved each day, over all channels, the newest `most` days in order: one query."""
    rows = newest_rows(ContentMetric.objects.filter(version=version))
    days = _added(rows, lambda row: row.day.isoformat())
    return [(dt.date.fromisoformat(day), figures) for day, figures in list(days.items())[-most:]]


def metric_problem(given: dict[str, Any], today: dt.date) -> str | None:
    """Return why a day of figures cannot be kept, None when it can."""
    if given["day"] > today:
        return f"{given['day']:%-d %B %Y} is yet to come; figures are of days that are over."
    if any(not 0 <= int(given.get(name) or 0) <= LARGEST for name in COUNTS):
        return f"Counts are whole numbers from 0 to {LARGEST:,}."
    if (given.get("bounced") or 0) > (given.get("shown") or 0):
        return "More bounced than were sent; are the two columns swapped?"
    if given.get("delivered") and given["delivered"] > (given.get("shown") or 0):
        return "More arrived than were sent; are the two columns swapped?"
    return None


def record_metric(
    version: ContentVersion,
    *,
    by: "User",
    day: dt.date,
    main_channel: str,
    source: str,
    today: dt.date,
    **counts: int,
) -> ContentMetric | None:
    """Keep a day of figures; None where the same is known already. A differing row is kept beside it and counts.

    Args:
        version: what was shown.
        by: who says so.
        day: of the figures.
        main_channel: where.
        source: which tool or list tells.
        today: the last day figures can be of.
        counts: shown, delivered, bounced, opened, clicked, converted, complained, unsubscribed.

    Raises:
        NotAllowed: `by` may not record figures.
        InvalidInput: the day is yet to come, or the counts contradict each other.
    """
    if not access.has_model_permission(by, "add", ContentMetric):
        raise NotAllowed("Your roles do not let you record figures of content.")
    if refused := metric_problem({"day": day, **counts}, today):
        raise InvalidInput(refused)
    same = ContentMetric.objects.filter(version=version, main_channel=main_channel, day=day, source=source)
    newest = same.order_by("-pk").first()
    given = {name: int(counts.get(name) or 0) for name in COUNTS}
    if newest is not None and all(getattr(newest, name) == given[name] for name in COUNTS):
        return None
    with acting_as(by):
        made: ContentMetric = ContentMetric.objects.create(
            version=version,
            main_channel=main_channel,
            day=day,
            source=source,
            recorded_by=by.get_username(),
            **given,
        )
    return made


@dataclass(frozen=True)
class Chart:
    """A line over days: the points of the picture, its top and ends in words."""

    points: str
    top: str
    first: str
    last: str
    words: str


def chart(days: list[tuple[dt.date, Figures]], name: str) -> Chart | None:
    """Return the line of one count over days, in a picture of 640 by 120; None with fewer than two days."""
    if len(days) < 2:
        return None
    values = [getattr(figures, name) for _, figures in days]
    top, first, last = max(values) or 1, days[0][0], days[-1][0]
    span = (last - first).days or 1
    points = " ".join(
        f"{8 + 624 * (day - first).days / span:.1f},{110 - 100 * value / top:.1f}"
        for (day, _), value in zip(days, values, strict=True)
    )
    words = f"{name}: {values[0]:,} on {first:%-d %b}, {values[-1]:,} on {last:%-d %b}, at most {max(values):,}"
    return Chart(points, f"{max(values):,}", f"{first:%-d %b}", f"{last:%-d %b %Y}", words)
