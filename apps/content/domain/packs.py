"""Rule packs: versioned rule documents that say which texts are asked what, tried before they count."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from apps.content.domain.qa.agreeing import KINDS as FIGURES
from apps.content.domain.qa.engine import Checker
from apps.content.domain.qa.findings import Rule
from apps.content.domain.qa.terms import words_of
from apps.content.domain.surroundings import given_of, known_around, others_of, values_of_versions
from apps.content.enums import CheckKind, Level, Severity
from apps.content.models import ContentAsset, ContentVersion
from apps.core.rules.bodies import OutcomeField, RuleListBody
from apps.core.rules.kinds import RuleKind, register_kind
from apps.core.rules.models import RuleVersion
from apps.core.rules.predicates import (
    Catalog,
    Choice,
    Number,
    Problem,
    Text,
    catalog_of,
    matches,
    model_fields,
    register_catalog,
)

PACK = "content.qa"
TRIED_ON = 200  # newest versions a simulation looks at
NEED_TERMS = (CheckKind.FORBIDDEN, CheckKind.SPELLING, CheckKind.REQUIRED, CheckKind.CLAIM)
_SEPARATOR = re.compile(r"\s*[;\n]\s*")


def register() -> None:
    """Make the kind of document and the fields of its conditions known; called once the models are ready."""
    register_catalog(ContentVersion, _catalog)
    register_kind(
        RuleKind(
            key=PACK,
            title="Quality rules of content",
            body=body_shape(),
            simulate=simulate,
            in_background=True,
            help="Each rule says what it looks for, in which content, how grave that is, and who signs it off.",
        )
    )


def body_shape() -> RuleListBody:
    """Return what a pack looks like: a condition on the content, then what to look for."""
    return RuleListBody(
        ContentVersion,
        (
            OutcomeField("check", "Looks for", Choice(list(CheckKind.choices))),
            OutcomeField(
                "terms",
                "Words, texts or hosts",
                Text(),
                required=False,
                help="Several with a semicolon between. “guarant*” stands for any ending; of names, "
                "“HubSpot = Hub Spot, hub-spot” lists wrong forms; of figures: percentage; amount; date.",
            ),
            OutcomeField(
                "limit", "Limit", Number(), required=False, help="Characters of a subject; contrast such as 4.5."
            ),
            OutcomeField("severity", "A finding", Choice(list(Severity.choices))),
            OutcomeField("level", "Signed off as", Choice(list(Level.choices))),
            OutcomeField("advice", "Advice", Text(), required=False, help="What to write instead."),
        ),
        first_wins=False,
        check=_problems,
    )


def _catalog() -> Catalog:
    of_asset = model_fields(ContentAsset, "kind", "main_channel", "region", "language", "product")
    fields = tuple(replace(each, expression=f"asset__{each.key}") for each in of_asset)
    return Catalog(fields=(*fields, *model_fields(ContentVersion, "variant")))


def _problems(body: Any) -> list[Problem]:
    """Check what a single field cannot know: a check about words has words."""
    found = []
    for number, row in enumerate(body["rules"]):
        outcome = row.get("outcome") or {}
        check, terms = outcome.get("check"), terms_in(outcome.get("terms") or "")
        path = ("rules", number, "outcome", "terms")
        if check in NEED_TERMS and not any(words_of(each) for each in terms):
            found.append(Problem(path, f"“{row['name']}” looks for words: say which.", "value"))
        elif check == CheckKind.CONSISTENCY and not {each.lower() for each in terms} <= set(FIGURES):
            said = f"“{row['name']}” compares figures: {', '.join(FIGURES)}, or nothing for all of them."
            found.append(Problem(path, said, "value"))
        elif any("*" in each and not re.fullmatch(r"\w{2,}\*", each) for each in terms):
            said = f"“{row['name']}”: an asterisk stands at the end of one word of two letters or more."
            found.append(Problem(path, said, "value"))
    return found


def terms_in(text: str) -> tuple[str, ...]:
    """Return the terms of a field, each once."""
    return tuple(dict.fromkeys(each for each in _SEPARATOR.split(text.strip()) if each))


class PackReader:
    """One version of a pack, read once to be asked about any number of texts."""

    def __init__(self, pack: RuleVersion) -> None:
        """Read its rules."""
        self._catalog = catalog_of(ContentVersion)
        self._document = pack.document.key
        self._rules = [each for each in body_shape().rules(pack.body, self._catalog) if each.enabled]

    def rules_for(self, values: Mapping[str, Any], *, at: dt.datetime) -> list[Rule]:
        """Return the rules that ask about content with these values."""
        return [
            Rule(
                key=f"{self._document}/{rule.key}",
                name=rule.name,
                check=str(rule.outcome["check"]),
                terms=terms_in(rule.outcome.get("terms") or ""),
                limit=float(rule.outcome["limit"]) if rule.outcome.get("limit") is not None else None,
                severity=str(rule.outcome["severity"]),
                level=str(rule.outcome["level"]),
                advice=rule.outcome.get("advice") or "",
            )
            for rule in self._rules
            if matches(rule.tree, values, self._catalog, as_of=at)
        ]


def active_packs() -> list[RuleVersion]:
    """Return the versions of packs that are in force."""
    rows = RuleVersion.objects.active().filter(document__kind=PACK, document__archived_at__isnull=True)
    return list(rows.select_related("document").order_by("document__key"))


def simulate(pack: RuleVersion, as_of: dt.datetime) -> dict[str, Any]:
    """Try a pack on the newest content without keeping anything: what it would find, beside the version in force."""
    claims, fields = known_around()
    before = next((each for each in active_packs() if each.document_id == pack.document_id), None)
    now, then = PackReader(pack), PackReader(before) if before is not None else None
    rows = list(ContentVersion.objects.select_related("asset").exclude(state="archived").order_by("-pk")[:TRIED_ON])
    asked, others = values_of_versions(row.pk for row in rows), others_of(rows)
    blocked = warned = blocked_before = 0
    by_rule: dict[str, int] = {}
    hit: list[int] = []
    for version in rows:
        values, given = asked[version.pk], given_of(version, claims, fields, others[version.pk])
        found = Checker(now.rules_for(values, at=as_of), claims=claims).check(given, today=as_of.date())
        grave = [each for each in found if each.severity == Severity.BLOCK]
        blocked, warned = blocked + bool(grave), warned + (bool(found) and not grave)
        if then is not None:
            old = Checker(then.rules_for(values, at=as_of), claims=claims).check(given, today=as_of.date())
            blocked_before += any(each.severity == Severity.BLOCK for each in old)
        for each in found:
            by_rule[each.name] = by_rule.get(each.name, 0) + 1
        if grave:
            hit.append(version.pk)
    facts = [["Versions looked at", len(rows)], ["Held back", blocked], ["With warnings only", warned]]
    if before is not None:
        facts.append([f"Held back by version {before.number}, in force now", blocked_before])
    table = {
        "title": "Findings by rule",
        "head": ["Rule", "Findings"],
        "rows": [[name, count] for name, count in sorted(by_rule.items(), key=lambda each: -each[1])],
    }
    return {"facts": facts, "sample_model": "content.contentversion", "sample": hit[:20], "tables": [table]}
