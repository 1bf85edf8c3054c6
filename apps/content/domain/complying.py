"""What compliance rules can ask of content: checked as submitted, ended in time, imprint, consent, kept no longer."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q

from apps.content.domain.publishing import still_up
from apps.content.domain.qa.looking import links_of
from apps.content.domain.qa.reading import read_html
from apps.content.domain.qa.terms import TermTree
from apps.content.enums import LEVELS, ExceptionState, Kind, VersionState
from apps.content.models import Claim, ContentAsset, ContentVersion, Distribution, QaSignOff
from apps.core.attachments.models import Attachment
from apps.core.records import kind_of
from apps.processes.registry import register_check

if TYPE_CHECKING:
    from django.db.models import QuerySet

IMPRINT = ("Impressum", "imprint", "legal notice", "company details")
IMPRINT_REGIONS = ("dach", "eu", "uk")
CONSENT_REGIONS = ("dach", "eu", "uk")
CONSENT = ("unsubscribe", "abmelden", "se désabonner", "darse de baja", "cancelar subscrição", "afmelden")
KEPT_YEARS = 6


def published() -> "QuerySet[Any]":
    """Return the versions that are published."""
    return ContentVersion.objects.live().filter(state=VersionState.PUBLISHED)


def checked(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Every level of the checks was signed off for exactly what is published."""
    found: dict[int, str] = {}
    for level in LEVELS:
        signed = QaSignOff.objects.filter(version=OuterRef("pk"), level=level, digest=OuterRef("digest"))
        for pk in rows.filter(~Exists(signed)).values_list("pk", flat=True):
            found.setdefault(pk, f"The {level.label.lower()} checks were not signed off for what is published.")
    return found


def has_imprint(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """E-mails and pages in the EU and UK name who is behind them."""
    tree = TermTree((each, 0) for each in IMPRINT)
    needed = rows.filter(asset__region__in=IMPRINT_REGIONS, asset__kind__in=(Kind.EMAIL, Kind.LANDING_PAGE))
    found = {}
    for pk, body in needed.values_list("pk", "body").iterator(chunk_size=200):
        if "{{ imprint }}" not in body and not any(tree.find(read_html(body).text)):
            found[pk] = "Neither an imprint nor a link to one."
    return found


def names_consent(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """E-mails in the EU and UK lead out: consent can be taken back as easily as it was given (GDPR, article 7.3)."""
    needed = rows.filter(asset__region__in=CONSENT_REGIONS, asset__kind=Kind.EMAIL)
    found = {}
    for pk, body in needed.values_list("pk", "body").iterator(chunk_size=200):
        said = " ".join(f"{address} {text}" for address, _, text in links_of(read_html(body))).lower()
        if not any(each in said for each in CONSENT):
            found[pk] = "No link with which consent is taken back."
    return found


def basis_recorded(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """The brief of an e-mail says on which basis people are written to."""
    words = ("consent", "contract", "legitimate interest", "einwilligung", "vertrag", "customer")
    said = Q()
    for each in words:
        said |= Q(brief__icontains=each) | Q(audience__icontains=each)
    missing = rows.filter(kind=Kind.EMAIL).exclude(said)
    return dict.fromkeys(
        missing.values_list("pk", flat=True),
        "Neither brief nor audience says on which basis people are written to: consent, contract, legitimate interest.",
    )


def taken_down(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """What has ended is no longer shown."""
    up = still_up().filter(pk__in=rows.values("pk")).values_list("pk", "version__ended_at")
    return {pk: f"Still shown; it ended on {ended:%-d %B %Y}." for pk, ended in up if ended and ended < at}


def proved(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """An approved claim carries its proof: an address, or a file on the claim."""
    files = Attachment.objects.live().filter(content_type=kind_of(Claim), object_id=OuterRef("pk"))
    bare = rows.filter(evidence_url="").exclude(Exists(files))
    return dict.fromkeys(bare.values_list("pk", flat=True), "Neither an address nor a file proves it.")


def not_kept_too_long(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """What ended long ago is archived: kept as evidence, out of everybody's lists."""
    border = at - dt.timedelta(days=365 * KEPT_YEARS)
    newer = ContentVersion.objects.filter(asset=OuterRef("pk")).filter(Q(ended_at=None) | Q(ended_at__gte=border))
    old = rows.filter(stage__in=("expired", "archived")).exclude(Exists(newer))
    return dict.fromkeys(old.values_list("pk", flat=True), f"Everything of it ended more than {KEPT_YEARS} years ago.")


def register() -> None:
    """Let compliance rules ask these."""
    live_assets, distributions = ContentAsset.objects.live, Distribution.objects.live
    claims = Claim.objects.live().filter
    for key, label, subjects, evaluate, way_out in (
        ("content.checked", "Published content was checked as it is", published, checked, "Put it away, write anew."),
        ("content.imprint", "E-mails and pages in the EU and UK have an imprint", published, has_imprint, "Add it."),
        (
            "content.unsubscribe",
            "E-mails in the EU and UK lead out of consent",
            published,
            names_consent,
            "Add it.",
        ),
        ("content.basis", "E-mails say on which basis", live_assets, basis_recorded, "Say it in the brief."),
        ("content.taken_down", "Ended content is taken down", distributions, taken_down, "Take it down there."),
        (
            "content.claims_proved",
            "Approved claims carry their proof",
            lambda: claims(state=ExceptionState.APPROVED),
            proved,
            "Attach it.",
        ),
        ("content.retention", "Old content is archived", live_assets, not_kept_too_long, "Archive it."),
    ):
        register_check(key, label, subjects, evaluate, way_out=way_out, help=(evaluate.__doc__ or "").strip())
