"""Problems: what lies behind many tickets, its cause, the way around it, and what is done about it for good."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import models
from django.db.models import Q

from apps.accounts.models import OwnedModel
from apps.core import clock
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns
from apps.tickets.enums import ProblemState
from apps.tickets.models.catalogue import TicketType
from apps.tickets.models.ticket import Ticket


class Problem(OwnedModel, GovernedModel):
    """What several tickets have in common: investigated, known with a way around it, and solved."""

    title = models.CharField(max_length=200, help_text="What goes wrong again and again, in one line.")
    description = models.TextField(blank=True, help_text="In Markdown: what is seen, since when, by whom.")
    type = models.ForeignKey(
        TicketType, models.PROTECT, null=True, blank=True, related_name="+", help_text="Where such tickets come from."
    )
    tickets = models.ManyToManyField(Ticket, blank=True, related_name="problems", editable=False)
    root_cause = models.TextField(blank=True, help_text="Why it happens, once somebody knows.")
    workaround = models.TextField(blank=True, help_text="What helps until it is solved; shown to the desk.")
    state = models.CharField(max_length=12, choices=ProblemState.choices, default=ProblemState.OPEN, editable=False)
    solution = models.TextField(blank=True, editable=False)
    opened_at = models.DateTimeField("opened", default=clock.now, editable=False)
    solved_at = models.DateTimeField("solved", null=True, editable=False)
    improvement_type = models.ForeignKey(
        "contenttypes.ContentType", models.PROTECT, null=True, related_name="+", editable=False
    )
    improvement_id = models.BigIntegerField(null=True, editable=False)
    improvement = GenericForeignKey("improvement_type", "improvement_id")

    class Meta(GovernedModel.Meta):
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(title=""), name="problem_has_title", violation_error_message="Say in one line what it is."
            ),
            models.CheckConstraint(
                condition=~Q(state=ProblemState.KNOWN) | (~Q(root_cause="") & ~Q(workaround="")),
                name="problem_known_with_cause",
                violation_error_message="A known error has a cause and a way around it; write both.",
            ),
            models.CheckConstraint(
                condition=Q(state=ProblemState.SOLVED, solved_at__isnull=False) & ~Q(solution="")
                | (~Q(state=ProblemState.SOLVED) & Q(solved_at__isnull=True)),
                name="problem_solved_says_how",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "solution", "solved_at", "improvement_type_id", "improvement_id"),
                starts={"state": ProblemState.OPEN.value},
                sentence="A problem moves by the buttons on its page, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return f"P-{self.pk} {self.title}" if self.pk else "New problem"
