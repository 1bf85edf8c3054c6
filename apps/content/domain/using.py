"""Sales material in use: who used which version with whom, and whether it helped."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, Q

from apps.content.domain.approving import is_valid
from apps.content.enums import SALES_KINDS, USABLE, VersionState
from apps.content.models import ContentVersion, MaterialUse
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.words import fitting

if TYPE_CHECKING:
    from apps.accounts.models import User

USED_DAYS, LATELY, MOST = 90, 30, 300


def refuse_use(user: "User", version: ContentVersion, *, day: dt.date | None = None) -> str | None:
    """Return why `user` cannot note that they used `version`, None when it works."""
    if not access.has_model_permission(user, "add", MaterialUse):
        return "Your roles do not let you note the use of material."
    if version.asset.kind not in SALES_KINDS:
        return "Only sales and competitive material is used with somebody."
    if not is_valid(version, day or clock.today()):
        return f"{version} is not approved or has expired; ask for a new version before you use it."
    return None


def note_use(
    version: ContentVersion,
    *,
    by: "User",
    occasion: str,
    helped: bool | None = None,
    note: str = "",
    at: dt.datetime | None = None,
) -> str:
    """Note that material was used with somebody.

    Raises:
        InvalidInput: occasion or note are too long.
        NotAllowed, WrongState: as `refuse_use` says.
    """
    moment = at or clock.now()
    if refused := refuse_use(by, version, day=at.date() if at else None):
        allowed = access.has_model_permission(by, "add", MaterialUse)
        raise (WrongState if allowed else NotAllowed)(refused)
    with acting_as(by):
        MaterialUse.objects.create(
            version=version,
            person=by,
            occasion=fitting(occasion, 200, field="occasion", what="With whom"),
            helped=helped,
            note=fitting(note, 500, field="note", what="The note"),
            at=moment,
        )
    return "Noted. Who writes it sees that it is used."


def usage_of(version: ContentVersion) -> dict[str, Any]:
    """Return how often a version was used, by how many people, and whether it helped: two queries."""
    counted = version.uses.aggregate(
        times=Count("pk"),
        people=Count("person", distinct=True),
        did_help=Count("pk", filter=Q(helped=True)),
        did_not=Count("pk", filter=Q(helped=False)),
    )
    return {**counted, "last": list(version.uses.select_related("person")[:10])}


@dataclass(frozen=True)
class Material:
    """Sales material as its overview tells it.

    Attributes:
        version: the version in use, with its content.
        days_left: until its last day, 0 on it, negative afterwards; None without an end.
        uses, people: how often it was used in the last `USED_DAYS` days, by how many people.
        helped, told: how many uses helped, of those that say whether they did.
        last_used: when it was used last, ever.
    """

    version: ContentVersion
    days_left: int | None
    uses: int
    people: int
    helped: int
    told: int
    last_used: dt.datetime | None


def material(user: "User", day: dt.date, *, kind: str = "") -> list[Material]:
    """Return the sales material that `user` sees and may use, or could until lately; what ends first comes first.

    One query; `LATELY` days after its end a version is left out. At most `MOST` are told.
    """
    recent = Q(uses__at__date__gt=day - dt.timedelta(days=USED_DAYS))
    rows = (
        access.visible(user, ContentVersion)
        .filter(asset__kind__in=[kind] if kind in SALES_KINDS else SALES_KINDS, archived_at__isnull=True)
        .filter(Q(state__in=USABLE) | Q(state=VersionState.EXPIRED, expires_on__gte=day - dt.timedelta(days=LATELY)))
        .select_related("asset__owner_person", "asset__owner_team")
        .defer("body", "colours", "files")
        .annotate(
            times=Count("uses", filter=recent),
            by_people=Count("uses__person", filter=recent, distinct=True),
            did_help=Count("uses", filter=recent & Q(uses__helped=True)),
            said=Count("uses", filter=recent & Q(uses__helped__isnull=False)),
            used_last=Max("uses__at"),
        )
        .order_by(F("expires_on").asc(nulls_last=True), "asset__title", "-pk")[:MOST]
    )
    return [
        Material(
            version=row,
            days_left=(row.expires_on - day).days if row.expires_on else None,
            uses=row.times,
            people=row.by_people,
            helped=row.did_help,
            told=row.said,
            last_used=row.used_last,
        )
        for row in rows
    ]
