"""Criteria by which tools are compared: versions from draft to in force, and the set mops starts with."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Sum

from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.technology.enums import CriteriaState
from apps.technology.models import CriteriaSet, Criterion

if TYPE_CHECKING:
    from apps.accounts.models import User

WHOLE = 100
SHIPPED_NAME = "Technology criteria"
SHIPPED = (
    ("Business value", "How well does it meet the need, for how many people, and how soon?", 30),
    ("Integration capability", "How well does it exchange data with what we have, by documented interfaces?", 25),
    ("Scalability", "Does it carry three times our volume without another contract or another tool?", 20),
    ("Support and maintenance", "How good are support, updates and documentation, and how much work stays ours?", 25),
)


def ship_criteria() -> CriteriaSet | None:
    """Put the shipped criteria in force where no set exists at all; None where there is one."""
    if CriteriaSet.objects.exists():
        return None
    with transaction.atomic():
        made: CriteriaSet = CriteriaSet.objects.create(name=SHIPPED_NAME, note="Shipped with mops.")
        for place, (name, question, weight) in enumerate(SHIPPED, start=1):
            Criterion.objects.create(criteria=made, name=name, question=question, weight=weight, position=place)
        _move(made, CriteriaState.ACTIVE)
    return made


def sum_of_weights(criteria: CriteriaSet) -> int:
    """Return what the weights sum to."""
    return int(criteria.criteria.filter(archived_at__isnull=True).aggregate(total=Sum("weight"))["total"] or 0)


def refuse_activation(user: "User", criteria: CriteriaSet) -> str | None:
    """Return why `user` cannot put these criteria in force now, None when it works."""
    if not access.can(user, "change", criteria):
        return "You may not change sets of criteria."
    if criteria.state != CriteriaState.DRAFT:
        return f"{criteria} is {criteria.get_state_display().lower()}; only a draft comes into force."
    total = sum_of_weights(criteria)
    if total != WHOLE:
        return f"The weights sum to {total}, not to {WHOLE}; change them until they do."
    return None


def activate_criteria(criteria: CriteriaSet, *, by: "User") -> str:
    """Put a draft in force; evaluations that have begun keep the version they began with.

    Raises:
        NotAllowed: `by` may not.
        InvalidInput: the weights do not sum to 100.
        WrongState: it is no draft.
    """
    with transaction.atomic(), acting_as(by):
        row: CriteriaSet = CriteriaSet.objects.select_for_update(of=("self",)).get(pk=criteria.pk)
        if refused := refuse_activation(by, row):
            if not access.can(by, "change", row):
                raise NotAllowed(refused)
            raise (InvalidInput if row.state == CriteriaState.DRAFT else WrongState)(refused)
        for before in CriteriaSet.objects.filter(name__iexact=row.name, state=CriteriaState.ACTIVE):
            _move(before, CriteriaState.RETIRED)
        _move(row, CriteriaState.ACTIVE)
    return f"{row} is in force; evaluations that have begun keep theirs."


def refuse_next_version(user: "User", criteria: CriteriaSet) -> str | None:
    """Return why `user` cannot start the next version of these criteria, None when it works."""
    if not access.can(user, "change", criteria):
        return "You may not change sets of criteria."
    if criteria.state == CriteriaState.DRAFT:
        return "This is a draft; change it as it is."
    if CriteriaSet.objects.filter(name__iexact=criteria.name, state=CriteriaState.DRAFT).exists():
        return "There is a draft of these criteria already; finish that one."
    return None


def next_version(criteria: CriteriaSet, *, by: "User") -> str:
    """Start the next version as a draft with what this one says.

    Raises:
        NotAllowed, WrongState: as `refuse_next_version` says.
    """
    with transaction.atomic(), acting_as(by):
        row: CriteriaSet = CriteriaSet.objects.select_for_update(of=("self",)).get(pk=criteria.pk)
        if refused := refuse_next_version(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        newest = CriteriaSet.objects.filter(name__iexact=row.name).aggregate(newest=Max("number"))["newest"]
        with transition(CriteriaSet):
            made = CriteriaSet.objects.create(name=row.name, number=newest + 1)
        for each in row.criteria.filter(archived_at__isnull=True):
            Criterion.objects.create(
                criteria=made, name=each.name, question=each.question, weight=each.weight, position=each.position
            )
    return f"{made} is a draft now, with what this one says; it stands first in the list."


def _move(criteria: CriteriaSet, to: CriteriaState) -> None:
    criteria.state = to
    with transition(CriteriaSet):
        criteria.save(update_fields=["state"])
