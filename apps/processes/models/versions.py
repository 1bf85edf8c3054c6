"""Versions of a process: written as drafts, approved by somebody else, in force, then superseded or retired."""

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, refusal, written_once
from apps.processes.enums import LONGEST_TEXT, OPEN_STATES, VersionState
from apps.processes.models.register import Process
from apps.processes.models.values import outline

EDITED = "Only drafts are edited: withdraw what is in review, or write a new draft."
_FROZEN = ("body", "change_log", "questions", "is_material", "effective_from", "flow")


class FlowField(models.JSONField):
    """Steps and the ways between them in one canonical document, that people read as an outline."""

    def readable(self, value: Any) -> str:
        """Return the outline of `value`, one line per fact, so that two of them compare line by line."""
        return outline(value)


class SOPVersion(GovernedModel):
    """One version of what a process says: its text and its steps.

    `flow` is what the rows of steps and edges say, in one document: the database computes it from them at every write
    of a draft, so that what is approved, digested and compared is exactly the steps. See sql/flow.sql.
    """

    process = models.ForeignKey(Process, models.PROTECT, related_name="versions", db_column="sop_id")
    number = models.PositiveIntegerField(editable=False)
    body = models.TextField("text", blank=True, help_text="The procedure itself, in Markdown.")
    flow = FlowField("steps", default=dict, db_default=Value({}, models.JSONField()), blank=True, editable=False)
    change_log = models.TextField(
        "what is new", blank=True, help_text="What changed since the version before, for those who follow it."
    )
    questions = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Optional. What readers must answer rightly before they say they understood. A question a line, "
        "then its answers, each after “- ”, the right ones after “* ”; an empty line before the next question.",
    )
    is_material = models.BooleanField(
        "material change",
        default=True,
        db_default=True,
        help_text="People who need it read it again and say so before it comes into force. Untick for typing errors.",
    )
    effective_from = models.DateTimeField(
        "takes effect",
        null=True,
        blank=True,
        help_text="Not before this moment. Empty: as soon as it is approved and read by those who must.",
    )
    state = models.CharField(max_length=15, choices=VersionState.choices, default=VersionState.DRAFT, editable=False)
    author = models.ForeignKey("accounts.User", models.PROTECT, related_name="written_versions", editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False, help_text="SHA-256 of what was approved.")
    approved_at = models.DateTimeField("approved", null=True, blank=True, editable=False)
    effective_at = models.DateTimeField("in force since", null=True, blank=True, editable=False)
    superseded_at = models.DateTimeField("in force until", null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "SOP version"
        ordering = ("process", "-number")
        constraints = [
            models.UniqueConstraint(fields=("process", "number"), name="version_number_once"),
            models.UniqueConstraint(
                fields=("process",),
                condition=Q(state__in=OPEN_STATES),
                name="version_one_under_way",
                violation_error_message="This process has a draft already; finish that one.",
            ),
            models.UniqueConstraint(
                fields=("process",), condition=Q(state=VersionState.EFFECTIVE), name="version_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES) | Q(effective_at__isnull=False), name="version_in_force_from"
            ),
            models.CheckConstraint(
                condition=Q(superseded_at__isnull=True) | Q(superseded_at__gte=F("effective_at")),
                name="version_superseded_after",
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("body"), LONGEST_TEXT),
                name="version_text_fits",
                violation_error_message=f"The text has more than {LONGEST_TEXT // 1000} thousand characters, too many "
                "to read, compare and approve. Keep large tables in a file beside it, or split the process.",
            ),
        ]
        indexes = [
            models.Index(fields=("effective_from",), name="version_waiting", condition=Q(state=VersionState.APPROVED))
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "digest", "approved_at", "effective_at", "superseded_at"),
                starts={"state": VersionState.DRAFT.value},
                sentence="A version moves by sending it for approval and by the decision, not by an edit.",
            ),
            *written_once(
                ("sop_id", "number", "author_id"), "A version keeps its process, number and author for good."
            ),
            pgtrigger.Trigger(
                name="drafts_alone_are_edited",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'draft' AND ("
                    + " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _FROZEN)
                    + ")"
                ),
                func=refusal(EDITED),
            ),
            pgtrigger.Trigger(
                name="flow_is_what_the_steps_say",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'draft'"),
                func="NEW.flow := mops_flow_of(NEW.id); RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="flow_begins_empty",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW.flow := '{}'; RETURN NEW;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process.title} · version {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether its text and steps can still be changed."""
        return self.state == VersionState.DRAFT
