"""What a policy version says: read from its document, or written from the rows of a draft."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.contrib.auth.models import Group

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.approvals.domain.facts import condition_words, facts_catalog
from apps.approvals.domain.quorum import Quorum
from apps.approvals.enums import Mode, Part, Via
from apps.approvals.models import PolicyVersion, StageInstance
from apps.core.rules.predicates import Predicate


@dataclass(frozen=True)
class Named:
    """One way in which a stage names approvers: via a role, team, group, person, field or the requester's manager."""

    via: str
    key: str = ""
    part: str = Part.COUNTS
    origin: str = ""  # for a person found in a field, or as manager: where

    @property
    def token(self) -> str:
        """How people hold it; of a field or the manager nobody holds one until they are looked up for a request."""
        return f"{self.via}:{self.key}"


@dataclass(frozen=True)
class Stage:
    """One stage as a policy version defines it."""

    number: int
    name: str
    approvers: tuple[Named, ...]
    mode: str = Mode.ANY
    needed: int = 1
    veto: bool = True
    allow_delegates: bool = True
    checks: tuple[str, ...] = ()
    due_hours: int | None = None
    escalate: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The tokens of its approvers."""
        return tuple(dict.fromkeys(each.token for each in self.approvers))

    @property
    def optional(self) -> set[str]:
        """The tokens whose holders are heard without counting."""
        counting = {each.token for each in self.approvers if each.part != Part.OPTIONAL}
        return {each.token for each in self.approvers if each.part == Part.OPTIONAL} - counting

    @property
    def quorum(self) -> Quorum:
        """How many must say yes; the required ones by their place in the list."""
        required = frozenset(place for place, each in enumerate(self.approvers) if each.part == Part.REQUIRED)
        return Quorum(Mode(self.mode), self.needed, self.veto, required)

    @property
    def least(self) -> int:
        """Fewer approvals than this never approve it, whoever is there."""
        return self.needed if self.mode == Mode.SOME else 1


@dataclass(frozen=True)
class Row:
    """One row of the decision table: a predicate of `apps.core.rules` on the facts of a kind, and the stages.

    `condition` holds the words of the predicate as they were read by who approved the version. Versions from before
    conditions were predicates keep what was typed there, and `when` in the form of that time (`facts.understood`).
    """

    name: str
    when: Predicate
    stages: tuple[int, ...]
    condition: str = ""


@dataclass(frozen=True)
class Definition:
    """A whole policy version."""

    stages: tuple[Stage, ...]
    rows: tuple[Row, ...]
    distinct_stages: bool = True
    expires_after_days: int | None = None

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document

    @property
    def digest(self) -> str:
        """SHA-256 of the document in its canonical form."""
        text = json.dumps(self.as_document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def stage(self, number: int) -> Stage:
        """Return the stage of that number."""
        return next(each for each in self.stages if each.number == number)


def read_stage(document: dict[str, Any]) -> Stage:
    """Return the stage that `document` describes."""
    given = dict(document)
    given["approvers"] = tuple(Named(**each) for each in given["approvers"])
    given["checks"], given["escalate"] = tuple(given.get("checks", ())), tuple(given.get("escalate", ()))
    return Stage(**given)


def spec_of(row: StageInstance) -> Stage:
    """Return the stage of a request as it is decided now: as its policy defines it, with the seats that passed on."""
    stage = read_stage(row.spec)
    for entry in row.replaced:
        stage = replace(stage, approvers=tuple(passed_on(each, entry["tokens"]) for each in stage.approvers))
    return stage


def passed_on(named: Named, tokens: Mapping[str, str]) -> Named:
    """Return whom a way of naming means after seats passed on; itself where this one did not.

    Args:
        named: one of a stage's approvers.
        tokens: the seats that passed on, each with who holds it now.
    """
    if (new := tokens.get(named.token)) is None:
        return named
    via, _, key = new.partition(":")
    return Named(via, key, named.part, named.origin or source_of(named))


def source_of(named: Named) -> str:
    """Return the field that tells who is meant, "manager" for the requester's manager, "" where none does."""
    if named.via == Via.MANAGER:
        return "manager"
    return named.origin or (named.key if named.via == Via.OWNER else "")


def read_definition(document: dict[str, Any]) -> Definition:
    """Return the definition that a version keeps."""
    rows = tuple(Row(each["name"], each["when"], tuple(each["stages"]), each["condition"]) for each in document["rows"])
    stages = tuple(read_stage(each) for each in document["stages"])
    return Definition(stages, rows, document["distinct_stages"], document.get("expires_after_days"))


def definition_of(version: PolicyVersion) -> Definition:
    """Return what a version says: its document, or for a draft what its rows say now."""
    return read_definition(version.definition) if version.definition else written(version)


def written(version: PolicyVersion) -> Definition:
    """Return what the rows of a draft say."""
    catalog = facts_catalog(version.policy.subject_kind)
    approvers: dict[int, list[Named]] = {}
    for each in version.approvers.filter(archived_at=None).order_by("stage_number", "pk"):
        approvers.setdefault(each.stage_number, []).append(Named(each.via, _key(each), each.part))
    stages = tuple(
        Stage(
            number=each.number,
            name=each.name,
            approvers=tuple(approvers.get(each.number, ())),
            mode=each.mode,
            needed=each.needed if each.mode == Mode.SOME else 1,
            veto=each.veto,
            allow_delegates=each.allow_delegates,
            checks=tuple(name.strip() for name in each.checks.split(",") if name.strip()),
            due_hours=each.due_hours,
            escalate=tuple(_escalation(each)),
        )
        for each in version.stages.filter(archived_at=None).order_by("number")
    )
    rows = tuple(
        Row(each.name, each.when, tuple(each.stage_numbers), condition_words(each.when, catalog))
        for each in version.rules.filter(archived_at=None).order_by("position")
    )
    return Definition(stages, rows, version.distinct_stages, version.expires_after_days)


def _key(row: Any) -> str:
    keys = {
        Via.ROLE: row.role,
        Via.TEAM: row.team_id,
        Via.GROUP: row.group_id,
        Via.PERSON: row.person_id,
        Via.OWNER: row.field,
    }
    return str(keys.get(row.via) or "")


def _escalation(row: Any) -> Iterator[str]:
    if row.escalate_role:
        yield f"{Via.ROLE}:{row.escalate_role}"
    if row.escalate_person_id:
        yield f"{Via.PERSON}:{row.escalate_person_id}"


def in_words(names: tuple[Named, ...]) -> str:
    """Say whom a stage names."""
    people = [each.key for each in names if each.via == Via.PERSON]
    teams = [each.key for each in names if each.via == Via.TEAM]
    groups = [each.key for each in names if each.via == Via.GROUP]
    said = [f"people with the role {_role(each.key)}" for each in names if each.via == Via.ROLE]
    said += [f"members of {name}" for name in _names(Team, "name", teams)]
    said += [f"the group {name}" for name in _names(Group, "name", groups)]
    said += [f"whoever is {each.key.replace('_', ' ')}" for each in names if each.via == Via.OWNER]
    said += ["the requester's manager" for each in names if each.via == Via.MANAGER]
    said += list(_names(User, "full_name", people))
    return " or ".join(said) or "nobody"


def escalation_in_words(tokens: Iterable[str]) -> str:
    """Say who decides too once a stage is late; "" where nobody more does."""
    named = tuple(Named(*token.split(":", 1)) for token in tokens)
    return in_words(named) if named else ""


def tokens_in_words(tokens: Iterable[str]) -> str:
    """Say what makes somebody an approver: a role, a team, a group, or that a stage names them in person."""
    said = []
    for token in sorted(tokens):
        via, _, key = token.partition(":")
        if via == Via.PERSON:
            said.append("named in person")
        elif via == Via.ROLE:
            said.append(f"role {_role(key)}")
        else:
            kind: Any = Team if via == Via.TEAM else Group
            said.append(f"{via} {next(iter(_names(kind, 'name', [key])), key)}")
    return ", ".join(said)


def _role(name: str) -> str:
    return Role(name).label.lower() if name in Role.values else name


def _names(model: Any, column: str, keys: list[str]) -> list[str]:
    return list(model.objects.filter(pk__in=keys).order_by(column).values_list(column, flat=True)) if keys else []


def resolved(stage: Stage, thing: Any, by: User) -> Stage:
    """Return the stage with the persons in place of fields of `thing` and of the manager of who sends it.

    What is empty stays as it is and names nobody.
    """
    return replace(stage, approvers=tuple(_resolved(each, thing, by) for each in stage.approvers))


def _resolved(each: Named, thing: Any, by: User) -> Named:
    if each.via == Via.MANAGER:
        person, origin = by.manager, "manager"
    elif each.via == Via.OWNER and thing is not None:
        person, origin = getattr(thing, each.key, None), each.key
    else:
        return each
    return Named(Via.PERSON, str(person.pk), each.part, origin) if isinstance(person, User) else each
