"""Choosing a tool: criteria in versions, candidates, who scores them blind, and the gates of what was chosen."""

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns
from apps.technology.enums import CostType, CriteriaState, EvaluationState
from apps.technology.models.cases import ThreeYears
from apps.technology.models.evaluation_triggers import (
    all_scored,
    criteria_fixed,
    field_of_candidates_fixed,
    scores_in_place,
    weights_sum,
)

BEST = 5


def _spread(kind: CostType, percent: int) -> "models.PositiveSmallIntegerField[Any, Any]":
    return models.PositiveSmallIntegerField(
        f"{kind.label.lower()} may differ by (± %)",
        default=percent,
        validators=[MaxValueValidator(100, "More than ± 100 % is no estimate.")],
    )


class CriteriaSet(GovernedModel):
    """One version of the criteria by which tools are compared; its weights sum to 100."""

    name = models.CharField(max_length=100, default="Technology criteria")
    number = models.PositiveSmallIntegerField("version", editable=False, default=1)
    state = models.CharField(max_length=10, choices=CriteriaState.choices, default=CriteriaState.DRAFT, editable=False)
    note = models.TextField("what is new", blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("name", "-number")
        verbose_name = "set of criteria"
        verbose_name_plural = "sets of criteria"
        constraints = [
            models.UniqueConstraint(Lower("name"), "number", name="criteria_version_once"),
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(state=CriteriaState.ACTIVE),
                name="criteria_one_in_force",
                violation_error_message="Another version of these criteria is in force.",
            ),
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(state=CriteriaState.DRAFT),
                name="criteria_one_draft",
                violation_error_message="There is a draft of these criteria already; finish that one.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "number"),
                starts={"state": CriteriaState.DRAFT.value},
                sentence="Criteria come into force by the button on their page, not by an edit.",
            ),
            weights_sum(),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"


class Criterion(GovernedModel):
    """One question of a set, and how much its answer weighs."""

    criteria = models.ForeignKey(CriteriaSet, models.PROTECT, related_name="criteria")
    name = models.CharField(max_length=100)
    question = models.CharField(max_length=300, help_text="What an evaluator answers with 0 to 5.")
    weight = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(100)], help_text="All weights of a set sum to 100."
    )
    position = models.PositiveSmallIntegerField(default=1)

    class Meta(GovernedModel.Meta):
        ordering = ("criteria", "position", "pk")
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(
                "criteria",
                Lower("name"),
                condition=Q(archived_at__isnull=True),
                name="criterion_once",
                violation_error_message="This set already has a criterion of that name.",
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=100),
                name="criterion_weight_in_percent",
                violation_error_message="A weight goes from 1 to 100.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, criteria_fixed()]

    def __str__(self) -> str:
        return f"{self.name} ({self.weight})"


class Evaluation(GovernedModel):
    """A need, and the comparison of what could meet it."""

    title = models.CharField(max_length=150)
    need = models.TextField(help_text="What must be possible afterwards that is not today, for whom. Markdown.")
    capability = models.ForeignKey(
        "technology.Capability",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="evaluations",
        help_text="Which capability is to be served.",
    )
    criteria = models.ForeignKey(CriteriaSet, models.PROTECT, related_name="evaluations")
    lead = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", help_text="Who runs it.")
    due_on = models.DateField("score by", null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=EvaluationState.choices, default=EvaluationState.DRAFT, editable=False
    )
    chosen = models.ForeignKey(
        "technology.Candidate", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    outcome = models.TextField("why", blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=EvaluationState.DECIDED) | Q(chosen__isnull=False),
                name="evaluation_decided_for_somebody",
                violation_error_message="A decided evaluation says which candidate was chosen.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "chosen_id", "outcome", "closed_at"),
                starts={"state": EvaluationState.DRAFT.value},
                sentence="An evaluation moves on by the buttons on its page, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Candidate(ThreeYears, GovernedModel):
    """What could meet the need: a tool of the inventory or a name, with what three years of it cost."""

    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="candidates")
    tool = models.ForeignKey(
        "technology.Tool",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="candidacies",
        help_text="Where it is in the inventory already; else give its name.",
    )
    name = models.CharField(max_length=150, blank=True, help_text="Left empty, the name of the tool.")
    licence_spread, implementation_spread = _spread(CostType.LICENCE, 10), _spread(CostType.IMPLEMENTATION, 30)
    people_spread, exit_spread = _spread(CostType.PEOPLE, 20), _spread(CostType.EXIT, 50)

    class Meta(GovernedModel.Meta):
        ordering = ("evaluation", "name")
        constraints = [
            models.UniqueConstraint(
                "evaluation",
                Lower("name"),
                condition=Q(archived_at__isnull=True),
                name="candidate_once",
                violation_error_message="This evaluation already has a candidate of that name.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="candidate_has_a_name",
                violation_error_message="Name the candidate, or choose a tool of the inventory.",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                name="candidate_currency_is_a_code",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, field_of_candidates_fixed()]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Take the name of the tool where none is given."""
        if not self.name and self.tool is not None:
            self.name = self.tool.name
        super().save(*args, **kwargs)


class Evaluator(GovernedModel):
    """Somebody who scores the candidates of an evaluation without seeing what the others say."""

    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="evaluators")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    excused_at = models.DateTimeField(null=True, blank=True, editable=False)
    why_excused = models.CharField(max_length=250, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("evaluation", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("evaluation", "person"),
                name="evaluator_once",
                violation_error_message="This person evaluates here already.",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | Q(excused_at__isnull=True),
                name="evaluator_submitted_or_excused",
                violation_error_message="Who has submitted cannot be excused any more.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("submitted_at", "excused_at", "evaluation_id", "person_id"),
                sentence="Scores are submitted on the scoring page, and evaluators named by buttons.",
            ),
            all_scored(),
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.evaluation}"


class Score(GovernedModel):
    """What one evaluator says about one candidate by one criterion, and on what it rests."""

    evaluator = models.ForeignKey(Evaluator, models.PROTECT, related_name="scores")
    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="scores")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="scores")
    value = models.PositiveSmallIntegerField()
    evidence = models.TextField()

    class Meta(GovernedModel.Meta):
        ordering = ("candidate", "criterion", "evaluator")
        constraints = [
            models.UniqueConstraint(fields=("evaluator", "candidate", "criterion"), name="score_once"),
            models.CheckConstraint(
                condition=Q(value__lte=BEST),
                name="score_up_to_five",
                violation_error_message="A score goes from 0 to 5.",
            ),
            models.CheckConstraint(
                condition=~Q(evidence=""),
                name="score_has_evidence",
                violation_error_message="A score says on what it rests.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, scores_in_place()]

    def __str__(self) -> str:
        return f"{self.candidate}: {self.value}"
