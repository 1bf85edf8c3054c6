"""Ordered lists of rules: which one matches a record and why the others did not, and which can never matter."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.rules.bodies import Rule
from apps.core.rules.catalog import Catalog
from apps.core.rules.domain.compiling import compile_sql
from apps.core.rules.domain.matching import Outcome, matches
from apps.core.rules.domain.reasoning import can_hold, implies
from apps.core.rules.domain.tree import Not


@dataclass(frozen=True)
class Asked:
    """One rule of a list, asked about one record; `outcome` is None where it was not asked."""

    rule: Rule
    outcome: Outcome | None
    note: str = ""

    @property
    def matched(self) -> bool:
        """Whether it decided, or counts."""
        return self.outcome is not None and self.outcome.matched


@dataclass(frozen=True)
class Finding:
    """A rule that can never matter, and why."""

    rule: Rule
    sentence: str


def ask_rules(
    rules: Sequence[Rule], values: Mapping[str, Any], catalog: Catalog, *, as_of: dt.datetime, first_wins: bool
) -> list[Asked]:
    """Return every rule of a list with its answer about one record, in order.

    Args:
        rules: as `RuleListBody.rules` reads them.
        values: of the record, as `values_of` reads them.
        catalog: of the record.
        as_of: the moment relative dates count from.
        first_wins: after the first match no rule is asked.
    """
    asked: list[Asked] = []
    decided: Rule | None = None
    for rule in rules:
        if not rule.enabled:
            asked.append(Asked(rule, None, "Switched off."))
        elif decided is not None:
            asked.append(Asked(rule, None, f"Not asked: rule {decided.position} has decided."))
        else:
            outcome = matches(rule.tree, values, catalog, as_of=as_of)
            asked.append(Asked(rule, outcome))
            decided = rule if first_wins and outcome.matched else None
    return asked


def first_match(
    rules: Sequence[Rule], values: Mapping[str, Any], catalog: Catalog, *, as_of: dt.datetime
) -> Rule | None:
    """Return the first rule that matches one record, None where none does."""
    for asked in ask_rules(rules, values, catalog, as_of=as_of, first_wins=True):
        if asked.matched:
            return asked.rule
    return None


def dead_rules(rules: Sequence[Rule], *, first_wins: bool) -> list[Finding]:
    """Return the rules that can never matter: that never match, or whose every match an earlier rule takes.

    Nothing is claimed that cannot be proved; a rule that is not named here may still never match in practice.
    """
    found: list[Finding] = []
    earlier: list[Rule] = []
    for rule in (each for each in rules if each.enabled):
        if not can_hold(rule.tree):
            found.append(Finding(rule, f"Rule {rule.position}, {rule.name}, can never match: it contradicts itself."))
            continue
        if first_wins and (sentence := _shadow(rule, earlier)):
            found.append(Finding(rule, sentence))
        earlier.append(rule)
    return found


def _shadow(rule: Rule, earlier: Sequence[Rule]) -> str:
    said = f"Rule {rule.position}, {rule.name}, never gets its turn: "
    for before in earlier:
        if implies(rule.tree, before.tree):
            return f"{said}whatever fits it also fits rule {before.position}, {before.name}, which comes first."
    if len(earlier) > 1 and not can_hold(rule.tree, *(Not(each.tree) for each in earlier)):
        return f"{said}whatever fits it fits one of the rules before it."
    return ""


def compile_rules(
    rules: Sequence[Rule], catalog: Catalog, *, as_of: dt.datetime, alias: str = ""
) -> list[tuple[Rule, str, tuple[Any, ...]]]:
    """Return each rule that is switched on with its condition as SQL, for engines that work on whole tables."""
    return [(rule, *compile_sql(rule.tree, catalog, as_of=as_of, alias=alias)) for rule in rules if rule.enabled]
