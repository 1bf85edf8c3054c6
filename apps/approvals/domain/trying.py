"""Trying a condition of a decision table on requests that were sent before."""

from apps.accounts.models import User
from apps.approvals.domain.facts import asked
from apps.approvals.models import ApprovalRequest
from apps.core import access, clock
from apps.core.errors import InvalidInput
from apps.core.rules.predicates import Catalog, Predicate

LOOKED_AT = 200


def how_many_fit(when: Predicate, catalog: Catalog, kind: str, person: User) -> str:
    """Say how many of the last requests of a kind, among those the person sees, a condition would have fitted."""
    app, _, model = kind.partition(".")
    requests = access.visible(person, ApprovalRequest).filter(content_type__app_label=app, content_type__model=model)
    last = list(requests.order_by("-pk").values_list("facts", flat=True)[:LOOKED_AT])
    if not last:
        return "No request of this kind was sent yet."
    now, fit = clock.now(), 0
    for facts in last:
        try:
            fit += asked(when, facts, catalog, as_of=now).matched
        except InvalidInput:  # an old request whose facts are of another type by now: it fits nothing
            continue
    return f"Fits {fit:,} of the last {len(last):,} requests of this kind that you see."
