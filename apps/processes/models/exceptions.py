"""What is excepted from a rule until a day: asked for with a reason, decided by a second person, never edited."""

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import guarded_columns, written_once
from apps.processes.enums import WaiverState


class ExceptionQuerySet(GovernedQuerySet):
    """Exceptions by whether they count."""

    def in_force(self, day: dt.date) -> "ExceptionQuerySet":
        """What is approved and not past its last day."""
        return self.filter(state=WaiverState.APPROVED, until__gte=day, archived_at__isnull=True)


def exception_triggers(*once: str, sentence: str) -> list[pgtrigger.Trigger]:
    """Return the triggers of an exception: its state moves by decisions alone, what it says never changes.

    Args:
        once: the database columns that say what it is about, besides reason, last day and who asked.
        sentence: what a person is told who tries to change them.
    """
    return [
        *GovernedModel.Meta.triggers,
        *guarded_columns(
            "state",
            starts={"state": WaiverState.DRAFT.value},
            sentence="An exception is decided by its approval, not by an edit.",
        ),
        *written_once((*once, "reason", "until", "asked_by_id"), sentence),
    ]


class ApprovedException(GovernedModel):
    """Why a rule does not count for something until a day; a second person decides."""

    reason = models.TextField(help_text="Why it is bearable, and what stands in for it until then.")
    until = models.DateField("until", help_text="The last day it counts.")
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", editable=False)
    state = models.CharField(max_length=12, choices=WaiverState.choices, default=WaiverState.DRAFT, editable=False)

    objects = ExceptionQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        abstract = True

    def counts(self, day: dt.date) -> bool:
        """Whether it is approved and not past its last day."""
        return bool(self.state == WaiverState.APPROVED and self.until >= day)


OPEN_EXCEPTION = Q(state__in=(WaiverState.DRAFT, WaiverState.IN_REVIEW))
