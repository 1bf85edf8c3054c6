"""The register of automations: what machines do in processes, how, and who answers for it."""

import datetime as dt

from django.db import models
from django.db.models import Q

from apps.accounts.models import OwnedModel
from apps.core import clock
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import guarded_columns
from apps.processes.enums import AutomationState, ReviewEvery, Trigger
from apps.processes.models.register import Process


def first_review() -> dt.date:
    """Return the day by which a new automation is looked at for the first time."""
    return clock.today() + dt.timedelta(days=91)


class AutomationQuerySet(GovernedQuerySet):
    """Filters over the register."""

    def in_use(self) -> "AutomationQuerySet":
        """Automations that run."""
        return self.filter(state=AutomationState.LIVE, archived_at__isnull=True)


class Automation(OwnedModel, GovernedModel):
    """One thing a machine does: what sets it off, what it does, what happens when it cannot, and where it runs."""

    name = models.CharField(max_length=150)
    trigger = models.CharField("set off by", max_length=10, choices=Trigger.choices, default=Trigger.EVENT)
    trigger_detail = models.TextField(
        "when exactly", help_text="The event, the time or the button: A form is sent on the website."
    )
    logic = models.TextField("what it does", help_text="The rules it follows, step by step, so that others can check.")
    exceptions = models.TextField(
        "when it cannot", help_text="What happens with cases it does not cover, who is told, and how it is stopped."
    )
    tool = models.ForeignKey(
        "technology.Tool",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="automations",
        help_text="The system in which it runs.",
    )
    review_every = models.PositiveSmallIntegerField(
        "reviewed", choices=ReviewEvery.choices, default=ReviewEvery.QUARTER, help_text="Counted from the last review."
    )
    next_review_on = models.DateField("next review", default=first_review, editable=False)
    state = models.CharField(
        max_length=10, choices=AutomationState.choices, default=AutomationState.LIVE, editable=False
    )
    retired_on = models.DateField("retired on", null=True, blank=True, editable=False)
    retired_because = models.TextField("why", blank=True, editable=False)

    objects = AutomationQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("name",),
                name="automation_once",
                violation_error_message="There is already an automation of this name.",
            ),
            models.CheckConstraint(
                condition=Q(state=AutomationState.LIVE, retired_on__isnull=True)
                | Q(state=AutomationState.RETIRED, retired_on__isnull=False),
                name="automation_retired_on_a_day",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "retired_on", "retired_because", "next_review_on"),
                starts={"state": AutomationState.LIVE.value},
                sentence="An automation is reviewed and retired by the buttons on its page, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Whether it runs."""
        return self.state == AutomationState.LIVE


class AutomatedStep(GovernedModel):
    """A step that an automation carries out, by the key it keeps in every version."""

    automation = models.ForeignKey(Automation, models.CASCADE, related_name="steps")
    process = models.ForeignKey(Process, models.PROTECT, related_name="automated_steps")
    key = models.SlugField("step", max_length=60)

    class Meta(GovernedModel.Meta):
        ordering = ("process", "key")
        constraints = [
            models.UniqueConstraint(
                fields=("automation", "process", "key"),
                name="automated_step_once",
                violation_error_message="This step is linked to the automation already.",
            )
        ]
        indexes = [models.Index(fields=("process", "key"), name="automated_step_by_key")]

    def __str__(self) -> str:
        return f"{self.key} of {self.process}"
