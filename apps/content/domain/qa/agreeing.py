"""Whether a text states the same figures as what is shown together with it in other channels."""

from collections.abc import Sequence

from apps.content.domain.qa.document import Document
from apps.content.domain.qa.facts import AMOUNT, DATE, PERCENT, Fact, facts_of
from apps.content.domain.qa.findings import Collector, Given, Other, Rule

KINDS = (PERCENT, AMOUNT, DATE)


def figures(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Tell each percentage, amount and date that another piece of the same campaign states differently.

    Only pieces are compared that both state figures of a kind: an e-mail without a price contradicts none. The terms
    of a rule, if any, say which kinds it compares: percentage, amount, date.
    """
    for part, document in given.documents.items():
        for fact in facts_of(document.text):
            for rule in rules:
                if not rule.terms or fact.kind in {each.lower() for each in rule.terms}:
                    _compare(fact, given.others, rule, part, document, collector)


def _compare(
    fact: Fact, others: Sequence[Other], rule: Rule, part: str, document: Document, collector: Collector
) -> None:
    for other in others:
        theirs = [each for each in other.facts if each.kind == fact.kind]
        if theirs and not any(fact.agrees(each) for each in theirs):
            said = ", ".join(dict.fromkeys(f"“{each.said}”" for each in theirs[:3]))
            sentence = f"“{fact.said}” here, {said} in “{other.title}” ({other.channel})."
            excerpt = document.excerpt(fact.start, fact.end)
            collector.add(rule, part, document, document.origin(fact.start), excerpt, sentence)
