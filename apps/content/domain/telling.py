"""Who is told: the owner and the author before content expires and when it has, and who must take it down."""

import datetime as dt

from apps.accounts.models import User
from apps.content.domain.publishing import expire_version, still_up
from apps.content.enums import USABLE
from apps.content.models import ContentVersion
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert
from apps.core.notifications.domain.notifying import notify

EXPIRING, EXPIRED = "content.expiring", "content.expired"
REMIND_BEFORE = (30, 7)  # days
_UP = "content.still_up:"


def answering_for(version: ContentVersion) -> list[User]:
    """Return who is told of a version: its author, and the person or team that owns the content."""
    asset = version.asset
    people = {version.author}
    if asset.owner_person is not None:
        people.add(asset.owner_person)
    elif asset.owner_team is not None:
        people.update(asset.owner_team.members.filter(is_active=True))
    return [each for each in people if each.is_active]


def remind(today: dt.date) -> int:
    """Tell of content that ends soon: once a month before, once a week before. Returns how many people were told."""
    told = 0
    rows = ContentVersion.objects.filter(
        state__in=USABLE, expires_on__range=(today, today + dt.timedelta(days=REMIND_BEFORE[0]))
    )
    for version in rows.select_related("asset__owner_person", "asset__owner_team", "author").order_by("pk"):
        left = (version.expires_on - today).days
        step = min(each for each in REMIND_BEFORE if left <= each)
        told += notify(
            answering_for(version),
            EXPIRING,
            title=f"{version} is valid until {version.expires_on:%-d %B %Y}",
            body="Write and approve a new version, or let it end.",
            subject=version,
            dedupe=f"{version.pk}:{version.expires_on:%Y-%m-%d}:{step}",
        )
    return told


def expire_due(now: dt.datetime) -> int:
    """Let every version end whose last day has passed, and tell who answers for it. Returns how many ended."""
    ended = 0
    due = ContentVersion.objects.filter(state__in=USABLE, expires_on__lt=now.date()).order_by("pk")
    for pk in list(due.values_list("pk", flat=True)):
        if not expire_version(pk, at=now):
            continue
        ended += 1
        rows = ContentVersion.objects.select_related("asset__owner_person", "asset__owner_team", "author")
        version = rows.get(pk=pk)
        notify(
            answering_for(version),
            EXPIRED,
            title=f"{version} has expired",
            body="Take it down where it is still shown.",
            subject=version,
            dedupe=str(pk),
        )
    return ended


def watch_what_is_up() -> dict[str, int]:
    """Raise an alert for every place that still shows content that has ended; resolve those of the others."""
    up = {f"{_UP}{each.pk}": each for each in still_up().select_related("version__asset", "tool")}
    for fingerprint, each in up.items():
        raise_alert(
            fingerprint,
            title=f"{each.version} has ended and is still shown in {each.place}.",
            severity="warning",
            detail=f"Published through {each.tool} on {each.published_at:%-d %B %Y}.",
            subject=each,
            runbook="Take it down there, then press “Taken down” on the page of the distribution.",
        )
    open_ones = Alert.objects.filter(fingerprint__startswith=_UP).exclude(state=AlertState.RESOLVED)
    gone = [each for each in open_ones.values_list("fingerprint", flat=True) if each not in up]
    for fingerprint in gone:
        resolve_alert(fingerprint, why="It is taken down.")
    return {"still up": len(up), "taken down": len(gone)}
