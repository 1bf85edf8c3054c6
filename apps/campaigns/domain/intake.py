"""Taking requests for campaigns in: asked by anybody, looked through, and turned into a campaign as they stand."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from apps.campaigns.domain.request_form import checked, current_form
from apps.campaigns.domain.working import begin_work
from apps.campaigns.enums import NOT_YET_LIVE, RUNNING, WAITING, CampaignState, RequestStage
from apps.campaigns.models import Campaign, CampaignRequest
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.notifications.domain.notifying import notify
from apps.core.transitions import transition
from apps.core.words import reason_given

if TYPE_CHECKING:
    from django.db import models

    from apps.accounts.models import User

TOLD = "campaign.request"
TAKEN_OVER = (
    *("objective", "audience", "main_channel", "product", "region", "starts_on", "ends_on", "budget", "currency"),
    "success_metrics",
)
GIVEN = ("title", *TAKEN_OVER)
ALIKE, COMPARED = 0.5, 300  # share of words in common from which two are alike; how many are compared
_WORDS = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class Twin:
    """Another request or campaign that may be the same thing, and why it looks so."""

    thing: "models.Model | str"
    why: str


def ask_for_campaign(
    *, by: "User", values: Mapping[str, Any], answers: Mapping[str, Any] | None = None, at: dt.datetime | None = None
) -> CampaignRequest:
    """Ask for a campaign; anybody who may sign in can.

    Args:
        by: who asks.
        values: the fields of `GIVEN`.
        answers: to the further questions of the form, by key.
        at: when; now when not given.

    Raises:
        NotAllowed: `by` is deactivated.
        InvalidInput: with a sentence per field that is missing or cannot be used.
    """
    if not by.is_active:
        raise NotAllowed(f"{by} is deactivated.")
    form, moment = current_form(), at or clock.now()
    request = CampaignRequest(requester=by, asked_at=moment, form=form)
    _fill(request, values)
    request.answers = checked(request, form, answers or {})
    with transaction.atomic(), acting_as(by):
        request.save()
        publish("campaign.requested", request_id=request.pk)
    return request


def refuse_answer(user: "User", request: CampaignRequest) -> str | None:
    """Return why `user` cannot change what they asked, None when they can."""
    if request.requester_id != user.pk:
        return "Only who asked changes a request."
    return None if request.stage in WAITING else f"“{request}” is {request.get_stage_display().lower()}; ask anew."


def answer_information(
    request: CampaignRequest, *, by: "User", values: Mapping[str, Any], answers: Mapping[str, Any] | None = None
) -> str:
    """Give what was missing, or change one's mind: the request is asked again.

    Raises:
        InvalidInput: with a sentence per field that is missing or cannot be used.
        NotAllowed, WrongState: as `refuse_answer` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(request)
        if refused := refuse_answer(by, row):
            raise (NotAllowed if row.requester_id != by.pk else WrongState)(refused)
        _fill(row, values)
        row.answers = checked(row, row.form, answers or {})
        row.stage = RequestStage.ASKED
        with transition(CampaignRequest):
            row.save()
        if row.triaged_by is not None:
            notify([row.triaged_by], TOLD, title=f"Answered: {row}", subject=row, by=by)
    return f"“{row}” is asked again; you are told what becomes of it."


def withdraw_request(request: CampaignRequest, *, by: "User", reason: str = "") -> str:
    """Take one's own request back.

    Raises:
        NotAllowed, WrongState: as `refuse_answer` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row = _locked(request)
        if refused := refuse_answer(by, row):
            raise (NotAllowed if row.requester_id != by.pk else WrongState)(refused)
        row.stage = RequestStage.WITHDRAWN
        with transition(CampaignRequest):
            row.save(update_fields=["stage"])
    return f"“{row}” is withdrawn."


def refuse_triage(user: "User", request: CampaignRequest) -> str | None:
    """Return why `user` cannot decide about this request, None when they can."""
    if not access.may(user, "change", request) or not access.has_model_permission(user, "add", Campaign):
        return "You may not decide about requests for campaigns."
    if request.is_archived:
        return f"“{request}” is archived; restore it first."
    if request.stage not in WAITING:
        return f"“{request}” is {request.get_stage_display().lower()}; nothing is left to decide."
    if request.requester_id == user.pk:
        return "You asked for it yourself; somebody else looks it through."
    return None


def ask_information(request: CampaignRequest, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Send a request back with a question.

    Raises:
        InvalidInput: without the question.
        NotAllowed, WrongState: as `refuse_triage` says.
    """
    reason = reason_given(reason, "Say what is missing.")
    row = _triage(request, RequestStage.INCOMPLETE, by=by, verdict=reason, at=at)
    return f"“{row}” waits for {row.requester}."


def decline_request(request: CampaignRequest, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Decline a request with the reason its requester reads.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_triage` says.
    """
    reason = reason_given(reason, "Say why it is declined; who asked reads it.")
    row = _triage(request, RequestStage.DECLINED, by=by, verdict=reason, at=at)
    return f"“{row}” is declined; {row.requester} is told why."


def accept_request(
    request: CampaignRequest,
    *,
    by: "User",
    name: str = "",
    owner: "User | None" = None,
    note: str = "",
    at: dt.datetime | None = None,
) -> str:
    """Turn a request into a campaign with everything it says, and begin the standard process.

    Args:
        request: it waits for a decision.
        by: who accepts.
        name: of the campaign; the title of the request where empty.
        owner: who answers for the campaign; `by` when nobody is named.
        note: for the requester.
        at: when; now when not given.

    Raises:
        InvalidInput: a campaign of this name exists.
        NotAllowed, WrongState: as `refuse_triage` says, or the campaign would be outside those that `by` may add.
    """
    called = name.strip() or request.title
    with transaction.atomic(), acting_as(by, reason=note or f"Asked for by {request.requester}"):
        if Campaign.objects.filter(name=called).exists():
            said = f"There is a campaign called “{called}” already; give this one another name."
            raise InvalidInput(said, fields={"name": said})
        row = _locked(request)
        _raise_triage(by, row)
        values = {each: getattr(row, each) for each in TAKEN_OVER}
        campaign = Campaign.objects.create(name=called, owner_person=owner or by, **values)
        if refused := access.refuse_outside(by, "add", campaign):
            raise NotAllowed(refused)
        _triage(row, RequestStage.ACCEPTED, by=by, verdict=note, at=at, campaign=campaign)
        started = begin_work(campaign, by=by, at=at)
    return " ".join((f"“{row}” became the campaign {campaign}, with everything it said.", *started))


def twins_of(request: CampaignRequest, *, reader: "User") -> list[Twin]:
    """Return requests and campaigns that may be the same thing: alike in name, at the same time, not over yet.

    What `reader` may not see is told of without its name: that there is such a thing is what keeps work from being
    done twice.
    """
    span = Q()
    if request.starts_on and request.ends_on:
        span = (Q(starts_on__lte=request.ends_on) | Q(starts_on=None)) & (
            Q(ends_on__gte=request.starts_on) | Q(ends_on=None)
        )
    states = (*NOT_YET_LIVE, *RUNNING)
    campaigns = Campaign.objects.filter(span, archived_at=None, state__in=states).exclude(pk=request.campaign_id)
    others = CampaignRequest.objects.filter(span, archived_at=None, stage__in=WAITING).exclude(pk=request.pk)
    found = []
    for each in [*campaigns.order_by("-pk")[:COMPARED], *others.order_by("-pk")[:COMPARED]]:
        shared = _alike(request.title, each.name if isinstance(each, Campaign) else each.title)
        if shared >= ALIKE:
            where = "same channel" if each.main_channel == request.main_channel else "another channel"
            stands = CampaignState(each.state).label if isinstance(each, Campaign) else "request"
            seen = access.can(reader, "view", each)
            thing = each if seen else "a campaign elsewhere" if isinstance(each, Campaign) else "somebody's request"
            found.append(
                (shared, Twin(thing, f"{shared:.0%} of the words of the name in common, {where}, {stands.lower()}"))
            )
    return [twin for _, twin in sorted(found, key=lambda one: -one[0])[:5]]


def _alike(one: str, other: str) -> float:
    words, others = (set(_WORDS.findall(text.casefold())) for text in (one, other))
    return len(words & others) / len(words | others) if words and others else float(one.strip() == other.strip())


def _fill(request: CampaignRequest, values: Mapping[str, Any]) -> None:
    for name in GIVEN:
        if name in values:
            value = values[name]
            setattr(request, name, value.strip() if isinstance(value, str) else value)


def _locked(request: CampaignRequest) -> CampaignRequest:
    rows = CampaignRequest.objects.select_for_update(of=("self",)).select_related("requester", "form", "triaged_by")
    row: CampaignRequest = rows.get(pk=request.pk)
    return row


def _raise_triage(by: "User", row: CampaignRequest) -> None:
    if refused := refuse_triage(by, row):
        raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)


def _triage(
    request: CampaignRequest, stage: RequestStage, *, by: "User", verdict: str, at: dt.datetime | None, **more: Any
) -> CampaignRequest:
    with transaction.atomic(), acting_as(by, reason=verdict[:500] or None):
        row = _locked(request)
        _raise_triage(by, row)
        changed = {"stage": stage, "verdict": verdict, "triaged_by": by, "triaged_at": at or clock.now(), **more}
        for name, value in changed.items():
            setattr(row, name, value)
        with transition(CampaignRequest):
            row.save(update_fields=[*changed])
        said = f"{row.get_stage_display()}: {row}"
        notify([row.requester], TOLD, title=said, body=verdict, subject=row, by=by)
    return row
