"""What files bring of content: daily figures per version and channel."""

from collections.abc import Sequence
from typing import Any

from apps.content.domain.figures import COUNTS, record_metric
from apps.content.enums import Channel
from apps.content.models import ContentMetric, ContentVersion
from apps.core import access, clock
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.technology.money_imports import row_by_row

_ALIASES = {
    "shown": ("impressions", "sent", "sends"),
    "delivered": ("deliveries",),
    "bounced": ("bounces",),
    "opened": ("opens", "visits", "sessions", "page views"),
    "clicked": ("clicks",),
    "converted": ("conversions", "submissions"),
    "complained": ("complaints", "spam reports"),
    "unsubscribed": ("unsubscribes", "opt-outs"),
}


@register_importer
class ContentMetricImporter(Importer):
    """Daily figures of content."""

    key = "content.metrics"
    title = "Daily figures of content"
    model = ContentMetric
    natural_key = ("content", "version", "main_channel", "day", "source")
    help = (
        "One row per version, channel, day and source. A row that is known already changes nothing; one with other "
        "counts is kept beside it and counts from then on, so that corrections leave a trace."
    )
    columns = (
        Column("content", "Content", aliases=("title", "asset"), parse=values.one_line, required=True),
        Column("version", "Version", parse=values.integer, required=True, example="2"),
        Column("main_channel", "Channel", parse=values.choice(Channel), required=True, example="E-mail"),
        Column("day", "Day", aliases=("date",), parse=values.date, required=True, example="2026-10-31"),
        Column("source", "Source", parse=values.one_line, required=True, example="HubSpot"),
        *(
            Column(name, name.replace("_", " ").capitalize(), aliases=_ALIASES[name], parse=values.integer, empty=0)
            for name in COUNTS
        ),
    )

    def required_columns(self) -> tuple[Column, ...]:
        """Counts that a channel does not know may be missing."""
        return tuple(column for column in super().required_columns() if column.name not in COUNTS)

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Add the figures that are new."""
        versions: dict[tuple[str, int], list[ContentVersion]] = {}
        found = access.visible(by, ContentVersion).filter(asset__title__in={row.values["content"] for row in rows})
        for each in found.select_related("asset").defer("body"):
            versions.setdefault((each.asset.title, each.number), []).append(each)
        today = clock.today()

        def carry(row: Row) -> Outcome:
            given = row.values
            there = versions.get((given["content"], int(given["version"])), [])
            if len(there) != 1:
                many = "Several pieces of content have" if there else "No content has"
                title = values.quoted(given["content"])
                raise InvalidInput(f"{many} the title {title} and a version {given['version']}.")
            made = record_metric(
                there[0],
                by=by,
                day=given["day"],
                main_channel=given["main_channel"],
                source=given["source"],
                today=today,
                **{name: int(given.get(name) or 0) for name in COUNTS},
            )
            return Outcome.unchanged(row) if made is None else Outcome.created(row, object_id=made.pk)

        return row_by_row(rows, carry)
