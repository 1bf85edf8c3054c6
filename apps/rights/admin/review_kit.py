"""“Open a review” above the list of reviews; how a review stands and its evidence on its page."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from unfold.views import ChangeList

from apps.core.admin_kit.kits import Call, Kit, Verb, ask, list_url, record_url, register_kit, submit
from apps.core.admin_kit.links import url_of
from apps.core.admin_kit.step_up import ask_for_recent_authentication
from apps.core.errors import NotAllowed
from apps.rights.admin.forms import OpenReviewForm
from apps.rights.domain.evidence import evidence, refuse_evidence
from apps.rights.domain.reviewing import open_review, refuse_open
from apps.rights.enums import Flag, ReviewDecision
from apps.rights.models import AccessReview

KEY = "review"


def start(call: Call) -> HttpResponseBase | str:
    """Ask what to review, then list it."""
    if refused := refuse_open(call.person):
        raise NotAllowed(refused)
    form = OpenReviewForm(call.request.POST if call.request.method == "POST" else None)
    opened: list[AccessReview] = []

    def carry_out(**given: Any) -> str:
        opened.append(open_review(by=call.person, **given))
        return "Opened."

    if call.request.method == "POST" and submit(call, form, carry_out) is not None:
        return HttpResponseRedirect(url_of(opened[0]))
    lead = (
        "Every role, shared record, ownership, directly given right and account of the scope is listed with its source "
        "and last use. The reviewers are told, reminded before the day, and an alert is raised after it."
    )
    return ask(call, form, title="Open an access review", label="Open the review", lead=lead)


def take_out(call: Call) -> HttpResponseBase | str:
    """Give the list and its manifest as one file."""
    if refused := refuse_evidence(call.person, call.thing):
        raise NotAllowed(refused)
    ask_for_recent_authentication(call.request)
    name = f"access-review-{call.thing.pk}.zip"
    content = evidence(call.thing, by=call.person)
    return HttpResponse(
        content, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


class ReviewKit(Kit):
    """Reviews."""

    key = KEY
    order = 5
    list_verbs: ClassVar[dict[str, Verb]] = {"open": Verb(start, methods=("GET", "POST"))}
    record_verbs: ClassVar[dict[str, Verb]] = {"evidence": Verb(take_out)}

    def applies(self, model_admin: Any) -> bool:
        """Reviews carry it."""
        return model_admin.model is AccessReview

    def strips(self, model_admin: Any, request: HttpRequest, changelist: ChangeList) -> Sequence[dict[str, Any]]:
        """Offer a new review to those who may open one."""
        person: Any = request.user
        if refuse_open(person):
            return ()
        return ({"template": "admin/rights/review_strip.html", "url": list_url(model_admin, KEY, "open")},)

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Show how it stands: by decision, by what to notice, by reviewer."""
        person: Any = request.user
        lines = f"{reverse('admin:rights_accessreviewentry_changelist')}?review__id__exact={thing.pk}"
        decided = dict(thing.entries.values_list("decision").annotate(number=Count("pk")))
        counts = [("Waiting", decided.get("", 0), f"{lines}&decision__exact=")]
        counts += [
            (str(each.label), decided.get(each.value, 0), f"{lines}&decision__exact={each}") for each in ReviewDecision
        ]
        flags = [(str(flag.label), thing.entries.filter(flags__contains=[flag.value]).count()) for flag in Flag]
        waiting = thing.entries.values_list("reviewer__full_name").annotate(
            number=Count("pk"), open=Count("pk", filter=Q(decision=""))
        )
        took = thing.entries.exclude(decision__in=("", ReviewDecision.KEEP))
        return (
            {
                "template": "admin/rights/review_panel.html",
                "above": True,
                "review": thing,
                "lines": lines,
                "counts": counts,
                "flags": [pair for pair in flags if pair[1]],
                "reviewers": waiting.order_by("reviewer__full_name"),
                "taken": took.count(),
                "unverified": took.filter(verified_at__isnull=True).count(),
                "evidence": "" if refuse_evidence(person, thing) else record_url(model_admin, thing, KEY, "evidence"),
            },
        )


register_kit(ReviewKit())
