"""The life of a version: draft, simulation, review, approval, activation, retirement."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import resolve_alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.rules.enums import COMING, VersionState
from apps.core.rules.kinds import kind_named
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.rules.moment import Moment
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User

_senders: list[Callable[..., Any]] = []


def register_sender(send: Callable[..., Any]) -> None:
    """Say who asks for approvals: `send(version, by=…, note=…)`; called once, by the app that decides them."""
    _senders[:] = [send]


def refuse_draft(user: "User", document: RuleDocument) -> str | None:
    """Return why `user` cannot start a draft of `document` now, None when it works."""
    if not access.can(user, "change", document):
        return f"You may not change {document}."
    if document.is_archived:
        return f"{document} is archived; restore it first."
    coming = document.versions.filter(state=VersionState.DRAFT).first()
    return f"Version {coming.number} of {document} is a draft already; finish that one." if coming else None


def start_draft(document: RuleDocument, *, by: "User", like: RuleVersion | None = None) -> RuleVersion:
    """Start the next version from `like`, else from the active one, else from the newest, else from nothing.

    Raises:
        NotAllowed: `by` may not change the document.
        WrongState: there is a draft already, or it is archived.
    """
    with transaction.atomic(), acting_as(by):
        row: RuleDocument = RuleDocument.objects.select_for_update(of=("self",)).get(pk=document.pk)
        if refused := refuse_draft(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        newest = row.versions.order_by("-number").first()
        like = like or row.versions.filter(state=VersionState.ACTIVE).first() or newest
        kind = kind_named(row.kind)
        body = like.body if like is not None else kind.body.start()
        return RuleVersion.objects.create(
            document=row,
            number=newest.number + 1 if newest else 1,
            body=body,
            words=words_of(kind.key, body),
            author=by,
        )


def words_of(kind: str, body: Any) -> str:
    """Return a body in words, "" where it is not right (yet)."""
    shape = kind_named(kind).body
    return "" if shape.problems(body) else shape.words(body)


def write_rules(version: RuleVersion, body: Any, *, by: "User") -> RuleVersion:
    """Put `body` into a draft.

    Raises:
        NotAllowed: `by` may not change it.
        WrongState: it is no draft.
        InvalidInput: something is wrong with the rules, in `fields` by place.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(version)
        if not access.can(by, "change", row):
            raise NotAllowed(f"You may not change {row}.")
        if not row.is_draft:
            raise WrongState(f"{row} is {row.get_state_display().lower()}; only drafts are edited.")
        shape = kind_named(row.document.kind).body
        tidy = shape.tidy(body)
        if problems := shape.objections(tidy):
            raise InvalidInput(problems[0].sentence, fields={each.pointer: each.sentence for each in problems})
        row.body, row.words = tidy, shape.words(tidy)
        row.save(update_fields=["body", "words"])
    return row


def refuse_simulation(user: "User", version: RuleVersion) -> str | None:
    """Return why `user` cannot simulate `version` now, None when it works."""
    if not access.can(user, "change", version.document):
        return f"You may not change {version.document}."
    if version.state not in COMING:
        return f"{version} is {version.get_state_display().lower()}; only what may still become active is simulated."
    return _unfit(version)


def simulate(version: RuleVersion, *, by: "User", at: dt.datetime | None = None) -> RuleVersion:
    """Try the rules without changing anything and keep what would come of them, with the digest of what was tried.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_simulation` says.
    """
    moment = at or clock.now()
    if refused := refuse_simulation(by, version):
        raise _as_error(by, version, refused)
    digest, found = version.digest, kind_named(version.document.kind).simulate(version, moment)
    with transaction.atomic(), acting_as(by):
        row = _locked(version)
        if row.digest != digest:
            raise WrongState(f"{row} was edited while it was being simulated; simulate it again.")
        row.simulation, row.simulated_digest, row.simulated_at, row.simulated_by = found, digest, moment, by
        with transition(RuleVersion):
            row.save(update_fields=["simulation", "simulated_digest", "simulated_at", "simulated_by"])
    return row


def refuse_sending(user: "User", version: RuleVersion) -> str | None:
    """Return why `user` cannot send `version` for approval now, None when it works."""
    if not access.can(user, "change", version.document):
        return f"You may not change {version.document}."
    if not version.is_draft:
        return f"{version} is {version.get_state_display().lower()}; only drafts are sent for approval."
    if unfit := _unfit(version):
        return unfit
    if not version.is_simulated:
        return "Simulate these rules first: approvers decide on what would come of them."
    if version.number > 1 and not version.change_note.strip():
        return "Say what is new in this version and why, so that approvers see it."
    return None


def send_for_approval(version: RuleVersion, *, by: "User", note: str = "") -> str:
    """Freeze a draft and ask for its approval.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_sending` says, or as the approval engine does.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(version)
        if refused := refuse_sending(by, row):
            raise _as_error(by, row, refused)
        if not _senders:
            raise WrongState("Nobody decides about rules here: the app of approvals is not installed.")
        row.words = words_of(row.document.kind, row.body)
        row.save(update_fields=["words"])
        _move(row, VersionState.IN_REVIEW)
        _senders[0](row, by=by, note=note)
        publish("rules.sent", version_id=row.pk)
    return f"{row} is in review and can no longer be edited. Who wrote it cannot approve it."


def mark_approved(version: RuleVersion, *, digest: str, by: "User", at: dt.datetime | None = None) -> None:
    """Let an approved version wait for its activation: the effect of its approval, inside the engine's transaction.

    Raises:
        WrongState: it is not in review, or not what was approved.
    """
    row = _locked(version)
    if row.state != VersionState.IN_REVIEW or row.digest != digest:
        raise WrongState(f"{row} is not what was sent for approval; nothing was approved.")
    _move(row, VersionState.APPROVED)
    publish("rules.approved", version_id=row.pk)
    moment = at or clock.now()
    if row.effective_from is not None and row.effective_from <= Moment(moment).today:
        _activate(row, by=by, at=moment)


def back_to_draft(version: RuleVersion, *, by: "User") -> None:
    """Make a refused or withdrawn version a draft again, so that its author can go on."""
    row = _locked(version)
    if row.state == VersionState.IN_REVIEW:
        _move(row, VersionState.DRAFT)


def refuse_activation(user: "User", version: RuleVersion) -> str | None:
    """Return why `user` cannot activate `version` now, None when it works."""
    if not access.can(user, "change", version.document):
        return f"You may not change {version.document}."
    if version.state != VersionState.APPROVED:
        return f"{version} is {version.get_state_display().lower()}; only approved versions are activated."
    if version.document.is_archived:
        return f"{version.document} is archived; restore it first."
    if not version.is_simulated:
        return "The simulation was made of other rules; simulate these first."
    return _unfit(version)


def activate(version: RuleVersion, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Let an approved version decide from now on; the one before it retires. Announces `rules.activated`.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_activation` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        RuleDocument.objects.select_for_update(of=("self",)).get(pk=version.document_id)
        row = _locked(version)
        if refused := refuse_activation(by, row):
            raise _as_error(by, row, refused)
        before = _activate(row, by=by, at=at or clock.now())
    return f"{row} decides from now on." + (f" Version {before.number} is retired." if before else "")


def refuse_retirement(user: "User", version: RuleVersion) -> str | None:
    """Return why `user` cannot retire `version` now, None when it works."""
    if not access.can(user, "change", version.document):
        return f"You may not change {version.document}."
    if version.state in (VersionState.RETIRED, VersionState.IN_REVIEW):
        return f"{version} is {version.get_state_display().lower()}."
    return None


def retire(version: RuleVersion, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take a version out of use, or drop one that never was; announces `rules.retired`.

    Raises:
        NotAllowed, WrongState: as `refuse_retirement` says.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row = _locked(version)
        if refused := refuse_retirement(by, row):
            raise _as_error(by, row, refused)
        was_active = row.state == VersionState.ACTIVE
        _move(row, VersionState.RETIRED, retired_at=moment)
        if was_active:
            resolve_alert(review_alert(row.document), why=f"{row} is retired.")
            if (ended := kind_named(row.document.kind).on_retire) is not None:
                ended(row, by, moment)
        publish("rules.retired", version_id=row.pk)
    return f"{row} is retired; nothing decides in its place." if was_active else f"{row} is put away."


def review_alert(document: RuleDocument) -> str:
    """Return the fingerprint of the alert that a review is overdue."""
    return f"rules.review:{document.pk}"


def _activate(row: RuleVersion, *, by: "User", at: dt.datetime) -> RuleVersion | None:
    before = row.document.versions.filter(state=VersionState.ACTIVE).select_for_update(of=("self",)).first()
    if before is not None:
        _move(before, VersionState.RETIRED, retired_at=at)
    _move(row, VersionState.ACTIVE, activated_at=at, activated_by=by)
    resolve_alert(review_alert(row.document), why=f"{row} is active.")
    if (started := kind_named(row.document.kind).on_activate) is not None:
        started(row, before, by, at)
    publish("rules.activated", version_id=row.pk)
    return before


def _move(row: RuleVersion, state: VersionState, **also: Any) -> None:
    row.state = state
    for name, value in also.items():
        setattr(row, name, value)
    with transition(RuleVersion):
        row.save(update_fields=["state", *also])


def _unfit(version: RuleVersion) -> str | None:
    """Return what is wrong with the rules now: a field may have gone since they were written."""
    problems = kind_named(version.document.kind).body.objections(version.body)
    return f"The rules cannot be used as they are. {problems[0].sentence}" if problems else None


def _as_error(user: "User", version: RuleVersion, sentence: str) -> Exception:
    return (WrongState if access.can(user, "change", version.document) else NotAllowed)(sentence)


def _locked(version: RuleVersion) -> RuleVersion:
    rows = RuleVersion.objects.select_for_update(of=("self",)).select_related("document")
    row: RuleVersion = rows.get(pk=version.pk)
    return row
