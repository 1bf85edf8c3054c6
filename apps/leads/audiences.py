"""Leads as audiences of campaigns: selected by their fields or by a segment, without those who cannot be addressed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Q, Subquery

from apps.campaigns.enums import Channel
from apps.campaigns.registry import (
    AudienceProvider,
    ConsentCheck,
    Members,
    Selection,
    register_consent_check,
    register_provider,
)
from apps.core.access import visible
from apps.leads.enums import ConsentPurpose, Stage
from apps.leads.models import Consent, Lead
from apps.leads.segments import in_segment, segment_choices

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User

FIELDS = {
    "stage": "lifecycle stage",
    "territory": "sales territory",
    "country": "country",
    "source": "where it heard of us",
    "origin": "how it came in",
}
NO_ADDRESS, TAKEN_BACK = "without an e-mail address", "took their consent back"


def refuse_fields(selection: Selection) -> str | None:
    """Return what is wrong with a selection by fields, None when it can be carried out."""
    if not selection:
        return "Select by at least one field; everybody at once is no audience."
    unknown = [value for value in selection.get("stage", ()) if value not in Stage.values]
    return f"There is no stage “{unknown[0]}”; there are {', '.join(Stage.values)}." if unknown else None


def refuse_segment(selection: Selection) -> str | None:
    """Return what is wrong with the choice of segments, None when each is in use."""
    wanted = selection.get("segment", ())
    if not wanted:
        return "Name a segment: “segment = dach-qualified”."
    in_use = {key for key, _ in segment_choices()}
    unknown = [key for key in wanted if key not in in_use]
    return (
        f"There is no segment “{unknown[0]}” in use; there is {', '.join(sorted(in_use)) or 'none'}."
        if unknown
        else None
    )


def members_by_fields(selection: Selection, channel: str) -> Members:
    """Return the leads whose fields have one of the values."""
    chosen = Q()
    for name, values in selection.items():
        one_of = Q()
        for value in values:
            one_of |= Q(**{f"{name}__iexact": value})
        chosen &= one_of
    return _addressable(Lead.objects.filter(chosen, archived_at=None), channel)


def members_of_segments(selection: Selection, channel: str) -> Members:
    """Return the leads that are in one of the segments."""
    keys: set[int] = set()
    for key in selection["segment"]:
        keys.update(in_segment(Lead.objects.all(), key).values_list("pk", flat=True))
    rows = Lead.objects.filter(pk__in=keys, archived_at=None)
    return _addressable(rows, channel)


def labels(user: "User", keys: Sequence[int]) -> list[Any]:
    """Return those of the leads that `user` may see."""
    return list(visible(user, Lead).filter(pk__in=list(keys)).order_by("pk"))


def _newest_word() -> Subquery:
    """Return what each lead of a query said last about mails, or who was merged into it: True, False, or nothing."""
    person = Lead._base_manager.filter(Q(pk=OuterRef(OuterRef("pk"))) | Q(merged_into=OuterRef(OuterRef("pk"))))
    said = Consent.objects.filter(lead__in=person.values("pk"), purpose=ConsentPurpose.MARKETING_EMAIL)
    return Subquery(said.order_by("-given_at", "-pk").values("is_given")[:1])


def _addressable(rows: "QuerySet[Lead]", channel: str) -> Members:
    """Leave out who cannot be written to or took the consent back, where the channel writes."""
    left_out = {}
    if channel == Channel.EMAIL:
        left_out = {NO_ADDRESS: rows.filter(email=None).count()}
        reachable = rows.exclude(email=None).annotate(agreed=_newest_word())
        left_out[TAKEN_BACK] = reachable.filter(agreed=False).count()
        rows = reachable.filter(Q(agreed=True) | Q(agreed=None))
    return Members(list(rows.order_by("pk").values_list("pk", flat=True)), left_out)


def without_consent(keys: Sequence[int], channel: str) -> int | None:
    """Return how many of these leads never said yes to mails, or took it back; None where the channel writes none."""
    if channel != Channel.EMAIL:
        return None
    agreed: int = Lead.objects.filter(pk__in=list(keys)).annotate(agreed=_newest_word()).filter(agreed=True).count()
    return len(keys) - agreed


def register() -> None:
    """Offer leads to campaigns, and tell who of them said yes."""
    for provider in ("leads", "segments"):
        register_consent_check(ConsentCheck(provider, without_consent))
    register_provider(
        AudienceProvider(
            "leads", "Leads", FIELDS, refuse_fields, members_by_fields, labels, {"stage": dict(Stage.choices)}
        )
    )
    segments = {"segment": "the key of a segment in use"}
    register_provider(
        AudienceProvider("segments", "Segments of leads", segments, refuse_segment, members_of_segments, labels)
    )
