"""What a check says: where, what, how grave, and who looks at it."""

import hashlib
from dataclasses import dataclass
from typing import Any

from apps.content.domain.qa.document import Document
from apps.content.domain.qa.facts import Fact
from apps.content.domain.qa.terms import fold

SUBJECT, PREHEADER, BODY, COLOURS, FILES = "subject", "preheader", "body", "colours", "files"


@dataclass(frozen=True)
class Rule:
    """One rule of a pack, as the engine uses it.

    Attributes:
        key: its name over all packs: "document/rule-1".
        name: as people read it.
        check: a `CheckKind`.
        terms: words, hosts, texts or endings, as the check reads them.
        limit: a number, where the check needs one.
        severity: a `Severity`.
        level: a `Level`.
        advice: what to do instead.
    """

    key: str
    name: str
    check: str
    terms: tuple[str, ...] = ()
    limit: float | None = None
    severity: str = "block"
    level: str = "technical"
    advice: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing a rule found, at its place in what was written."""

    rule: str
    name: str
    check: str
    severity: str
    level: str
    part: str
    line: int
    column: int
    excerpt: str
    sentence: str

    @property
    def fingerprint(self) -> str:
        """What stays the same while the same thing is found in the next version, wherever it has moved to."""
        said = "\n".join((self.rule, self.part, fold(self.sentence), fold(" ".join(self.excerpt.split()))))
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True)
class Other:
    """Another piece that is shown together with the one that is checked, and what it states in figures."""

    title: str
    channel: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Given:
    """What is checked: the documents of a version, and what mops knows around it.

    Attributes:
        documents: by part: subject, preheader, body.
        kind: a `Kind`; some checks are about e-mails alone.
        colours: lines of colour pairs.
        claims: approved wordings with the last day they may be made: (wording, until, evidence is known).
        merge_fields: the fields that the data dictionary knows, by name as they are written; True: about people.
        others: the pieces shown by the same campaigns, for readers of the same region.
    """

    documents: dict[str, Document]
    kind: str = "email"
    colours: str = ""
    claims: tuple[tuple[str, Any, bool], ...] = ()
    merge_fields: dict[str, bool] | None = None
    others: tuple[Other, ...] = ()


class Collector:
    """Findings as they come in, at most so many of one rule."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.found: list[Finding] = []
        self.counts: dict[str, int] = {}

    def add(
        self,
        rule: Rule,
        part: str,
        document: Document | None,
        offset: int,
        excerpt: str,
        sentence: str,
        *,
        severity: str = "",
    ) -> None:
        """Note a finding at an offset of the source of `document`."""
        count = self.counts.get(rule.key, 0)
        self.counts[rule.key] = count + 1
        if count >= self.most:
            return
        place = document.place(offset) if document is not None else None
        self.found.append(
            Finding(
                rule=rule.key,
                name=rule.name,
                check=rule.check,
                severity=severity or rule.severity,
                level=rule.level,
                part=part,
                line=place.line if place else 1,
                column=place.column if place else 1,
                excerpt=excerpt[:250],
                sentence=sentence[:500] + (f" {rule.advice}" if rule.advice else ""),
            )
        )
