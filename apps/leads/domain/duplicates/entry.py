"""Duplicates are kept out where leads come in: who is known already is found by normalised keys, or by likeness."""

from typing import TYPE_CHECKING, Any

from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from apps.core import access
from apps.core.errors import InvalidInput
from apps.leads import phones
from apps.leads.domain.duplicates.finding import nearest
from apps.leads.models import Lead

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.db.models import QuerySet

    from apps.accounts.models import User

SHOWN = 5


def known_lead(*, email: str, phone: str) -> Lead | None:
    """Return the lead of an address, or of a phone where no address speaks against it, locked; None where nobody is.

    A lead that was merged is known as the one that was kept.
    """
    rows = Lead._base_manager.select_for_update(of=("self",))
    if email and (found := _latest(rows.filter(_has(email)))) is not None:
        return _kept(rows, found)
    mine = rows.filter(phone=phone, is_phone_shared=False)
    if not phone or (found := _latest(mine.filter(email=None) if email else mine)) is None:
        return None
    kept = _kept(rows, found)
    return None if email and kept.email else kept


def _has(email: str) -> Exact:
    """Whose address it is, asked as the indexes of leads are written; any other way reads all leads for one."""
    return Exact(Lower("email"), email)


def _latest(rows: "QuerySet[Lead]") -> Lead | None:
    """Return the lead of these that stands for itself, else the latest that was merged: each has its index."""
    return rows.filter(merged_into=None).first() or rows.filter(merged_into__isnull=False).first()


def _kept(rows: "QuerySet[Lead]", found: Lead) -> Lead:
    return found if found.merged_into_id is None else rows.get(pk=found.merged_into_id)


def holder(name: str, given: str, *, country: str = "", besides: int | None = None) -> Lead | None:
    """Return the lead that has an address (`name` is "email") or a phone ("phone") as somebody typed it, None for none.

    What a lead had that was merged is that of the lead that was kept, as for deliveries.

    Args:
        name: which of the two.
        given: as it was typed; what cannot be read is nobody's.
        country: by which a phone without country code is read.
        besides: the lead that is being edited.
    """
    rows = Lead._base_manager.select_related("merged_into").exclude(pk__in=[besides] if besides else [])
    if name == "email":
        having = rows.filter(_has(given.strip().lower()))
    else:
        try:
            having = rows.filter(phone=phones.e164(given, country=country), is_phone_shared=False)
        except InvalidInput:  # said beside the field by the model
            return None
    found = _latest(having)
    kept = found.merged_into or found if found is not None else None
    return None if kept is None or kept.pk == besides else kept


def phone_taken(lead: Lead) -> bool:
    """Whether the phone of `lead` is another's."""
    others = Lead._base_manager.filter(phone=lead.phone, is_phone_shared=False, merged_into=None).exclude(pk=lead.pk)
    return not lead.is_phone_shared and others.exists()


def taken_meanwhile(user: "User", gone: Lead, *, kept: Lead, lent: "Collection[str]") -> str | None:
    """Return who has the e-mail or the phone of a merged lead by now, so that it cannot come back with it; else None.

    Args:
        user: who asks; leads they do not see are not named.
        gone: the lead that was merged.
        kept: the lead it was merged into.
        lent: the fields that were taken over from it and go back.
    """
    rows = Lead._base_manager.filter(merged_into=None)
    besides = {name: [kept.pk] if name in lent else [] for name in ("email", "phone")}
    mail = rows.filter(_has(gone.email)).exclude(pk__in=besides["email"]).first() if gone.email else None
    owns_phone = gone.phone and not gone.is_phone_shared
    phoned = rows.filter(phone=gone.phone, is_phone_shared=False).exclude(pk__in=besides["phone"])
    phone = phoned.first() if owns_phone else None
    for what, other in (("e-mail", mail), ("phone", phone)):
        if other is not None:
            named = str(other) if access.can(user, "view", other) else "a lead that you do not see"
            away = " (archived)" if other.is_archived else ""
            merge = "" if other.pk == kept.pk else ", or merge the two,"
            return f"The {what} of {gone} belongs to {named}{away} by now; change it there{merge} first."
    return None


def look_alikes(user: "User", given: "Mapping[str, Any]") -> list[Lead]:
    """Return the leads that `user` sees and that look like the person somebody is about to add, likeliest first."""
    keys = [key for key, _ in nearest(given)[:SHOWN]]
    rows = {lead.pk: lead for lead in access.visible(user, Lead).filter(pk__in=keys)}
    return [rows[key] for key in keys if key in rows]
