"""Stages over time: one stretch after the other, written by the database whatever moves a lead."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.timezone import localtime

from apps.core.transitions import written_once
from apps.leads.enums import Stage
from apps.leads.models.lead import Lead


class _Span(Func):
    """A range of the columns named."""

    function = "tstzrange"
    output_field = models.TextField()


class _One(Func):
    """The range that holds one number, so that equality can stand in an exclusion constraint without an extension."""

    template = "int8range(%(expressions)s, %(expressions)s, '[]')"
    output_field = models.TextField()


# What a constraint over all stretches costs with every lead that comes in (35 µs a row, a third of all that is written)
# is asked only where there is something to overlap: closed stretches are held apart by the constraint, an open one and
# the closed ones by this. Planned anew each time, and row by row, so that a batch never reads the whole table.
_OTHERS = """
    new_rows n, LATERAL (
        SELECT FROM leads_stageinterval s WHERE s.lead_id = n.lead_id AND s.id <> n.id
           AND (s.exited_at IS NULL OR n.exited_at IS NULL) {more} OFFSET 0) s
"""
_HELD = f"""
    SELECT count(*) FROM (
        SELECT FROM leads_lead l WHERE l.id = ANY (ARRAY(SELECT n.lead_id FROM {_OTHERS.format(more="")}))
        ORDER BY l.id FOR NO KEY UPDATE) held
"""
_OVERLAPPING = "SELECT count(*) FROM " + _OTHERS.format(
    more="AND tstzrange(s.entered_at, s.exited_at) && tstzrange(n.entered_at, n.exited_at)"
)
ONE_AT_A_TIME = "A lead is in one stage at a time."


def _no_overlap(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """Return the trigger that refuses an open stretch beside one that ends later; it holds the lead while it looks."""
    return pgtrigger.Trigger(
        name=f"open_stage_is_last_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
        declare=[("others", "bigint")],
        func=f"EXECUTE $q${_HELD}$q$ INTO others; IF others > 0 THEN EXECUTE $q${_OVERLAPPING}$q$ INTO others; "
        "IF others > 0 THEN RAISE EXCEPTION USING ERRCODE = 'exclusion_violation', TABLE = 'leads_stageinterval', "
        f"CONSTRAINT = 'stage_no_overlap', MESSAGE = '{ONE_AT_A_TIME}'; END IF; END IF; RETURN NULL;",
    )


class StageInterval(models.Model):
    """How long a lead stood in a stage, and why it came there. Derived from the lead by its triggers."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=20, choices=Stage.choices)
    entered_at = models.DateTimeField("since")
    exited_at = models.DateTimeField("until", null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    actor_label = models.CharField("moved by", max_length=150, blank=True)

    class Meta:
        ordering = ("-entered_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=("lead",), condition=Q(exited_at__isnull=True), name="stage_one_open"),
            ExclusionConstraint(
                name="stage_no_overlap",
                expressions=[
                    (_One(F("lead")), RangeOperators.OVERLAPS),
                    (_Span(F("entered_at"), F("exited_at"), Value("[)")), RangeOperators.OVERLAPS),
                ],
                condition=Q(exited_at__isnull=False),
                violation_error_message=ONE_AT_A_TIME,
            ),
        ]
        indexes = [models.Index(fields=("stage", "entered_at"), name="stage_by_entry")]
        triggers = [
            *(_no_overlap(operation) for operation in (pgtrigger.Insert, pgtrigger.Update)),
            *written_once(
                ("lead_id", "stage", "entered_at", "reason", "actor_label"),
                "What stage a lead was in stays as it was; move the lead instead.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} since {localtime(self.entered_at):%-d %b %Y}"
