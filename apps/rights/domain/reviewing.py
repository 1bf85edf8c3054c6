"""Access reviews: opened over a scope, every grant kept, reduced or revoked by somebody else, finished and frozen."""

import datetime as dt
from typing import Any

from django.db import transaction

from apps.accounts.domain.rights import ONLY_ADMINISTRATORS, is_administrator
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.core import clock, events
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import resolve_alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.domain.notifying import notify
from apps.rights.domain.carrying_out import carry_out, refuse_carrying_out, verify
from apps.rights.domain.effective import Effective, effective_grants
from apps.rights.domain.evidence import digest_of
from apps.rights.enums import Assignment, ReviewDecision, ReviewScope, Source
from apps.rights.models import AccessReview, AccessReviewEntry

TAKES_AWAY = (ReviewDecision.REDUCE, ReviewDecision.REVOKE)


def refuse_open(by: User) -> str | None:
    """Return why `by` cannot open a review, None when they may."""
    return None if is_administrator(by) else ONLY_ADMINISTRATORS


def open_review(
    name: str,
    *,
    by: User,
    reviewer: User,
    second_reviewer: User,
    due_on: dt.date,
    scope: str = ReviewScope.ALL,
    team: Team | None = None,
    role: str = "",
    app: str = "",
    assignment: str = Assignment.REVIEWER,
) -> AccessReview:
    """List every grant of a scope, each with somebody who has to decide about it.

    Args:
        name: what people call the round.
        by: the administrator.
        reviewer: decides, unless it is about themselves.
        second_reviewer: decides about the reviewer.
        due_on: the last day.
        scope: one of `ReviewScope`.
        team: the team, where the scope is one.
        role: the role, where the scope is one.
        app: the area, where the scope is one.
        assignment: whether the reviewer decides, or each person's manager.

    Raises:
        NotAllowed: `by` is no administrator.
        InvalidInput: no name, a day that is over, one reviewer twice, a reviewer who cannot sign in, or a scope
            without what it is about, or with nothing in it.
    """
    if refused := refuse_open(by):
        raise NotAllowed(refused)
    _check_plan(name, due_on, reviewer, second_reviewer)
    scoped = _scope(scope, team, role, app)
    with transaction.atomic(), acting_as(by, reason=name.strip()[:500]):
        members = _members_of(team) if team is not None else set()
        rows = [each for each in effective_grants() if _is_in(each, scoped, members)]
        if not rows:
            raise InvalidInput("Nothing is granted in this scope, so there is nothing to review; choose another.")
        review = AccessReview.objects.create(
            name=name.strip(), reviewer=reviewer, second_reviewer=second_reviewer, due_on=due_on, opened_by=by,
            assignment=assignment, **scoped,
        )  # fmt: skip
        AccessReviewEntry.objects.bulk_create([_entry(review, each) for each in rows], batch_size=1000)
        _tell_reviewers(review)
        events.publish("access_review.opened", review_id=review.pk)
    return review


def _check_plan(name: str, due_on: dt.date, reviewer: User, second_reviewer: User) -> None:
    if not name.strip():
        raise InvalidInput("Name the review, for instance by its quarter.", fields={"name": "Name the review."})
    if due_on < clock.today():
        raise InvalidInput("This day is over; choose a later one.", fields={"due_on": "Choose a later day."})
    if reviewer.pk == second_reviewer.pk:
        raise InvalidInput(
            "The second reviewer reviews the first, so name two people.", fields={"second_reviewer": "Somebody else."}
        )
    for each in (reviewer, second_reviewer):
        if each.is_system or not each.is_active:
            raise InvalidInput(f"{each} cannot sign in; choose somebody who works here.")
        if Membership.objects.live().filter(person=each, role=Role.AUDITOR).exists():
            raise InvalidInput(f"{each} is an auditor, who changes nothing; choose somebody else.")


def _scope(scope: str, team: Team | None, role: str, app: str) -> dict[str, Any]:
    wanted = {ReviewScope.TEAM: team, ReviewScope.ROLE: role, ReviewScope.APP: app}
    if scope in wanted and not wanted[ReviewScope(scope)]:
        raise InvalidInput(f"Say which {scope}.", fields={scope: "Choose one."})
    return {
        "scope": scope,
        "team": team if scope == ReviewScope.TEAM else None,
        "role": role if scope == ReviewScope.ROLE else "",
        "app": app if scope == ReviewScope.APP else "",
    }


def _is_in(each: Effective, scoped: dict[str, Any], members: set[int]) -> bool:
    if scoped["scope"] == ReviewScope.TEAM:
        return (each.person is not None and each.person.pk in members) or (
            each.grant is not None and each.grant.team_id == scoped["team"].pk
        )
    if scoped["scope"] == ReviewScope.ROLE:
        of_role = each.membership is not None and each.membership.role == scoped["role"]
        return of_role or (each.grant is not None and each.grant.role == scoped["role"])
    return scoped["scope"] != ReviewScope.APP or scoped["app"] in each.apps or each.source == Source.SUPERUSER


def _members_of(team: Team) -> set[int]:
    return set(Membership.objects.live().filter(team=team).values_list("person", flat=True))


def _entry(review: AccessReview, each: Effective) -> AccessReviewEntry:
    return AccessReviewEntry(
        review=review,
        person=each.person,
        principal_label=each.label[:200],
        source=each.source,
        what=each.what[:300],
        membership=each.membership,
        grant=each.grant,
        model=each.model[:100],
        object_id=each.object_id,
        granted_by_label=each.granted_by[:254],
        granted_at=each.granted_at,
        last_used_at=each.used[0] if each.used else None,
        last_used_how=each.used[1] if each.used else "",
        flags=[str(flag) for flag in each.flags],
        reviewer=(reviewer := reviewer_for(review, each.person)),
        reviewer_label=f"{reviewer} ({reviewer.email})"[:254],
    )


def reviewer_for(review: AccessReview, person: User | None) -> User:
    """Return who decides about what `person` has: never they themselves."""
    manager = person.manager if person is not None and review.assignment == Assignment.MANAGER else None
    if manager is not None and person is not None and manager.pk != person.pk:
        auditor = Membership.objects.live().filter(person=manager, role=Role.AUDITOR).exists()
        if manager.is_active and not auditor:
            return manager
    first, second = review.reviewer, review.second_reviewer
    return second if person is not None and person.pk == first.pk else first


def _tell_reviewers(review: AccessReview) -> None:
    for reviewer in User.objects.filter(pk__in=review.entries.values("reviewer")):
        number = review.entries.filter(reviewer=reviewer).count()
        notify(
            [reviewer],
            "rights.review",
            title=f"{review}: {number} {'line waits' if number == 1 else 'lines wait'} for your decision.",
            body=f"Keep, reduce or revoke each until {review.due_on:%-d %B %Y}.",
            url=f"/admin/rights/accessreviewentry/?review__id__exact={review.pk}&decision__exact=",
            dedupe=f"review:{review.pk}:opened",
        )


def refuse_decide(by: User, entry: AccessReviewEntry) -> str | None:
    """Return why `by` does not decide about this line now, None when they may."""
    review = entry.review
    if review.is_finished:
        return "This review is finished: what was decided stays as it is. Open a new review."
    if entry.person_id == by.pk:
        return "Nobody decides about what they have themselves; another reviewer does."
    if not by.is_active or by.pk not in (entry.reviewer_id, review.reviewer_id, review.second_reviewer_id):
        return f"{entry.reviewer} decides about this line; {review.reviewer} and {review.second_reviewer} may, too."
    if Membership.objects.live().filter(person=by, role=Role.AUDITOR).exists():
        return "Who audits changes nothing; another reviewer decides."
    if entry.executed_at is not None:
        return f"This was carried out on {entry.executed_at:%-d %B %Y}: {entry.outcome}"
    return None


def refuse_reduce(by: User, entry: AccessReviewEntry) -> str | None:
    """Return why `by` cannot reduce what this line is about, None when it works."""
    return refuse_decide(by, entry) or refuse_carrying_out(entry, ReviewDecision.REDUCE)


def refuse_revoke_line(by: User, entry: AccessReviewEntry) -> str | None:
    """Return why `by` cannot revoke what this line is about, None when it works."""
    return refuse_decide(by, entry) or refuse_carrying_out(entry, ReviewDecision.REVOKE)


def decide(entry: AccessReviewEntry, decision: str, *, by: User, note: str = "") -> str:
    """Record a decision about one grant, carry it out through the operation that gave it, and read it back.

    Raises:
        NotAllowed: `by` does not review this line, or it is their own.
        WrongState: the review is finished, it was carried out, or the operation refuses (the last administrator).
        InvalidInput: no note where something is taken away.
    """
    note, decision = note.strip(), ReviewDecision(decision)
    if decision in TAKES_AWAY and not note:
        raise InvalidInput("Say why it is taken away.", fields={"note": "Say why."})
    with transaction.atomic(), acting_as(by, reason=f"{entry.review}: {note or 'kept'}"[:500]):
        entry = AccessReviewEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
        if refused := refuse_decide(by, entry):
            closed = entry.review.is_finished or entry.executed_at is not None
            raise (WrongState if closed else NotAllowed)(refused)
        if refused := refuse_carrying_out(entry, decision):
            raise WrongState(refused)
        entry.decision, entry.note, entry.decided_by, entry.decided_at = decision, note[:500], by, clock.now()
        entry.decided_by_label = f"{by} ({by.email})"[:254]
        if decision in TAKES_AWAY:
            entry.outcome, entry.executed_at = carry_out(entry, by=by)[:500], clock.now()
        entry.save()
        if decision in TAKES_AWAY:
            verify(entry)
        events.publish("access_review.decided", entry_id=entry.pk)
    return entry.outcome or f"Kept: {entry.what}."


def keep(entry: AccessReviewEntry, *, by: User, note: str = "") -> str:
    """Keep a grant; see `decide`."""
    return decide(entry, ReviewDecision.KEEP, by=by, note=note)


def reduce(entry: AccessReviewEntry, *, by: User, note: str) -> str:
    """Reduce a grant to viewing; see `decide`."""
    return decide(entry, ReviewDecision.REDUCE, by=by, note=note)


def revoke(entry: AccessReviewEntry, *, by: User, note: str) -> str:
    """Take a grant away; see `decide`."""
    return decide(entry, ReviewDecision.REVOKE, by=by, note=note)


def refuse_finish(by: User, review: AccessReview) -> str | None:
    """Return why `by` cannot finish this review now, None when it works."""
    if review.is_finished:
        return f"This review was finished on {review.finished_at:%-d %B %Y}."
    if by.pk not in (review.reviewer_id, review.second_reviewer_id, review.opened_by_id) and not is_administrator(by):
        return f"{review.reviewer}, {review.second_reviewer} or an administrator finishes it."
    waiting = review.entries.filter(decision="").count()
    if waiting:
        lines = "One line waits" if waiting == 1 else f"{waiting} lines wait"
        return f"{lines} for a decision; decide about all of them first."
    return None


def finish_review(review: AccessReview, *, by: User, note: str = "") -> str:
    """Verify what was carried out, freeze every line, and keep the digest of the list.

    Raises:
        WrongState: lines wait for a decision, or it is finished.
        NotAllowed: `by` has no part in it.
    """
    with transaction.atomic(), acting_as(by, reason=note.strip() or None):
        review = AccessReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
        if refused := refuse_finish(by, review):
            waits = review.is_finished or review.entries.filter(decision="").exists()
            raise (WrongState if waits else NotAllowed)(refused)
        for entry in review.entries.filter(decision__in=TAKES_AWAY):
            verify(entry)
        review.finished_at, review.finished_by = clock.now(), by
        review.digest = digest_of(review)
        review.save(update_fields=["finished_at", "finished_by", "digest"])
        resolve_alert(f"review.overdue:{review.pk}", why="The review is finished.")
        events.publish("access_review.finished", review_id=review.pk)
    return f"{review} is finished and frozen. Its list has the SHA-256 {review.digest[:12]}…"
