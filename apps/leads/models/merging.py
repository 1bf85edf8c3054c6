"""Duplicates: pairs of leads that look like one person, and the journal of what was merged and can be undone."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, written_once
from apps.leads.enums import PairState
from apps.leads.models.lead import Lead


def told_apart(lead: Lead, besides: Lead) -> str:
    """Return a lead as it is named beside another one: with its number where the two are called alike.

    The number alone: e-mail and company are columns that not every reader sees, and it is never that of another lead.
    """
    alike = str(lead).casefold() == str(besides).casefold() and lead.pk != besides.pk
    return f"{lead} (no. {lead.pk})" if alike else str(lead)


class DuplicatePair(GovernedModel):
    """Two leads that may be one person, with what speaks for and against it. The evidence names no values."""

    one = models.ForeignKey(Lead, models.PROTECT, related_name="+", editable=False, verbose_name="lead")
    two = models.ForeignKey(Lead, models.PROTECT, related_name="+", editable=False, verbose_name="other lead")
    weight = models.FloatField(editable=False, help_text="What was compared, added up; more than 0 speaks for one.")
    evidence = models.JSONField(default=list, editable=False)
    state = models.CharField(max_length=10, choices=PairState.choices, default=PairState.OPEN, editable=False)
    found_at = models.DateTimeField("found", editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_at = models.DateTimeField("decided", null=True, editable=False)
    answer = models.CharField("why", max_length=500, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-weight", "pk")
        verbose_name = "possible duplicate"
        constraints = [
            models.UniqueConstraint(fields=("one", "two"), name="duplicate_pair_once"),
            models.CheckConstraint(
                condition=Q(one__lt=F("two")),
                name="duplicate_pair_ordered",
                violation_error_message="A lead is no duplicate of itself.",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True) | ~Q(state="open") & Q(decided_at__isnull=False),
                name="duplicate_pair_decided",
                violation_error_message="What was decided says when.",
            ),
        ]
        indexes = [models.Index(fields=("state", "-weight"), name="duplicate_pair_by_weight")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "decided_by_id", "decided_at", "answer"),
                starts={"state": PairState.OPEN.value},
                sentence="Whether two leads are one is said by the buttons of the pair, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return f"{told_apart(self.one, self.two)} and {told_apart(self.two, self.one)}"

    @property
    def agrees_in(self) -> str:
        """What speaks for one person, the strongest first."""
        return ", ".join(each["what"] for each in self.evidence if each["weight"] > 0)


class Merge(GovernedModel):
    """One merge, with everything needed to undo it: what moved, and which fields were taken over.

    It holds no personal values: what stood in a field before stands in the history of the lead that was kept.
    """

    survivor = models.ForeignKey(
        Lead, models.PROTECT, related_name="merges", editable=False, verbose_name="lead that is kept"
    )
    loser = models.ForeignKey(
        Lead, models.PROTECT, related_name="merges_into", editable=False, verbose_name="lead that was merged"
    )
    reason = models.CharField(max_length=500, editable=False)
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    merged_at = models.DateTimeField("merged on", editable=False)
    taken = ArrayField(
        models.CharField(max_length=40), default=list, editable=False, verbose_name="fields taken over", blank=True
    )
    version_before = models.PositiveIntegerField("version before", editable=False)
    moved = models.JSONField(default=dict, editable=False, help_text="Numbers of the rows that moved, by kind.")
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False)
    undone_at = models.DateTimeField("undone on", null=True, editable=False)
    undone_reason = models.CharField("why undone", max_length=500, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-merged_at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("loser",),
                condition=Q(undone_at__isnull=True),
                name="merge_once",
                violation_error_message="This lead is merged already.",
            ),
            models.CheckConstraint(
                condition=~Q(survivor=F("loser")) & ~Q(reason=""),
                name="merge_of_two",
                violation_error_message="A merge names two leads and says why.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("undone_by_id", "undone_at", "undone_reason"),
                sentence="A merge is undone by the button on its page, not by an edit.",
            ),
            *written_once(
                ("survivor_id", "loser_id", "reason", "merged_by_id", "merged_at", "taken", "version_before", "moved"),
                "What was merged stays as it is written here; undo the merge instead.",
            ),
        ]

    def __str__(self) -> str:
        return f"{told_apart(self.loser, self.survivor)} into {told_apart(self.survivor, self.loser)}"
