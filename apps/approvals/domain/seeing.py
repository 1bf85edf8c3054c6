"""Who sees which requests: those about things that the person may see."""

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from apps.approvals.domain.seats import requests_waiting_for
from apps.approvals.models import ApprovalPolicy, ApprovalRequest, Decision
from apps.approvals.registry import registered
from apps.core.access import has_model_permission, hidden_columns, is_narrowed, visible

if TYPE_CHECKING:
    from apps.accounts.models import User


def has_to_do_with_policies(user: "User") -> bool:
    """Whether `user` reads policies: who does sees requests, where they go and how long they take, not theirs alone."""
    return has_model_permission(user, "view", ApprovalPolicy)


def visible_requests(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Leave out the requests about things that `user` may not see: the page shows their content.

    Who has nothing to do with policies sees those alone that concern them (to decide, decided or sent by them), and
    none about things of which a column is kept from them.
    """
    shown = [model for model in registered() if has_model_permission(user, "view", model)]
    if not has_to_do_with_policies(user):
        rows = rows.filter(_concerning(user))
        shown = [model for model in shown if not hidden_columns(user, model)]
    kinds = ContentType.objects.get_for_models(*shown)
    whole = [kinds[model].pk for model in shown if not is_narrowed(user, model)]
    seen = Q(content_type__in=whole)
    for model in shown:
        if is_narrowed(user, model):
            seen |= Q(content_type=kinds[model].pk, object_id__in=visible(user, model).order_by().values("pk"))
    return rows.filter(seen)


def _concerning(user: "User") -> Q:
    waiting = requests_waiting_for(user).order_by().values("pk")
    decided = Decision.objects.filter(approver=user).order_by().values("request")
    return Q(requester=user) | Q(pk__in=waiting) | Q(pk__in=decided)


def by_request(path: str) -> Any:
    """Return the scope of rows that hang on a request: seen by who sees the request.

    Args:
        path: from the row to its request, for instance "approval".
    """

    def narrowed(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        requests = visible(user, ApprovalRequest).order_by()
        return rows.filter(**{f"{path}__in": requests.values("pk")})

    return narrowed
