"""Reviews under way: reminds while time is left, escalates when it is over, and reads back what was carried out."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count

from apps.accounts.models import User
from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.alerts.enums import Severity
from apps.core.notifications.domain.notifying import notify
from apps.core.overdue import Overdue
from apps.rights.domain.carrying_out import verify
from apps.rights.models import AccessReview, AccessReviewEntry

REMIND_BEFORE = (7, 3, 1)
ESCALATE_AFTER = dt.timedelta(days=7)
READ_BACK = dt.timedelta(days=90)


def watch_reviews() -> dict[str, int]:
    """Remind reviewers, raise an alert for what is overdue, and verify what the last months took away.

    Returns:
        How many reviews are overdue, how many people were reminded, how many revocations did not take.
    """
    today, reminded = clock.today(), 0
    overdue = 0
    for review in AccessReview.objects.under_way().select_related("reviewer", "second_reviewer"):
        reminded += _remind(review, today)
        if review.due_on < today:
            overdue += 1
            _escalate(review, today)
    since = clock.now() - READ_BACK
    carried = AccessReviewEntry.objects.filter(executed_at__gte=since).select_related("review", "decided_by")
    failed = sum(not verify(entry) for entry in carried)
    return {"overdue": overdue, "reminded": reminded, "not_taken": failed}


def _remind(review: AccessReview, today: dt.date) -> int:
    left = (review.due_on - today).days
    if left not in REMIND_BEFORE and left >= 0:
        return 0
    waiting = review.entries.filter(decision="").values_list("reviewer").annotate(number=Count("pk"))
    people, told = User.objects.in_bulk([pk for pk, _ in waiting]), 0
    for pk, number in waiting:
        lines = "one line waits" if number == 1 else f"{number} lines wait"
        due = f"due on {review.due_on:%-d %B %Y}" if left >= 0 else f"overdue since {review.due_on:%-d %B %Y}"
        week = f"{left}" if left >= 0 else f"over-{-left // 7}"  # once a week when it is over
        told += notify(
            [people[pk]],
            "rights.review",
            title=f"{review}: {lines} for your decision, {due}.",
            url=f"/admin/rights/accessreviewentry/?review__id__exact={review.pk}&decision__exact=",
            dedupe=f"review:{review.pk}:{week}",
        )
    return told


def _escalate(review: AccessReview, today: dt.date) -> None:
    waiting = review.entries.filter(decision="").count()
    long = today - review.due_on > ESCALATE_AFTER
    raise_alert(
        f"review.overdue:{review.pk}",
        title=f"The access review {review} is overdue since {review.due_on:%-d %B %Y}.",
        detail=f"{waiting} lines wait for a decision." if waiting else "Every line is decided; finish it.",
        severity=Severity.CRITICAL if long else Severity.WARNING,
        subject=review,
        runbook="Ask the reviewers named on its page; the second reviewer may decide in their place.",
    )


def overdue_lines(person: User, today: dt.date) -> Iterable[Overdue]:
    """Return the reviews in which lines wait for `person` after the last day, one line each."""
    rows = AccessReviewEntry.objects.filter(
        reviewer=person, decision="", review__finished_at__isnull=True, review__due_on__lt=today
    )
    first = rows.order_by("review_id", "pk").distinct("review_id").select_related("review")
    return [Overdue(entry, f"Decide about the lines of {entry.review}", entry.review.due_on) for entry in first]
