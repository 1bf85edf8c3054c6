"""The case for a tool: requests and waivers on their way through approval, and what counts without one."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.accounts.enums import Role
from apps.approvals.domain.definition import Definition, Named, Row, Stage
from apps.approvals.enums import Via
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.money import money
from apps.core.rules.predicates import Choice, Field, Number
from apps.core.transitions import transition
from apps.technology.domain.case_states import move_case, submit_case
from apps.technology.domain.currencies import refuse_currency
from apps.technology.domain.rates import missing_rate, policy, rates_on
from apps.technology.enums import CaseState, CostType, Criticality, DataClass, Known, Lifecycle, WaiverKind
from apps.technology.models import TCO_FIELDS, Tool, ToolRequest, Waiver
from apps.technology.models.cases import YEARS

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest

REQUEST_MATERIAL = ("title", "business_case", "integration_assessment", "currency", *TCO_FIELDS)
WAIVER_MATERIAL = ("reason", "expires_on")
LONGEST_WAIVER = 366
INVENTORY_REASON = "In use before mops; it came in with the inventory."


def has_case(tool: Tool, today: dt.date | None = None) -> bool:
    """Whether an approved request or a waiver in force covers the tool."""
    if tool.requests.filter(state=CaseState.APPROVED).exists():
        return True
    waivers: Any = tool.waivers
    return bool(waivers.in_force(today or clock.today()).exists())


def refuse_without_case(tool: Tool) -> str | None:
    """Return why nothing can be bought for `tool`, None when a case covers it."""
    if has_case(tool):
        return None
    return (
        f"{tool} has no approved request and no waiver in force. Send a tool request for approval, or have a waiver "
        "confirmed."
    )


def total_cost(request: ToolRequest) -> Decimal:
    """Return what three years cost in total, as far as it is stated."""
    return sum((getattr(request, name) or Decimal(0) for name in TCO_FIELDS), Decimal(0))


def tco_table(request: ToolRequest) -> list[tuple[str, list[Decimal | None], Decimal]]:
    """Return the three-year cost by type: label, the years, their sum."""
    table = []
    for kind in CostType:
        years = [getattr(request, f"{kind.value}_{year}") for year in YEARS]
        table.append((kind.label, years, sum((each or Decimal(0) for each in years), Decimal(0))))
    return table


def missing_for_approval(request: ToolRequest) -> list[str]:
    """Return what a request still lacks before anybody can decide about it, in the words of its form."""
    missing = [
        words
        for words, given in (
            ("the business case", request.business_case.strip()),
            ("the integration assessment", request.integration_assessment.strip()),
        )
        if not given
    ]
    unsaid = [name for name in TCO_FIELDS if getattr(request, name) is None]
    if unsaid:
        kinds = dict.fromkeys(CostType(name.rsplit("_", 1)[0]).label.lower() for name in unsaid)
        missing.append(f"the three-year cost of {', '.join(kinds)} (0 where it costs nothing)")
    return missing


def refuse_request_submission(user: "User", request: ToolRequest) -> str | None:
    """Return why `user` cannot send this request for approval now, None when it works."""
    if refused := _refuse_send(user, request):
        return refused
    if refused := refuse_currency(request.currency):
        return refused
    if missing := missing_for_approval(request):
        return f"The request is not complete; still missing: {'; '.join(missing)}."
    return _refuse_without_evaluation(request)


def _refuse_without_evaluation(request: ToolRequest) -> str | None:
    """Return why a request of this size needs a comparison first, None where it has one or needs none."""
    steering = policy()
    if steering.evaluation_from is None or request.evaluation_id is not None:
        return None
    rate = Decimal(1)
    if request.currency != steering.currency:
        today = clock.today()
        rates = rates_on(today, into=steering.currency, age=steering.rate_days)
        if request.currency not in rates:
            return missing_rate(request.currency, steering.currency, today)
        rate = rates[request.currency]
    if total_cost(request) * rate < steering.evaluation_from:
        return None
    return (
        f"Three years cost {money(steering.evaluation_from, steering.currency)} or more: such a request comes out "
        "of an evaluation. Compare candidates under Evaluations; choosing one makes its request."
    )


def request_facts(request: ToolRequest) -> dict[str, Any]:
    """Return what a decision table may look at besides the text: money, risk, and how it was compared."""
    return {
        "amount": total_cost(request),
        "criticality": request.tool.criticality,
        "data_classification": request.tool.data_classification,
        "personal_data": request.tool.personal_data,
        "evaluated": Known.YES if request.evaluation_id is not None else Known.NO,
    }


def request_fact_fields() -> tuple[Field, ...]:
    """Return what `request_facts` tells, as fields of conditions."""
    return (
        Field("amount", "Amount", Number(), help="Three years in total, in the currency of the request."),
        Field("criticality", "Criticality", Choice(Criticality.choices), help="The systems tier of the tool."),
        Field("data_classification", "Data class", Choice(DataClass.choices), help="How sensitive its data is."),
        Field("personal_data", "Personal data", Choice(Known.choices), help="Whether it holds data about people."),
        Field("evaluated", "Evaluated", Choice(Known.choices), help="Whether it comes out of an evaluation."),
    )


def request_cost(request: ToolRequest) -> str:
    """Return in a few words what approving costs."""
    return f"{money(total_cost(request), request.currency)} over three years"


def request_policy() -> Definition:
    """Return the policy requests start with: the business decides first, then IT, each another person."""
    business = Stage(1, "Business", (Named(Via.ROLE, Role.APPROVER),))
    it = Stage(2, "IT", (Named(Via.ROLE, Role.ADMINISTRATOR),))
    return Definition((business, it), (Row("Everything", {"all": []}, (1, 2)),))


def submit_request(request: ToolRequest, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a request for approval, exactly as it is now.

    Raises:
        NotAllowed, WrongState: as `refuse_request_submission` says.
    """
    return submit_case(request, by=by, note=note, at=at, refuse=refuse_request_submission)


def refuse_waiver_submission(user: "User", waiver: Waiver) -> str | None:
    """Return why `user` cannot ask for this waiver now, None when it works."""
    if refused := _refuse_send(user, waiver):
        return refused
    today = clock.today()
    if waiver.expires_on < today:
        return "A waiver cannot end in the past; choose a later day."
    if (waiver.expires_on - today).days > LONGEST_WAIVER:
        return "A waiver lasts a year at most; what is needed for longer needs a request."
    return None


def submit_waiver(waiver: Waiver, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Ask a second person to confirm a waiver.

    Raises:
        NotAllowed, WrongState: as `refuse_waiver_submission` says.
    """
    return submit_case(waiver, by=by, note=note, at=at, refuse=refuse_waiver_submission)


def approve_request(
    request: ToolRequest, approval: "ApprovalRequest", *, by: "User", at: dt.datetime | None = None
) -> None:
    """Make a request approved and its tool ready to be implemented: the effect of its approval."""
    move_case(request, CaseState.APPROVED, decided_at=at or clock.now())
    tool = Tool.objects.select_for_update(of=("self",)).get(pk=request.tool_id)
    if tool.lifecycle in (Lifecycle.PROPOSED, Lifecycle.EVALUATING):
        tool.lifecycle = Lifecycle.APPROVED
        with transition(Tool):
            tool.save(update_fields=["lifecycle"])
        publish("tool.moved", tool_id=tool.pk, to=Lifecycle.APPROVED.value)


def approve_waiver(waiver: Waiver, approval: "ApprovalRequest", *, by: "User", at: dt.datetime | None = None) -> None:
    """Let a waiver stand, confirmed by who decided: the effect of its approval."""
    move_case(waiver, CaseState.APPROVED, confirmed_by=by, confirmed_at=at or clock.now())


def refuse_revocation(user: "User", waiver: Waiver) -> str | None:
    """Return why `user` cannot end this waiver now, None when it works."""
    if not access.can(user, "change", waiver):
        return "You may not change waivers."
    if waiver.state != CaseState.APPROVED:
        return f"The waiver is {waiver.get_state_display().lower()}; there is nothing to end."
    return "The waiver has ended already." if waiver.expires_on < clock.today() else None


def revoke_waiver(waiver: Waiver, *, by: "User", reason: str) -> str:
    """End a waiver before its time.

    Raises:
        NotAllowed, WrongState: as `refuse_revocation` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = Waiver.objects.select_for_update(of=("self",)).get(pk=waiver.pk)
        if refused := refuse_revocation(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        move_case(row, CaseState.REVOKED)
    return f"{row} has ended."


def waive_inventory(tools: Sequence[Tool], *, by: "User | None", today: dt.date | None = None) -> None:
    """Record that tools were in use before mops: they may stay active until their case is made."""
    until = (today or clock.today()) + dt.timedelta(days=policy().inventory_days)
    asked = by if by is not None and by.pk else None
    with transition(Waiver):
        Waiver.objects.bulk_create(
            Waiver(
                tool=tool,
                kind=WaiverKind.INVENTORY,
                reason=INVENTORY_REASON,
                expires_on=until,
                requester=asked,
                state=CaseState.APPROVED,
            )
            for tool in tools
        )


def _refuse_send(user: "User", case: ToolRequest | Waiver) -> str | None:
    if not access.can(user, "change", case):
        return f"You may not change {case._meta.verbose_name_plural}."
    if not case.is_editable:
        return f"This is {case.get_state_display().lower()}; there is nothing to send."
    if case.tool.is_archived:
        return f"{case.tool} is archived; restore it first."
    return f"{case.tool} is retired." if case.tool.lifecycle == Lifecycle.RETIRED else None
