"""Steps of a version and the ways between them: rows while it is a draft, frozen with it from review on."""

from collections.abc import Sequence

import pgtrigger
from django.db import models
from django.db.models import F, Q

from apps.core.governed import GovernedModel
from apps.core.transitions import refusal, written_once
from apps.processes.enums import StepKind, StepMode
from apps.processes.models.register import ProcessRole, names_field
from apps.processes.models.versions import EDITED, SOPVersion

_LOCK = f"""
    FOREACH theirs IN ARRAY touched LOOP
        SELECT state INTO standing FROM processes_sopversion WHERE id = theirs FOR NO KEY UPDATE;
        IF standing <> 'draft' THEN {refusal(EDITED)} END IF;
    END LOOP;
"""
_TOUCH = """
    UPDATE processes_sopversion SET row_version = row_version + 1, updated_at = clock_timestamp()
    WHERE state = 'draft' AND id IN (SELECT version_id FROM {rows}); RETURN NULL;
"""


def _drafts_alone(extra: str = "") -> list[pgtrigger.Trigger]:
    """Return the triggers of a part of a version: written in drafts only, and each write makes the flow anew."""
    declared = [("standing", "text"), ("theirs", "bigint"), ("touched", "bigint[]")]
    sides = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",)}
    return [
        pgtrigger.Trigger(
            name="drafts_alone_are_edited",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            declare=declared,
            func=(
                "touched := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.version_id]"
                " WHEN 'DELETE' THEN ARRAY[OLD.version_id]"
                f" ELSE ARRAY[OLD.version_id, NEW.version_id] END; {_LOCK}"
                f" IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; {extra} RETURN NEW;"
            ),
        ),
        *(
            pgtrigger.Trigger(
                name=f"flow_follows_{verb}",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=operation,
                referencing=pgtrigger.Referencing(**{side.lower(): f"{side.lower()}_rows" for side in sides[verb]}),  # type: ignore[no-untyped-call]
                func=_TOUCH.format(rows=f"{sides[verb][-1].lower()}_rows"),
            )
            for verb, operation in (
                ("insert", pgtrigger.Insert),
                ("update", pgtrigger.Update),
                ("delete", pgtrigger.Delete),
            )
        ),
    ]


class Step(GovernedModel):
    """One step of a version. Its key is the same in every later version, so that figures follow it."""

    version = models.ForeignKey(SOPVersion, models.PROTECT, related_name="steps")
    key = models.SlugField(max_length=60, help_text="Stays the same in every later version; figures hang on it.")
    position = models.PositiveSmallIntegerField(help_text="Where it stands in the list.")
    title = models.CharField(max_length=150)
    kind = models.CharField(max_length=15, choices=StepKind.choices, default=StepKind.MANUAL)
    mode = models.CharField(
        "done", max_length=15, choices=StepMode.choices, default=StepMode.MANUAL, help_text="By whom or what."
    )
    role = models.ForeignKey(
        ProcessRole,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="role",
        help_text="Who does it (the R of RACI).",
    )
    minutes = models.PositiveIntegerField(
        "estimated minutes", null=True, blank=True, help_text="How long the work takes once somebody sits down to it."
    )
    is_blocking = models.BooleanField(
        "blocking", default=True, help_text="Nothing after it starts before it is done or waived by approval."
    )
    instructions = models.TextField(blank=True, help_text="How it is done, in Markdown.")
    links = models.TextField(
        blank=True, help_text="What one needs at hand. One per line: a title, then the address: Brand guide https://…"
    )
    accountable = models.ForeignKey(
        ProcessRole,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who answers for the result (the A of RACI); empty: the owner of the process.",
    )
    consulted = names_field("consulted", "Who is asked before (the C of RACI), with commas between.")
    informed = names_field("informed", "Who is told afterwards (the I of RACI), with commas between.")

    class Meta(GovernedModel.Meta):
        ordering = ("version", "position")
        constraints = [
            models.UniqueConstraint(
                fields=("version", "key"),
                name="step_key_once",
                violation_error_message="Another step of this version has this key already.",
            ),
            models.UniqueConstraint(
                fields=("version", "position"),
                name="step_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(minutes__isnull=True) | Q(minutes__lte=14_400),
                name="step_minutes_sensible",
                violation_error_message="A step of more than thirty working days is a process of its own; split it.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *written_once(("version_id", "key"), "A step keeps its version and its key for good."),
            *_drafts_alone(),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def link_list(self) -> Sequence[tuple[str, str]]:
        """The links as (title, address)."""
        lines = [line.strip() for line in self.links.splitlines() if line.strip()]
        pairs = [line.rpartition(" ") for line in lines]
        return [(title.strip() or address, address) for title, _, address in pairs]


_SAME_VERSION = (
    "IF (SELECT count(*) FROM processes_step WHERE version_id = NEW.version_id"
    " AND id IN (NEW.source_id, NEW.target_id))"
    f" <> 2 THEN {refusal('A way leads from one step to another of the same version.')} END IF;"
)


class StepEdge(GovernedModel):
    """A way from one step to the next. Ways make no circles, except those marked as rework: back to do it again."""

    version = models.ForeignKey(SOPVersion, models.PROTECT, related_name="edges")
    source = models.ForeignKey(Step, models.CASCADE, related_name="ways_out", verbose_name="from")
    target = models.ForeignKey(Step, models.CASCADE, related_name="ways_in", verbose_name="to")
    condition = models.CharField(
        max_length=120, blank=True, help_text="When this way is taken; needed where several ways lead on."
    )
    is_rework = models.BooleanField(
        "rework", default=False, help_text="Back to an earlier step, because something has to be done again."
    )

    class Meta(GovernedModel.Meta):
        verbose_name = "way"
        ordering = ("version", "source__position", "target__position")
        constraints = [
            models.UniqueConstraint(
                fields=("source", "target"),
                name="edge_once",
                violation_error_message="There is a way between these two steps already.",
            ),
            models.CheckConstraint(
                condition=~Q(source=F("target")),
                name="edge_leads_on",
                violation_error_message="A step does not lead to itself.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *written_once(("version_id",), "A way keeps its version for good."),
            *_drafts_alone(_SAME_VERSION),
        ]

    def __str__(self) -> str:
        arrow = "↩" if self.is_rework else "→"
        return f"{self.source} {arrow} {self.target}"
