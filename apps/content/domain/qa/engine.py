"""One pass: the terms of all rules go into one tree that is walked once; links, pictures and colours are looked at once
for all rules that ask about them.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from apps.content.domain.qa import agreeing, looking
from apps.content.domain.qa.findings import BODY, Collector, Finding, Given, Rule
from apps.content.domain.qa.terms import Hit, TermTree, words_of
from apps.content.enums import CheckKind

MOST_OF_ONE_RULE = 25

# what looks at elements or whole fields; the checks about words are answered by the tree of terms
LOOKS: dict[str, Callable[[Given, Sequence[Rule], Collector], None]] = {
    CheckKind.LINKS: looking.links,
    CheckKind.UTM: looking.utm,
    CheckKind.ALT_TEXT: looking.alt_texts,
    CheckKind.SUBJECT: looking.subject,
    CheckKind.UNSUBSCRIBE: looking.unsubscribe,
    CheckKind.CONTRAST: looking.contrast,
    CheckKind.MERGE_FIELDS: looking.merge_fields,
    CheckKind.MARKUP: looking.markup,
    CheckKind.CONSISTENCY: agreeing.figures,
}
WORDS = (CheckKind.FORBIDDEN, CheckKind.SPELLING, CheckKind.REQUIRED, CheckKind.CLAIM)


class Checker:
    """Rules made ready once, to check any number of texts."""

    def __init__(self, rules: Iterable[Rule], *, claims: Sequence[tuple[str, object, bool]] = ()) -> None:
        self.rules = tuple(rules)
        self.claims = tuple(claims)
        # each term leads to (the rule, the term as it stands in it, the right form for a wrong variant)
        self._meant: list[tuple[Rule | None, str, str]] = []
        terms: list[tuple[str, int]] = []
        for rule in self.rules:
            if rule.check in WORDS:
                terms += self._terms_of(rule)
        if any(rule.check == CheckKind.CLAIM for rule in self.rules):
            for number, (wording, _, _) in enumerate(self.claims):
                self._meant.append((None, str(number), ""))
                terms.append((wording, len(self._meant) - 1))
        self._tree = TermTree(terms)
        self._looking: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.check in LOOKS:
                self._looking.setdefault(rule.check, []).append(rule)

    def _terms_of(self, rule: Rule) -> list[tuple[str, int]]:
        made = []
        for term in rule.terms:
            right, _, variants = term.partition("=")
            for wrong in (right, *variants.split(",")) if rule.check == CheckKind.SPELLING else (term,):
                if words_of(wrong):
                    self._meant.append((rule, wrong.strip(), right.strip()))
                    made.append((wrong, len(self._meant) - 1))
        return made

    def check(self, given: Given, *, today: dt.date) -> list[Finding]:
        """Return everything the rules find, by part, line and column."""
        collector = Collector(MOST_OF_ONE_RULE)
        met: set[str] = set()
        for part, document in given.documents.items():
            hits = list(self._tree.find(document.text))
            spans = self._claims_in(hits)
            for hit in hits:
                rule, _, right = self._meant[hit.key]
                if rule is None:
                    continue
                if rule.check == CheckKind.REQUIRED:
                    if part == BODY and not document.is_hidden(hit.start):
                        met.add(rule.key)
                elif (sentence := self._said(rule, right, hit, spans, document.text, today)) is not None:
                    excerpt = document.excerpt(hit.start, hit.end)
                    collector.add(rule, part, document, document.origin(hit.start), excerpt, sentence)
        self._required(given, met, collector)
        for check, rules in self._looking.items():
            LOOKS[check](given, rules, collector)
        return sorted(collector.found, key=lambda each: (each.part != BODY, each.part, each.line, each.column))

    def _said(
        self, rule: Rule, right: str, hit: Hit, spans: Sequence[tuple[int, int, int]], text: str, today: dt.date
    ) -> str | None:
        """Return what is wrong with a term that was found, None where nothing is."""
        said = " ".join(text[hit.start : hit.end].split())
        if rule.check == CheckKind.FORBIDDEN:
            return f"“{said}” must not be said."
        if rule.check == CheckKind.SPELLING:
            return f"“{said}” is written “{right}”." if said != right else None
        return self._claim(hit, spans, today, text)

    def _claims_in(self, hits: Sequence[Hit]) -> list[tuple[int, int, int]]:
        return [(hit.start, hit.end, int(self._meant[hit.key][1])) for hit in hits if self._meant[hit.key][0] is None]

    def _claim(self, hit: Hit, spans: Sequence[tuple[int, int, int]], today: dt.date, text: str) -> str | None:
        """Return what is wrong with a word that claims something, None where an approved claim stands around it."""
        over: dt.date | None = None
        for start, end, number in spans:
            if start <= hit.start and hit.end <= end:
                until = self.claims[number][1]
                if until is None or until >= today:  # type: ignore[operator]  # a date or nothing
                    return None
                over = until  # type: ignore[assignment]
        said = text[hit.start : hit.end]
        if over is not None:
            return f"“{said}” is claimed, but its substantiation ended on {over:%-d %B %Y}."
        return f"“{said}” claims something: no approved claim says it in these words."

    def _required(self, given: Given, met: set[str], collector: Collector) -> None:
        body = given.documents.get(BODY)
        for rule in self.rules:
            if rule.check == CheckKind.REQUIRED and rule.key not in met:
                wanted = " or ".join(f"“{each}”" for each in rule.terms[:3])
                end = len(body.source) if body is not None else 0
                collector.add(rule, BODY, body, end, "", f"{wanted} has to be said, where readers see it.")
