"""Asking for access to one record: by its kind and number, decided through approval, granted as it was asked for.

Who asks to view may not know whether there is such a record. Nothing here answers that: what is asked, what is answered
and who decides depend on the kind and the number alone, until somebody who sees the record has approved. To change is
asked about what one sees; its owner decides, since nobody passes on more than they have.
"""

import datetime as dt
import zoneinfo
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.approvals.domain.asking import request_approval
from apps.approvals.domain.definition import Definition, Named, Row, Stage
from apps.approvals.domain.facts import ALWAYS
from apps.approvals.enums import Via
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.core.words import fitting, reason_given
from apps.rights.domain.asking import approvers_of
from apps.rights.domain.duties import refuse_together
from apps.rights.domain.granting import grant_access, refuse_grant
from apps.rights.enums import Asked, Verb
from apps.rights.models import SHAREABLE, AccessReview, RecordRequest
from apps.rights.models.requests import OPEN

MATERIAL = ("asked_by", "kind", "number", "verb", "until", "reason", "owner")
LARGEST = 2**63 - 1


def requests_seen_by(person: User, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Return the requests: all to those who read access reviews, to others their own."""
    everything = access.has_model_permission(person, "view", AccessReview)
    return rows if everything else rows.filter(Q(asked_by=person) | Q(owner=person))


def who_decides() -> Definition:
    """Return the policy it starts with: an administrator decides about viewing, the owner about changing."""
    administration = Stage(1, "Administration", (Named(Via.ROLE, Role.ADMINISTRATOR),))
    owner = Stage(2, "Owner", (Named(Via.OWNER, "owner"),))
    to_change = {"all": [{"field": "verb", "op": "eq", "value": Verb.CHANGE.value}]}
    return Definition((administration, owner), (Row("To change", to_change, (2,)), Row("To view", ALWAYS, (1,))))


def refuse_ask(by: User) -> str | None:
    """Return why `by` cannot ask for access to records, None when they can."""
    may = access.has_model_permission(by, "add", RecordRequest)
    return None if may else "Your role does not ask for access to records; an administrator grants it."


def refuse_ask_about(by: User, thing: models.Model) -> str | None:
    """Return why `by` does not ask to change a record that they see, None when they can."""
    if refused := refuse_ask(by):
        return refused
    if type(thing) not in SHAREABLE:
        return f"Single {thing._meta.verbose_name_plural} are not shared; a role opens them."
    if getattr(thing, "archived_at", None) is not None:
        return f"{thing} is archived; restore it first."
    return f"You may change {thing} already." if access.may(by, "change", thing) else None


def ask_access(
    model: type[models.Model], number: int, *, verb: str, by: User, reason: str, until: dt.date | None = None
) -> RecordRequest:
    """Ask that `by` may view, or view and change, the record of this kind and number; whom the policy names decides.

    Args:
        model: a shareable kind.
        number: of the record, as in the address of its page; whether there is one is not told.
        verb: one of `Verb`.
        by: who asks, for themselves.
        reason: what for.
        until: the last day, None for until it is revoked.

    Raises:
        NotAllowed: `by` may not ask.
        InvalidInput: no reason, no such kind, number or verb, or a last day that is over.
        WrongState: they may already, have asked already, a rule keeps it from them, or nobody could decide.
    """
    if refused := refuse_ask(by):
        raise NotAllowed(refused)
    _check(model, number, verb, until)
    said = fitting(reason_given(reason, "Say what the access is for."), 500, field="reason", what="The reason")
    seen = access.visible(by, model).filter(pk=number).first()
    if refused := refuse_seen(by, seen, verb) or refuse_together(by, model, verb):
        raise WrongState(refused)
    asked = {"asked_by": by, "kind": model._meta.label_lower, "number": number, "verb": verb}
    if RecordRequest.objects.filter(OPEN, **asked).exists():
        raise WrongState("You have asked for this already; it waits for a decision.")
    with transaction.atomic(), acting_as(by, reason=said):
        owner = owner_of(seen, by) if verb == Verb.CHANGE else None
        row = RecordRequest.objects.create(**asked, until=until, reason=said, owner=owner)
        _write(row, state=Asked.IN_REVIEW)
        request_approval(row, by=by, note=said)
    return row


def _check(model: type[models.Model], number: int, verb: str, until: dt.date | None) -> None:
    if model not in SHAREABLE:
        raise InvalidInput(f"Single {model._meta.verbose_name_plural} are not shared; ask for a role instead.")
    if not 0 < number <= LARGEST:
        raise InvalidInput("A record has a whole number above 0, as in the address of its page.")
    if verb not in Verb.values:
        raise InvalidInput("Ask to view it, or to view and change it; there is nothing else to grant.")
    if until is not None and until < clock.today():
        raise InvalidInput("That day is over; choose a later one.", fields={"until": "Choose a later day."})


def refuse_seen(by: User, seen: Any, verb: str) -> str | None:
    """Return why this is not asked about a record that `by` sees, or with None about one that they do not."""
    if seen is None:
        return "Ask to view it first: what you see, you can ask to change." if verb == Verb.CHANGE else None
    if verb == Verb.VIEW:
        return f"You see {seen} already."
    if refused := refuse_ask_about(by, seen):
        return refused
    if owner_of(seen, by) is None:
        return f"Nobody answers for {seen} who may change it; ask an administrator to name an owner."
    return None


def owner_of(thing: Any, by: User) -> User | None:
    """Return who lets others change `thing`: its owner, or the first in the team that owns it; never `by`."""
    if thing.owner_person_id is not None:
        people = [thing.owner_person]
    else:
        members = Membership.objects.live().filter(team=thing.owner_team_id).select_related("person").order_by("pk")
        people = [each.person for each in members]
    return next((each for each in people if each.pk != by.pk and access.can(each, "change", thing)), None)


def keeps_out(row: RecordRequest, person: User) -> str | None:
    """Say why somebody whom the policy names may not decide about this request."""
    return "The access is for you: somebody else decides." if row.asked_by_id == person.pk else None


def grant(row: RecordRequest, request: Any, *, by: User, at: dt.datetime | None = None) -> None:
    """Share the record as it was asked for: the effect of the approval. The first approver who may share it does.

    Raises:
        WrongState: there is no such record, or nobody among those who approved may share it; or as `grant_access` says.
        InvalidInput: the last day is over.
    """
    thing, verb = row.record, row.verb
    if thing is None:
        kind = row.get_kind_display().lower()
        raise WrongState(f"There is no {kind} of the number {row.number}. Reject the request.")
    among = [(person, refuse_grant(person, thing, row.asked_by, verb)) for person in approvers_of(request, by)]
    granting = next((person for person, refused in among if refused is None), None)
    if granting is None:
        raise WrongState(next((refused for _, refused in among if refused), "Nobody who approved may share it."))
    shared = grant_access(
        thing, to=row.asked_by, verb=verb, by=granting, reason=row.reason, expires_at=_end_of(row.until, row.asked_by)
    )
    with acting_as(granting, reason=row.reason):
        _write(row, state=Asked.GRANTED, grant=shared)


def _end_of(day: dt.date | None, person: User) -> dt.datetime | None:
    """The grant holds for the whole last day, in the zone of whoever has it."""
    if day is None:
        return None
    zone = zoneinfo.ZoneInfo(person.time_zone) if person.time_zone else timezone.get_default_timezone()
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, tzinfo=zone)


def drop(row: RecordRequest, request: Any, *, by: User) -> None:
    """Note that nothing is shared: the request was refused or withdrawn."""
    _write(row, state=Asked.REFUSED)


def _write(row: RecordRequest, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(row, name, value)
    with transition(RecordRequest):
        row.save(update_fields=list(changed))
