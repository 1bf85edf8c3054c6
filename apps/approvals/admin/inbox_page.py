"""The inbox: what waits for me, with what it takes to decide; one or many at once, each judged on its own."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.approvals.admin.panels import shown_field
from apps.approvals.domain import decisions
from apps.approvals.domain.reading import PAGE, inbox_rows, read_inbox
from apps.approvals.domain.seeing import has_to_do_with_policies
from apps.approvals.enums import Verdict
from apps.approvals.models import ApprovalRequest
from apps.core import access
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of

REASONED = {
    Verdict.REQUEST_CHANGES: decisions.request_changes,
    Verdict.REJECT: decisions.reject,
    Verdict.ABSTAIN: decisions.abstain,
}
OFFERED = (
    (Verdict.APPROVE, "Approve"),
    (Verdict.REQUEST_CHANGES, "Request changes"),
    (Verdict.REJECT, "Reject"),
    (Verdict.ABSTAIN, "Abstain"),
)


@dataclass(frozen=True)
class Result:
    """What became of one of many."""

    title: str
    said: str
    done: bool


def inbox_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show what waits for this person (GET), or decide what they ticked (POST)."""
    person: Any = request.user
    if not access.may_open(person, "view", ApprovalRequest):
        raise PermissionDenied
    results: list[Result] = []
    if request.method == "POST":
        if refused := _refused_form(request):
            messages.error(request, refused)
        else:
            results = decide_many(
                request.POST.getlist("chosen"),
                Verdict(request.POST["verdict"]),
                by=person,
                reason=request.POST.get("reason", "").strip(),
            )
    is_kept = not results or any(not each.done for each in results)
    page = Paginator(inbox_rows(person), PAGE).get_page(request.GET.get("page"))
    shown = read_inbox(page.object_list, person=person)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Inbox",
        "opts": model_admin.opts,
        "is_concerned_alone": not has_to_do_with_policies(person),
        "page": page,
        "rows": [{"row": each, "fields": [shown_field(field) for field in each.changed]} for each in shown],
        "results": results,
        "verdicts": OFFERED,
        "verdict": request.POST.get("verdict", "") or Verdict.APPROVE.value,
        "chosen": [] if results else request.POST.getlist("chosen"),
        "reason": request.POST.get("reason", "").strip() if is_kept else "",
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/approvals/inbox.html", context)


def _refused_form(request: HttpRequest) -> str | None:
    verdict = request.POST.get("verdict", "")
    if not request.POST.getlist("chosen"):
        return "Tick at least one request first."
    if verdict not in {each.value for each, _ in OFFERED}:
        return "Choose what you decide."
    if verdict != Verdict.APPROVE and not request.POST.get("reason", "").strip():
        return decisions.SAY_WHY
    return None


def decide_many(keys: list[str], verdict: Verdict, *, by: Any, reason: str) -> list[Result]:
    """Decide about several requests, each in a transaction of its own, and say what became of each.

    Args:
        keys: of the requests; what the person may not see is left out.
        verdict: the same for all.
        by: who decides.
        reason: kept with each decision.
    """
    found = access.visible(by, ApprovalRequest).filter(
        pk__in=[key for key in keys if key.isascii() and key.isdecimal()]
    )
    results = []
    for row in found.order_by("submitted_at", "pk"):
        try:
            with acting_as(by, reason=reason or None):
                if verdict == Verdict.APPROVE:
                    said = decisions.approve(row, by=by, note=reason)
                else:
                    said = REASONED[verdict](row, by=by, reason=reason)
        except Exception as error:
            if (sentence := sentence_of(error)) is None:
                raise
            results.append(Result(row.title, sentence, done=False))
        else:
            results.append(Result(row.title, said, done=True))
    return results
