"""The demo's chapter about content: rule packs in force, claims, templates, and pieces in every state."""

import datetime as dt
from typing import Any

from django.apps import apps

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.content.demo_shown import tell_shown
from apps.content.demo_texts import BRIEFS, CLAIMS, RULES, TEMPLATES
from apps.content.domain import checking, templates, waiving, writing
from apps.content.domain.linking import link_content
from apps.content.domain.packs import PACK
from apps.content.models import Claim, ContentAsset, ContentTemplate, ContentVersion, QaFinding
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument
from apps.technology.models import DataEntity, DataField


def tell(company: Any) -> None:
    """Set up rules, claims and templates, then let content be written, checked and approved."""
    people: dict[str, User] = company.people
    _dictionary(people)
    made = [_content(company, people, each) for each in BRIEFS]
    _pack(company, people)
    for wording, proof, days in CLAIMS:
        _claim(company, people, wording, proof, days)
    for name, kind, subject, body, guidelines in TEMPLATES:
        _template(company, people, name, kind, subject, body, guidelines)
    together = ("Newsletter, autumn", "Launch post", "Search advertisement, contact lists")
    _shown(people, [asset for asset, _ in made if asset.title in together])
    for (asset, version), given in zip(made, BRIEFS, strict=True):
        if version is not None:
            _carry(company, people, version, given["until"])
        if given.get("next"):
            second = writing.write_version(asset, by=people["specialist"], **given["next"])
            checking.run_checks(second, by=people["specialist"])
    of = {asset.title: version for asset, version in made if version is not None}
    for version in of.values():
        version.refresh_from_db()
    named = {"news": "Newsletter, autumn", "page": "Demo page", "card": "Battlecard Northwind"}
    tell_shown(company, people, {key: of[title] for key, title in named.items()})


def _dictionary(people: dict[str, User]) -> None:
    """Make sure that the places of the templates stand in the data dictionary."""
    with acting_as(people["manager"], reason="The dictionary of merge fields"):
        for entity, name, personal in (("Contact", "First name", "yes"), ("Company", "Name", "no")):
            row = DataEntity.objects.filter(name__iexact=entity).first() or DataEntity.objects.create(name=entity)
            if not DataField.objects.filter(entity=row, name__iexact=name).exists():
                DataField.objects.create(entity=row, name=name, personal_data=personal)


def _pack(company: Any, people: dict[str, User]) -> None:
    boss = people["manager"]
    with acting_as(boss, reason="The rules of the house"):
        document = RuleDocument.objects.create(
            key="content-house-rules",
            kind=PACK,
            title="House rules of content",
            description="What every text is asked before it is seen: technical, brand and legal.",
            owner=boss,
        )
    version = write_rules(start_draft(document, by=boss), {"rules": list(RULES)}, by=boss)
    simulate(version, by=boss)
    send_for_approval(version, by=boss, note="As agreed with brand and legal.")
    _approve(version, "ruleversion", people, company.at(30))
    version.refresh_from_db()
    activate(version, by=boss, reason="From now on", at=company.at(30, 12))


def _claim(company: Any, people: dict[str, User], wording: str, proof: str, days: int) -> None:
    with acting_as(people["manager"]):
        claim = Claim.objects.create(wording=wording, substantiation=proof, valid_until=_ahead(company, days))
    if days > 0:
        waiving.send_claim(claim, by=people["manager"], note="Measured again this year.", at=company.at(28))
        _approve(claim, "claim", people, company.at(27))


def _template(
    company: Any, people: dict[str, User], name: str, kind: str, subject: str, body: str, guidelines: str
) -> None:
    boss = people["manager"]
    with acting_as(boss):
        row = ContentTemplate.objects.create(name=name, kind=kind, guidelines=guidelines, owner_person=boss)
    version = templates.write_version(row, by=boss, subject=subject, body=body)
    templates.submit_version(version, by=boss, at=company.at(26))
    _approve(version, "contenttemplateversion", people, company.at(25))


def _content(
    company: Any, people: dict[str, User], given: dict[str, Any]
) -> tuple[ContentAsset, ContentVersion | None]:
    names = ("title", "kind", "main_channel", "region", "language", "product", "audience", "brief")
    asset = writing.ask_for_content(
        by=people[given.get("asks", "manager")],
        **{name: given[name] for name in names if name in given},
        due_on=_ahead(company, given.get("due", 14)),
        owner_person=people["manager"],
        backup_person=people["specialist"],
    )
    if given["until"] == "brief":
        return asset, None
    said = {name: given[name] for name in ("subject", "preheader", "body", "colours") if name in given}
    expires = _ahead(company, given.get("valid", 90))
    return asset, writing.write_version(asset, by=people["specialist"], expires_on=expires, **said)


def _carry(company: Any, people: dict[str, User], version: ContentVersion, until: str) -> None:
    """Bring a version as far as the story wants it."""
    if until == "draft":
        checking.run_checks(version, by=people["specialist"])
        return
    writing.submit_to_checks(version, by=people["specialist"], at=company.at(12))
    if until == "waiver":
        finding = QaFinding.objects.filter(run__version=version, severity="block").first()
        if finding is not None:
            until_day = _ahead(company, 30)
            said = "The partner insists on the wording; legal reads each of them."
            waiving.ask_waiver(finding, by=people["specialist"], reason=said, until=until_day)
        return
    if until == "qa":
        checking.sign_off(version, by=people["manager"], note="Links and pictures are fine.", at=company.at(11))
        return
    for days, note in ((11, "Links and pictures are fine."), (10, "In our voice."), (10, "Nothing to add.")):
        checking.sign_off(version, by=people["manager"], note=note, at=company.at(days))
    if until == "in_review":
        return
    _approve(version, "contentversion", people, company.at(9))


def _shown(people: dict[str, User], assets: list[ContentAsset]) -> None:
    """A planned campaign shows content in three channels: it waits for what is approved, and they must agree."""
    campaigns: Any = apps.get_model("campaigns", "campaign")
    campaign = campaigns.objects.filter(state="planning", archived_at__isnull=True).order_by("pk").first()
    for asset in assets if campaign is not None else ():
        link_content(asset, campaign, by=people["manager"])


def _ahead(company: Any, days: int) -> dt.date:
    """A day to come, however long ago the story ends: what has expired is published by nobody."""
    day: dt.date = max(company.today, clock.today()) + dt.timedelta(days=days)
    return day


def _approve(thing: Any, kind: str, people: dict[str, User], at: dt.datetime) -> None:
    request = ApprovalRequest.objects.open().get(object_id=thing.pk, content_type__model=kind)
    approve(request, by=people["director"], at=at)
