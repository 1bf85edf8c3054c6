"""Sales material in use: who used which version with whom, and whether it helped."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from apps.content.domain.approving import is_valid
from apps.content.enums import SALES_KINDS, USABLE
from apps.content.models import ContentVersion, MaterialUse
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.words import fitting

if TYPE_CHECKING:
    from apps.accounts.models import User


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
    if refused := refuse_use(by, version, day=moment.date()):
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


def expiring_material(day: dt.date, *, within: int) -> Any:
    """Return the sales material that ends within so many days after `day`, the soonest first."""
    until = day + dt.timedelta(days=within)
    rows = ContentVersion.objects.filter(state__in=USABLE, asset__kind__in=SALES_KINDS, expires_on__range=(day, until))
    return rows.select_related("asset__owner_person").order_by("expires_on")
