"""What an approver reads about requests: everything the inbox shows, loaded at once for any number of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType

from apps.accounts.models import User
from apps.approvals.domain.content import FieldDecided, custom_labels, fields_decided
from apps.approvals.domain.seats import requests_waiting_for, tokens_of
from apps.approvals.enums import StageState
from apps.approvals.models import ApprovalRequest, Decision, Delegation, Opening, StageInstance
from apps.core import clock
from apps.core.access import visible

PAGE = 20
FEW = 500  # waiting requests that are named by their keys


@dataclass(frozen=True)
class Waiting:
    """One request as the inbox shows it."""

    request: ApprovalRequest
    stage: StageInstance
    stages: int
    changed: list[FieldDecided]
    unchanged: int
    decisions: list[Decision]
    unmet: list[str]
    stands_in_for: str

    @property
    def is_first(self) -> bool:
        """Whether nothing was approved before."""
        return self.request.before is None

    @property
    def is_late(self) -> bool:
        """Whether its time is up."""
        return self.stage.due_at is not None and self.stage.due_at < clock.now()


def inbox_rows(person: User) -> Any:
    """Return what waits for `person`, oldest first, as a queryset to page through."""
    waiting = requests_waiting_for(person)
    keys = list(waiting.values_list("pk", flat=True)[: FEW + 1])
    if len(keys) <= FEW:  # found by their keys; of more than that the oldest are read in order, by their index
        waiting = ApprovalRequest.objects.filter(pk__in=keys)
    rows = waiting & visible(person, ApprovalRequest)
    return rows.select_related("requester", "content_type", "revision", "policy").order_by("submitted_at", "pk")


def read_inbox(requests: Iterable[ApprovalRequest], *, person: User) -> list[Waiting]:
    """Return what the inbox shows of these requests, in a number of statements that does not grow with them."""
    requests = list(requests)
    keys = [each.pk for each in requests]
    stages: dict[int, list[StageInstance]] = {}
    for stage in StageInstance.objects.filter(approval__in=keys).order_by("approval", "position"):
        stages.setdefault(stage.approval_id, []).append(stage)
    decisions: dict[int, list[Decision]] = {}
    for each in Decision.objects.filter(request__in=keys).select_related("approver", "principal", "stage"):
        decisions.setdefault(each.request_id, []).append(each)
    labels = _labels(requests)
    absent = _absent(person)
    own = tokens_of({person.pk}).get(person.pk, set())
    return [
        _waiting(each, stages.get(each.pk, []), decisions.get(each.pk, []), labels, absent, own) for each in requests
    ]


def _waiting(
    request: ApprovalRequest,
    stages: list[StageInstance],
    decisions: list[Decision],
    labels: Mapping[int, Mapping[str, str]],
    absent: list[tuple[Delegation, set[str]]],
    own: set[str],
) -> Waiting:
    model: Any = request.content_type.model_class()
    active = next(each for each in stages if each.state == StageState.ACTIVE)
    fields = fields_decided(model, request.payload, request.before, labels=labels[request.content_type_id])
    changed = [each for each in fields if each.has_changed or request.before is None]
    for_whom = "" if own & set(active.named) else _for_whom(active, absent)
    return Waiting(
        request=request,
        stage=active,
        stages=len(stages),
        changed=changed,
        unchanged=len(fields) - len(changed),
        decisions=decisions,
        unmet=[sentence for each in request.checks for sentence in each["unmet"]],
        stands_in_for=for_whom,
    )


def _for_whom(stage: StageInstance, absent: list[tuple[Delegation, set[str]]]) -> str:
    return next((str(each.from_person) for each, tokens in absent if tokens & set(stage.named)), "")


def _absent(person: User) -> list[tuple[Delegation, set[str]]]:
    given = list(Delegation.objects.valid_at(clock.now()).filter(to_person=person).select_related("from_person"))
    held = tokens_of({each.from_person_id for each in given}) if given else {}
    return [(each, held.get(each.from_person_id, set())) for each in given]


def _labels(requests: list[ApprovalRequest]) -> dict[int, Mapping[str, str]]:
    kinds = {each.content_type_id for each in requests}
    found: dict[int, Mapping[str, str]] = {}
    for kind in kinds:
        model: Any = ContentType.objects.get_for_id(kind).model_class()
        with_custom = any(
            name.startswith("custom.") for each in requests if each.content_type_id == kind for name in each.payload
        )
        found[kind] = custom_labels(model) if with_custom else {}
    return found


def note_opening(request: ApprovalRequest, stage: StageInstance, person: User) -> None:
    """Remember when an approver first opened a request: queue time ends and touch time begins there."""
    Opening.objects.bulk_create(
        [Opening(request=request, stage=stage, person=person, at=clock.now())], ignore_conflicts=True
    )
