"""Merging two leads that are one person, and undoing it: nothing is destroyed, what moved is written down.

The lead that is merged keeps its own values and is archived; what it did, brought and said about itself, and the
contacts sales had with it, move to the one that is kept, and the score is made anew from the touches, never added up.
Its notes, files, tags and closed deals are what people wrote about that record: they stay with it, one link away.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Model

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import refuse_restore
from apps.core.context_sql import stamp_transaction
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.governed import GovernedBase
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.leads.domain import answer_clocks
from apps.leads.domain.duplicates.entry import taken_meanwhile
from apps.leads.domain.scoring import measures
from apps.leads.domain.scoring.engine import score_leads
from apps.leads.domain.touches import AHEAD
from apps.leads.enums import HandoffState, PairState, Stage
from apps.leads.models import (
    Consent,
    DuplicatePair,
    FieldValue,
    Handoff,
    Identity,
    Intake,
    Lead,
    LeadScore,
    Merge,
    SalesContact,
    Touchpoint,
)
from apps.leads.models.merging import told_apart

if TYPE_CHECKING:
    import datetime as dt

    from apps.accounts.models import User

# What a merge may take over: who it is and where it belongs; never its stage, its owner or its number elsewhere.
FIELDS = ("name", "email", "phone", "job_title", "company", "account", "country", "territory", "origin", "source")
MOVES_ALONG: dict[str, type[Model]] = {
    "touches": Touchpoint,
    "intakes": Intake,
    "values": FieldValue,
    "identities": Identity,
    "contacts": SalesContact,
}
_FAR = (Stage.SQL, Stage.FORMER_CUSTOMER, Stage.CUSTOMER, Stage.ADVOCATE)


def refuse_restore_lead(user: "User", lead: Lead) -> str | None:
    """Return why `user` cannot bring an archived lead back now, None when they can."""
    if lead.merged_into_id is not None:
        return "This lead was merged into another one; undo the merge to bring it back."
    return refuse_restore(user, lead)


def refuse_merge(user: "User", survivor: Lead, loser: Lead) -> str | None:
    """Return why `user` cannot merge `loser` into `survivor` now, None when they can."""
    for lead in (survivor, loser):
        if not access.may(user, "change", lead):
            return f"You may not change {lead}."
    if survivor.pk == loser.pk:
        return "A lead is not merged with itself."
    for lead in (survivor, loser):
        if lead.merged_into_id is not None:
            return f"{_among(lead, survivor, loser)} was merged into {lead.merged_into} already."
        if lead.is_archived:
            return f"{_among(lead, survivor, loser)} is archived; restore it first."
    kept, gone = told_apart(survivor, loser), told_apart(loser, survivor)
    if loser.stage in _FAR and (survivor.stage not in _FAR or _far(loser) > _far(survivor)):
        return f"{gone} is at the stage “{Stage(loser.stage).label}” and {kept} is not: keep {gone} instead."
    if Handoff.objects.filter(lead=loser, state=HandoffState.OFFERED).exists():
        return f"{gone} is offered to sales; let them take it or give it back first."
    if deal := loser.opportunities.filter(closed_at=None, archived_at=None).first():
        return f"{gone} has an open opportunity, {deal}: keep {gone} instead, or win or lose it first."
    return None


def _among(lead: Lead, *both: Lead) -> str:
    return told_apart(lead, next((each for each in both if each.pk != lead.pk), lead))


def _far(lead: Lead) -> int:
    return _FAR.index(Stage(lead.stage)) if lead.stage in _FAR else -1


def better_of(one: Lead, two: Lead) -> Lead:
    """Return which of two to keep where nobody says otherwise: the one that went further, then the older."""
    return max((one, two), key=lambda lead: (_far(lead), lead.email is not None, -lead.pk))


def gaps(survivor: Lead, loser: Lead) -> list[str]:
    """Return the fields that are empty where the lead is kept, and filled where it is merged."""
    return [name for name in FIELDS if not getattr(survivor, name) and getattr(loser, name)]


def contradictions(survivor: Lead, loser: Lead) -> list[str]:
    """Return the fields in which the two say different things."""
    return [
        name
        for name in FIELDS
        if getattr(survivor, name) and getattr(loser, name) and getattr(survivor, name) != getattr(loser, name)
    ]


def merge(
    survivor: Lead,
    loser: Lead,
    *,
    by: "User",
    reason: str,
    take: Sequence[str] = (),
    at: "dt.datetime | None" = None,
) -> Merge:
    """Merge `loser` into `survivor`; announces `lead.merged`.

    Args:
        survivor: the lead that is kept; its empty fields are filled.
        loser: the lead that is archived, with all its values.
        by: who says they are one person.
        reason: how one knows.
        take: fields in which the two contradict each other and the merged one is right.
        at: now, where another moment is meant.

    Raises:
        NotAllowed, WrongState: as `refuse_merge` says.
        InvalidInput: no reason, or a field that is not merged.
    """
    reason = reason_given(reason, "Say how you know that they are one person.")
    if unknown := [name for name in take if name not in FIELDS]:
        raise InvalidInput(f"“{unknown[0]}” is not taken over by a merge.")
    now = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason):
        kept, gone = _locked(survivor, loser)
        _refuse(by, kept, gone)
        answer_clocks.cancel(gone, by=by)  # who waits for an answer is the lead that is kept, by its own clocks
        before = kept.row_version
        taken = [*gaps(kept, gone), *(name for name in contradictions(kept, gone) if name in take)]
        gone.archived_at, gone.merged_into = now, kept
        gone.save(update_fields=["archived_at", "merged_into"])
        moved = {"merged": list(Lead._base_manager.filter(merged_into=gone).values_list("pk", flat=True))}
        Lead._base_manager.filter(pk__in=moved["merged"]).update(merged_into=kept)
        moved |= _move(gone, kept)
        for name in taken:
            setattr(kept, name, getattr(gone, name))
        kept.save()
        row = Merge.objects.create(
            survivor=kept,
            loser=gone,
            reason=reason[:500],
            merged_by=by,
            merged_at=now,
            taken=taken,
            version_before=before,
            moved=moved,
        )
        _decide_pair(kept, gone, PairState.MERGED, by=by, reason=reason, now=now)
        _score_anew(kept, gone, now=now)
        publish("lead.merged", lead_id=kept.pk, merged_id=gone.pk)
    return row


def _refuse(by: "User", kept: Lead, gone: Lead) -> None:
    if refused := refuse_merge(by, kept, gone):
        may = all(access.may(by, "change", lead) for lead in (kept, gone))
        raise (WrongState if may else NotAllowed)(refused)


def _locked(one: Lead, two: Lead) -> tuple[Lead, Lead]:
    """Return both with their rows locked, in the order of their keys, so that two merges never wait for each other."""
    rows = {
        lead.pk: lead
        for lead in Lead._base_manager.select_for_update(of=("self",)).filter(pk__in=(one.pk, two.pk)).order_by("pk")
    }
    return rows[one.pk], rows[two.pk]


def _move(gone: Lead, kept: Lead, *, only: dict[str, list[int]] | None = None) -> dict[str, list[int]]:
    """Give the rows that hang on `gone` to `kept`, and return their numbers; `only` those where they are named."""
    measures.lock_for_touches()
    moved: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        stamp_transaction(connection)
        for name, model in MOVES_ALONG.items():
            wanted = None if only is None else only.get(name, [])
            version = ", row_version = row_version + 1" if issubclass(model, GovernedBase) else ""
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET lead_id = %s{version} WHERE lead_id = %s "  # a name of ours
                "AND (%s::bigint[] IS NULL OR id = ANY(%s::bigint[])) RETURNING id",
                [kept.pk, gone.pk, wanted, wanted],
            )
            moved[name] = sorted(key for (key,) in cursor.fetchall())
    return moved


def _score_anew(*leads: Lead, now: "dt.datetime") -> None:
    keys = [lead.pk for lead in leads]
    measures.rebuild(ref=now.timestamp() + AHEAD.total_seconds(), leads=keys)
    LeadScore.objects.filter(lead__in=[lead.pk for lead in leads if lead.is_archived]).delete()
    score_leads([lead.pk for lead in leads if not lead.is_archived], as_of=now)


def _decide_pair(
    one: Lead, two: Lead, state: PairState, *, by: "User | None", reason: str, now: "dt.datetime | None"
) -> None:
    low, high = sorted((one.pk, two.pk))
    row = DuplicatePair.objects.select_for_update(of=("self",)).filter(one_id=low, two_id=high).first()
    if row is not None:
        row.state, row.decided_by, row.decided_at, row.answer = state, by, now, reason[:500]
        with transition(DuplicatePair):
            row.save()


def refuse_undo(user: "User", merged: Merge) -> str | None:
    """Return why `user` cannot undo a merge now, None when they can."""
    for lead in (merged.survivor, merged.loser):
        if not access.may(user, "change", lead):
            return f"You may not change {lead}."
    if merged.undone_at is not None:
        return "This merge is undone already."
    if merged.survivor.is_archived:
        return f"{told_apart(merged.survivor, merged.loser)} is archived; restore it, or undo its own merge, first."
    both = (merged.survivor_id, merged.loser_id)
    later = Merge.objects.filter(undone_at=None, pk__gt=merged.pk).filter(survivor__in=both).order_by("-pk").first()
    if later is not None:
        return f"Undo the later merge of {later} first."
    return taken_meanwhile(user, merged.loser, kept=merged.survivor, lent=merged.taken)


def undo(merged: Merge, *, by: "User", reason: str, at: "dt.datetime | None" = None) -> str:
    """Take a merge back: what moved goes back, taken fields become what they were, unless changed since.

    Raises:
        NotAllowed, WrongState: as `refuse_undo` says.
        InvalidInput: no reason is given.
    """
    reason = reason_given(reason, "Say how you know that they are two people.")
    now = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason):
        row: Merge = Merge.objects.select_for_update(of=("self",)).get(pk=merged.pk)
        if refused := refuse_undo(by, row):
            may = all(access.may(by, "change", lead) for lead in (row.survivor, row.loser))
            raise (WrongState if may else NotAllowed)(refused)
        kept, gone = _locked(row.survivor, row.loser)
        left = _give_back(row, kept, gone)
        gone.archived_at = gone.merged_into = None
        gone.save(update_fields=["archived_at", "merged_into"])
        Lead._base_manager.filter(pk__in=row.moved["merged"]).update(merged_into=gone)
        _move(kept, gone, only=row.moved)
        _take_back_for_both(row, by=by, now=now)
        row.undone_by, row.undone_at, row.undone_reason = by, now, reason[:500]
        with transition(Merge):
            row.save(update_fields=["undone_by", "undone_at", "undone_reason"])
        _decide_pair(kept, gone, PairState.DISMISSED, by=by, reason=reason, now=now)
        _score_anew(kept, gone, now=now)
        publish("lead.unmerged", lead_id=kept.pk, merged_id=gone.pk)
    also = f" {', '.join(left)} changed since and stays." if left else ""
    return f"{told_apart(gone, kept)} is a lead of its own again.{also}"


def _give_back(row: Merge, kept: Lead, gone: Lead) -> list[str]:
    """Put taken fields back to what stood there before; returns the names of those that were changed since."""
    before = Lead.history.filter(id=kept.pk, row_version=row.version_before).order_by("-history_id").first()
    left = []
    for name in row.taken:
        field: Any = Lead._meta.get_field(name)
        if before is None or getattr(kept, field.attname) != getattr(gone, field.attname):
            left.append(str(field.verbose_name))
        else:
            setattr(kept, field.attname, getattr(before, field.attname))
    kept.save()
    return left


def _take_back_for_both(row: Merge, *, by: "User", now: "dt.datetime") -> None:
    """Let what was taken back while two were one hold for both: whichever of them said so, nobody may be asked twice.

    What was agreed to meanwhile stays with the lead that was kept; a yes is nobody else's.
    """
    said = Consent.objects.filter(lead=row.survivor, is_given=False, recorded_at__gte=row.merged_at)
    for word in said.order_by("purpose", "-given_at", "-pk").distinct("purpose"):
        own = Consent.objects.filter(lead=row.loser, purpose=word.purpose).order_by("-given_at", "-pk").first()
        if own is not None and own.is_given and own.given_at <= word.given_at:
            Consent.objects.create(
                lead=row.loser,
                purpose=word.purpose,
                is_given=False,
                given_at=word.given_at,
                recorded_at=now,
                source=word.source,
                evidence=f"Taken back while both were one lead: {word.evidence}"[:300],
                recorded_by=by,
            )


def refuse_pair(user: "User", pair: DuplicatePair) -> str | None:
    """Return why `user` cannot decide about a pair now, None when they can."""
    for lead in (pair.one, pair.two):
        if not access.may(user, "change", lead):
            return f"You may not change {lead}."
        if lead.merged_into_id is not None:
            return f"{_among(lead, pair.one, pair.two)} was merged into {lead.merged_into} meanwhile."
    return None if pair.state == PairState.OPEN else f"It is decided: {PairState(pair.state).label.lower()}."


def refuse_pair_merge(user: "User", pair: DuplicatePair) -> str | None:
    """Return why `user` cannot merge a pair now, None when one of the two ways works."""
    if refused := refuse_pair(user, pair):
        return refused
    return refuse_merge(user, pair.one, pair.two) and refuse_merge(user, pair.two, pair.one)


def merge_pair(pair: DuplicatePair, *, by: "User", keep: str, reason: str, take: Sequence[str] = ()) -> str:
    """Merge the two leads of a pair, keeping the lead of the number `keep`, and say so."""
    if refused := refuse_pair(by, pair):
        may = all(access.may(by, "change", lead) for lead in (pair.one, pair.two))
        raise (WrongState if may else NotAllowed)(refused)
    kept, gone = (pair.one, pair.two) if keep == str(pair.one_id) else (pair.two, pair.one)
    gone_name, kept_name = told_apart(gone, kept), told_apart(kept, gone)  # before the name may be taken over
    merge(kept, gone, by=by, reason=reason, take=take)
    return f"{gone_name} is merged into {kept_name}; under Merges it can be undone."


def dismiss_pair(pair: DuplicatePair, *, by: "User", reason: str) -> str:
    """Say that two leads are two people; they are not suggested again.

    Raises:
        NotAllowed, WrongState: as `refuse_pair` says.
        InvalidInput: no reason is given.
    """
    reason = reason_given(reason, "Say how you know that they are two people.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row: DuplicatePair = DuplicatePair.objects.select_for_update(of=("self",)).get(pk=pair.pk)
        if refused := refuse_pair(by, row):
            may = all(access.may(by, "change", lead) for lead in (row.one, row.two))
            raise (WrongState if may else NotAllowed)(refused)
        _decide_pair(row.one, row.two, PairState.DISMISSED, by=by, reason=reason, now=clock.now())
    return "They are kept as two people."
