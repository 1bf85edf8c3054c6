"""Rule documents and their versions: the rules that decide, with who wrote, checked and switched them on."""

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.rules.canonical import digest_of
from apps.core.rules.enums import MOVES, VersionState
from apps.core.transitions import guarded_columns, refusal

FROZEN = ("document_id", "number", "body", "digest", "words", "author_id", "effective_from")


class RuleDocument(GovernedModel):
    """One set of rules under a name that never changes; what it says stands in its versions."""

    key = models.SlugField(
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"^[a-z]", "A key starts with a small letter.")],
        help_text="How programs call it, for instance dach-hot-leads. It never changes.",
        error_messages={"unique": "There is already a rule document of this key."},
    )
    kind = models.CharField(max_length=60, help_text="What the rules decide about.")
    title = models.CharField(max_length=150)
    description = models.TextField(blank=True, help_text="What it is for, and what depends on it.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        help_text="Is reminded when the rules have to be reviewed.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("title", "pk")
        constraints = [
            models.CheckConstraint(
                condition=~Q(key="") & ~Q(title=""),
                name="rule_document_named",
                violation_error_message="A rule document needs a key and a title.",
            ),
        ]
        indexes = [models.Index(fields=("kind", "title"), name="rule_document_by_kind")]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="document_keeps_its_kind",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.key IS DISTINCT FROM NEW.key OR OLD.kind IS DISTINCT FROM NEW.kind"),
                func=refusal("Key and kind of a rule document never change: programs and versions rely on them."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class RuleVersionQuerySet(GovernedQuerySet):
    """Versions by state and time."""

    def active(self) -> "RuleVersionQuerySet":
        """Versions that decide now."""
        return self.filter(state=VersionState.ACTIVE)

    def active_at(self, moment: object) -> "RuleVersionQuerySet":
        """Versions that decided at a moment."""
        ended = Q(retired_at__isnull=True) | Q(retired_at__gt=moment)
        return self.filter(ended, activated_at__lte=moment)


class RuleVersion(GovernedModel):
    """One version of the rules. A draft is edited; from review on it stays as it is, and its states move by buttons."""

    document = models.ForeignKey(RuleDocument, models.PROTECT, related_name="versions", editable=False)
    number = models.PositiveIntegerField(editable=False)
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.DRAFT, editable=False)
    body = models.JSONField("rules", default=dict)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the rules.")
    words = models.TextField("in words", blank=True, editable=False)
    change_note = models.TextField(
        "what is new and why", blank=True, help_text="For approvers, and for whoever asks in a year."
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    effective_from = models.DateField(
        null=True,
        blank=True,
        help_text="mops activates the approved version on this day by itself. Empty: somebody presses Activate.",
    )
    review_on = models.DateField(
        "next review", null=True, blank=True, help_text="When the owner has to look whether the rules still fit."
    )
    simulation = models.JSONField(null=True, blank=True, editable=False)
    simulated_digest = models.CharField(max_length=64, blank=True, editable=False)
    simulated_at = models.DateTimeField(null=True, blank=True, editable=False)
    simulated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RuleVersionQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("document", "-number")
        constraints = [
            models.UniqueConstraint(fields=("document", "number"), name="rule_version_number_once"),
            models.UniqueConstraint(
                fields=("document",),
                condition=Q(state="active"),
                name="rule_version_active_once",
                violation_error_message="Another version of these rules is active.",
            ),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(simulated_digest=F("digest")),
                name="rule_version_simulated",
                violation_error_message="Rules are activated only after a simulation of exactly these rules.",
            ),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(activated_at__isnull=False, activated_by__isnull=False),
                name="rule_version_signed",
                violation_error_message="An active version says who activated it, and when.",
            ),
        ]
        indexes = [
            models.Index(fields=("state", "review_on"), name="rule_version_by_review"),
            models.Index(fields=("document", "activated_at"), name="rule_version_by_time"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "state",
                *("simulation", "simulated_digest", "simulated_at", "simulated_by_id"),
                *("activated_at", "activated_by_id", "retired_at"),
                starts={"state": VersionState.DRAFT.value, "simulated_digest": ""},
                sentence="Rules move through their states by the buttons on their page, not by an edit.",
            ),
            pgtrigger.Trigger(
                name="rules_freeze",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'draft' AND ("
                    + " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in FROZEN)
                    + ")"
                ),
                func=refusal("Rules are frozen from review on. Start a new draft instead."),
            ),
            pgtrigger.Trigger(
                name="rules_move",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state IS DISTINCT FROM NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ("
                    + ", ".join(f"'{one}>{two}'" for one, ways in MOVES.items() for two in ways)
                    + ")"
                ),
                func=refusal("There is no such way between the states of a rule version."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document.title}, version {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be edited."""
        return self.state == VersionState.DRAFT

    @property
    def is_simulated(self) -> bool:
        """Whether the stored simulation was made of exactly these rules."""
        return bool(self.simulated_digest) and self.simulated_digest == self.digest

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the digest of the rules with them."""
        self.digest = digest_of(self.body)
        if (fields := kwargs.get("update_fields")) is not None and "body" in fields:  # type: ignore[operator]
            kwargs["update_fields"] = {*fields, "digest"}  # type: ignore[misc]
        super().save(*args, **kwargs)
