"""Templates in versions: what the database holds of each version, whichever app writes them."""

from collections.abc import Sequence

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.core.transitions import fixed_after_draft, guarded_columns, written_once


def version_constraints(prefix: str, *, once: str, in_force: str = "approved") -> list[models.BaseConstraint]:
    """Return that numbers of versions differ, and that one of a template is under way and one in force at most.

    Args:
        prefix: what the names of the constraints begin with.
        once: the name of the constraint over the numbers.
        in_force: the state of the version that counts.
    """
    return [
        models.UniqueConstraint(fields=("template", "number"), name=once),
        models.UniqueConstraint(
            fields=("template",),
            condition=Q(state__in=("draft", "in_review")),
            name=f"{prefix}_one_under_way",
            violation_error_message="This template has a draft already; finish that one.",
        ),
        models.UniqueConstraint(fields=("template",), condition=Q(state=in_force), name=f"{prefix}_one_in_force"),
    ]


def version_triggers(material: Sequence[str]) -> list[pgtrigger.Trigger]:
    """Return that a version comes into force by approval alone, and that `material` is fixed once it was sent."""
    return [
        *guarded_columns(
            *("state", "in_force_at"),
            starts={"state": "draft"},
            sentence="A version comes into force by approval, not by an edit.",
        ),
        *written_once(("template_id", "number", "author_id"), "A version keeps its template, number and author."),
        *fixed_after_draft(material, "What was sent for approval stays as it is; write a new version."),
    ]
