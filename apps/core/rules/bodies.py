"""The shapes a body of rules can have, and what each answers: its problems, its words, its lines for a comparison."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.core.errors import InvalidInput
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.tree import Group, Node, Problem, read, readable
from apps.core.rules.domain.validating import slips, validate
from apps.core.rules.domain.wording import NOTHING_ASKED, in_words, with_number
from apps.core.rules.field_types import FieldType
from apps.core.storable import is_storable

Body = Mapping[str, Any]
_LEFT = (None, "")  # what a rule does not say
MOST_RULES, LONGEST_NAME, LONGEST_REASON = 200, 150, 1000


@dataclass(frozen=True)
class Line:
    """One comparable line of a body: the same key in two versions is the same rule."""

    key: str
    title: str
    text: str


class BodyShape(ABC):
    """What a body of rules looks like. `editor` names the part of the page that edits it."""

    editor = "json"
    model: type[models.Model] | None = None

    def start(self) -> dict[str, Any]:
        """Return the body a first draft begins with."""
        return {}

    def tidy(self, body: Any) -> Any:
        """Return a body as it is stored: what the editor leaves to mops is filled in."""
        return body

    @abstractmethod
    def problems(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Return what is wrong with a body, each at its place."""

    def objections(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Return what speaks against writing a body: its problems, and slips that a version in force may have."""
        return self.problems(body, catalog)

    @abstractmethod
    def lines(self, body: Any) -> list[Line]:
        """Return the body line by line, in words; of a body without problems."""

    def words(self, body: Any) -> str:
        """Return the body as text."""
        return "\n".join(f"{each.title}: {each.text}" if each.title else each.text for each in self.lines(body))


class PredicateBody(BodyShape):
    """`{"predicate": {…}}`: one condition on records of a kind."""

    editor = "predicate"

    def __init__(self, model: type[models.Model], *, allow_everything: bool = False) -> None:
        self.model: type[models.Model] = model
        self.allow_everything = allow_everything

    def start(self) -> dict[str, Any]:
        """Begin with an empty group."""
        return {"predicate": {"all": []}}

    def problems(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Check the condition."""
        if not isinstance(body, Mapping) or set(body) != {"predicate"}:
            return [Problem((), "The rules are {“predicate”: a condition} and nothing else.")]
        catalog = catalog or catalog_of(self.model)
        found = validate(body["predicate"], catalog, allow_everything=self.allow_everything)
        return [Problem(("predicate", *each.path), each.sentence, each.code) for each in found]

    def objections(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Check the condition, and what nobody means in a new one."""
        return self.problems(body, catalog) or slips_in(body, (), catalog or catalog_of(self.model))

    def lines(self, body: Any) -> list[Line]:
        """Return the sentence."""
        return [Line("predicate", "", in_words(body["predicate"], catalog_of(self.model)))]

    def tree(self, body: Body, catalog: Catalog) -> Node:
        """Return the condition, ready to be compiled."""
        return readable(body["predicate"], catalog)


def slips_in(row: Any, path: tuple[str | int, ...], catalog: Catalog) -> list[Problem]:
    """Return what nobody means in the condition of a valid row, which stands at `path` of its body."""
    found = slips(row["predicate"], catalog)
    return [Problem((*path, "predicate", *each.path), each.sentence, each.code) for each in found]


@dataclass(frozen=True)
class OutcomeField:
    """What a rule of a list says when it matches: points, a pool, a severity.

    Attributes:
        key: its name in the outcome.
        label: what people read.
        type: what it holds; the field types of predicates serve.
        required: whether a rule may leave it out.
        help: a sentence below the field.
        completes: the key of the outcome in whose words its value stands at the "…" ("halves every … days"); it is
            then said there alone, and that outcome after a colon.
    """

    key: str
    label: str
    type: FieldType
    required: bool = True
    help: str = ""
    completes: str = ""


@dataclass(frozen=True)
class Rule:
    """One rule of a list, read."""

    key: str
    name: str
    tree: Node
    outcome: dict[str, Any]
    enabled: bool
    reason: str
    position: int


def same_names(body: Body) -> list[Problem]:
    """Return the rules that are called like one before them: whoever reads a reason could not tell which it was."""
    first: dict[str, int] = {}
    names = [" ".join(str(rule["name"]).split()).casefold() for rule in body["rules"]]
    return [
        Problem(
            ("rules", place, "name"),
            f"Rules {first[name] + 1} and {place + 1} are both called “{body['rules'][place]['name']}”; rename one.",
        )
        for place, name in enumerate(names)
        if first.setdefault(name, place) != place
    ]


class RuleListBody(BodyShape):
    """`{"rules": [{key, name, predicate, outcome, enabled, reason}, …]}`: rules in an order.

    Args:
        model: the kind of record the conditions ask about.
        outcomes: what each rule says.
        settings: what the list says as a whole, a threshold for instance; stands beside `rules` under "settings".
        first_wins: the first rule that matches decides and the others are not asked; otherwise all that match count.
        check: `check(body)` returns further problems of a list whose parts are right.
        objects: `objects(body)` returns what no new version of a right list may have; one in force goes on with it.
        group_by: the key of an outcome by which the editor puts headings between rules; none where it is empty.
        allow_everything: let a rule fit every record, as the last one of an order does.
    """

    editor = "list"

    def __init__(
        self,
        model: type[models.Model],
        outcomes: Sequence[OutcomeField],
        *,
        first_wins: bool,
        check: Callable[[Any], list[Problem]] | None = None,
        objects: Callable[[Any], list[Problem]] | None = None,
        settings: Sequence[OutcomeField] = (),
        group_by: str = "",
        allow_everything: bool = True,
    ) -> None:
        self.model: type[models.Model] = model
        self.outcomes, self.first_wins, self.check, self.objects = tuple(outcomes), first_wins, check, objects
        self.settings = tuple(settings)
        self.group_by, self.allow_everything = group_by, allow_everything

    def start(self) -> dict[str, Any]:
        """Begin with no rule."""
        return {"rules": []}

    def tidy(self, body: Any) -> Any:
        """Give new rules a key; a key once given never changes and is never given again within a version."""
        if not isinstance(body, Mapping) or not isinstance(body.get("rules"), list):
            return body
        keys = (each.get("key") for each in body["rules"] if isinstance(each, Mapping))
        taken = {key for key in keys if isinstance(key, str)}
        numbers = (number for number in range(1, 10_000) if f"rule-{number}" not in taken)
        seen: set[str] = set()
        rules = []
        for each in body["rules"]:
            if isinstance(each, Mapping):
                key = each.get("key")
                fresh = isinstance(key, str) and key and key not in seen
                each = {**each, "key": key if fresh else f"rule-{next(numbers)}"}
                seen.add(each["key"])
            rules.append(each)
        return {**body, "rules": rules}

    def problems(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Check every rule, and each of its parts."""
        parts = {"rules", "settings"} if self.settings else {"rules"}
        if not isinstance(body, Mapping) or set(body) != parts or not isinstance(body["rules"], list):
            also = " with its “settings”" if self.settings else ""
            return [Problem((), f"The rules are {{“rules”: a list of rules}}{also} and nothing else.")]
        if not body["rules"]:
            return [Problem(("rules",), "There is no rule yet; add the first one.")]
        if len(body["rules"]) > MOST_RULES:
            return [Problem(("rules",), f"{len(body['rules'])} rules are too many; {MOST_RULES} fit.", "limit")]
        catalog = catalog or catalog_of(self.model)
        found = [
            each for number, row in enumerate(body["rules"]) for each in self._row(row, ("rules", number), catalog)
        ]
        if self.settings:
            found += self._given_problems(body["settings"], self.settings, ("settings",))
        return found or (self.check(body) if self.check else [])

    def objections(self, body: Any, catalog: Catalog | None = None) -> list[Problem]:
        """Check the list, and what only a new version must not have."""
        if problems := self.problems(body, catalog):
            return problems
        known = catalog or catalog_of(self.model)
        rows = enumerate(body["rules"])
        found = [each for number, row in rows for each in slips_in(row, ("rules", number), known)]
        return found or (self.objects(body) if self.objects else [])

    def _row(self, row: Any, path: tuple[str | int, ...], catalog: Catalog) -> list[Problem]:
        if not isinstance(row, Mapping) or set(row) - {"key", "name", "predicate", "outcome", "enabled", "reason"}:
            return [Problem(path, "A rule is a name, a condition, an outcome, whether it is on, and a reason.")]
        found = []
        name = row.get("name")
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
            found.append(Problem((*path, "name"), f"Give the rule a name of at most {LONGEST_NAME} characters."))
        said = (name, row.get("reason"), row.get("key"))
        if not all(is_storable(text) for text in said if isinstance(text, str)):
            found.append(Problem(path, "Name or reason holds a character that no text holds; type it again."))
        if not isinstance(row.get("enabled", True), bool):
            found.append(Problem((*path, "enabled"), "A rule is on or off."))
        reason = row.get("reason", "")
        if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
            found.append(Problem((*path, "reason"), f"A reason is a text of at most {LONGEST_REASON:,} characters."))
        inner = validate(row.get("predicate"), catalog, allow_everything=self.allow_everything)
        found += [Problem((*path, "predicate", *each.path), each.sentence, each.code) for each in inner]
        return [*found, *self._outcome_problems(row.get("outcome"), (*path, "outcome"))]

    def _outcome_problems(self, outcome: Any, path: tuple[str | int, ...]) -> list[Problem]:
        return self._given_problems(outcome, self.outcomes, path)

    def _given_problems(
        self, outcome: Any, known: Sequence[OutcomeField], path: tuple[str | int, ...]
    ) -> list[Problem]:
        if not isinstance(outcome, Mapping) or set(outcome) - {each.key for each in known}:
            return [Problem(path, "The outcome holds something that this kind of rules does not know.")]
        found = []
        for each in known:
            given = outcome.get(each.key)
            if given in (None, ""):
                if each.required:
                    found.append(Problem((*path, each.key), f"{each.label} is missing.", "value"))
                continue
            try:
                each.type.value(given)
            except InvalidInput as refusal:
                found.append(Problem((*path, each.key), f"{each.label}: {refusal.message}", "value"))
        return found

    def rules(self, body: Body, catalog: Catalog, *, conditions: bool = True) -> list[Rule]:
        """Return the rules in their order, the switched-off ones too.

        Args:
            body: of a version.
            catalog: of what the rules ask about.
            conditions: whether the conditions are wanted; without them, what rules say is told of a body as well whose
                conditions can no longer be read.

        Raises:
            InvalidInput: one of them is not right.
        """
        return [
            Rule(
                key=str(row["key"]),
                name=str(row["name"]),
                tree=readable(row["predicate"], catalog) if conditions else Group((), every=True),
                outcome=self.outcome(row),
                enabled=bool(row.get("enabled", True)),
                reason=str(row.get("reason", "")),
                position=number,
            )
            for number, row in enumerate(body["rules"], 1)
        ]

    def outcome(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a rule says, typed; None where it leaves something out."""
        given = row.get("outcome") or {}
        return {
            each.key: None if given.get(each.key) in (None, "") else each.type.value(given[each.key])
            for each in self.outcomes
        }

    def settings_of(self, body: Body) -> dict[str, Any]:
        """Return what the list says as a whole, typed; None where it leaves something out."""
        given = body.get("settings") or {}
        return {
            each.key: None if given.get(each.key) in (None, "") else each.type.value(given[each.key])
            for each in self.settings
        }

    def lines(self, body: Any) -> list[Line]:
        """Return a line for the whole list where it says something, and one per rule."""
        catalog = catalog_of(self.model)
        said = [
            f"{each.label} {each.type.say(value)}"
            for each in self.settings
            if (value := (body.get("settings") or {}).get(each.key)) not in (None, "")
        ]
        whole = [Line("settings", "All rules together", ", ".join(said))] if said else []
        return whole + [
            Line(str(row.get("key", number)), f"{number}. {row['name']}", self.line(row, catalog))
            for number, row in enumerate(body["rules"], 1)
        ]

    def line(self, row: Mapping[str, Any], catalog: Catalog) -> str:
        """Return one rule in words: when, what, and why."""
        tree, _ = read(row["predicate"], catalog)
        when = in_words(tree, catalog) if tree is not None else "a condition that can no longer be read"
        off = "" if row.get("enabled", True) else " (switched off)"
        reason = f" — {row['reason']}" if row.get("reason") else ""
        asked = when if when == NOTHING_ASKED else f"when {when}"
        return f"{asked}: {self.outcome_words(row)}{off}{reason}"

    def outcome_words(self, row: Mapping[str, Any]) -> str:
        """Return what a rule says, in words."""
        given = row.get("outcome") or {}
        said = {each.key: each.type.say(value) for each in self.outcomes if (value := given.get(each.key)) not in _LEFT}
        words = (self._outcome_phrase(each, said) for each in self.outcomes if each.key in said)
        return ", ".join(filter(None, words)) or "nothing"

    def _outcome_phrase(self, outcome: OutcomeField, said: Mapping[str, str]) -> str:
        """Return one outcome in words; "" where those of another one hold it."""
        part = next((each.key for each in self.outcomes if each.completes == outcome.key), "")
        if part:
            return f"{outcome.label}: {with_number(said[outcome.key], said.get(part, '…'))}"
        if "…" in said.get(outcome.completes, ""):
            return ""
        return f"{outcome.label} {said[outcome.key]}"
