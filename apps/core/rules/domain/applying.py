"""Which records something applies to: one condition that a row keeps, `{"predicate": …}`, or none for all of them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models

from apps.core import access
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.matching import matches, values_used
from apps.core.rules.domain.tree import Node, fields_used, read
from apps.core.rules.domain.validating import validate
from apps.core.rules.domain.wording import words_of as words_of_tree

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.rules.models import RuleVersion

HIDDEN = "its condition asks about something that you may not see"


@dataclass(frozen=True)
class Answer:
    """Whether a condition holds for one record, and why; `is_broken` where it can no longer be read."""

    holds: bool
    why: str
    is_broken: bool = False


def is_narrowed(condition: Any) -> bool:
    """Whether a stored condition narrows anything."""
    predicate = (condition or {}).get("predicate") or {}
    return bool(predicate) and predicate not in ({"all": []}, {"any": []})


def tree_of(condition: Any, catalog: Catalog) -> tuple[Node | None, str]:
    """Return a narrowing condition ready to be asked, or None and what is wrong with it by now."""
    tree, problems = read(condition["predicate"], catalog)
    return tree, "" if tree is not None else problems[0].sentence


def condition_fields(condition: Any, catalog: Catalog) -> set[str]:
    """Return the keys of the fields that a condition asks about; none where it cannot be read."""
    tree = tree_of(condition, catalog)[0] if is_narrowed(condition) else None
    return fields_used(tree) if tree is not None else set()


def problem_of(condition: Any, model: type[models.Model]) -> str:
    """Return what is wrong with a stored condition on records of `model`, "" where it can be used."""
    if not is_narrowed(condition):
        return ""
    found = validate(condition["predicate"], catalog_of(model), allow_everything=True)
    return found[0].sentence if found else ""


def tell_unreadable(row: Any, wrong: str, *, of: str) -> None:
    """Alert whoever answers for `row`, whose condition asks about what is no longer there: it holds for nothing `of`.

    Args:
        row: what has the condition; of a kind that both sides sign.
        wrong: what is wrong with the condition.
        of: what it was asked about, for instance "lead".
    """
    raise_alert(
        f"{row._meta.label_lower}.unreadable:{row.pk}",
        title=f"{row} holds for no {of} any more: its condition cannot be read.",
        severity="critical",
        detail=wrong,
        subject=row,
        owner=row.owner,
        runbook="Write its next version with a condition that can be asked, and let both sides sign it.",
    )


def tell_broken(
    version: "RuleVersion", cause: str, wrong: str, *, so: str, severity: str = "critical", owner: Any = None
) -> None:
    """Alert that the rules of a version in force broke under them: they ask about what is no longer there.

    Args:
        version: cannot be read any more.
        cause: the fingerprint of the alert; resolve it when a version in force can be read.
        wrong: what is wrong with the rules.
        so: what follows until they are mended.
        severity: of the alert.
        owner: who is told; the administrators where nobody is named.
    """
    raise_alert(
        cause,
        title=f"{version} cannot be read any more: {so}.",
        severity=severity,
        detail=wrong,
        subject=version,
        owner=owner,
        runbook="Open the rules, mend what they name, and bring the new version into force.",
    )


def words_of(condition: Any, model: type[models.Model]) -> str:
    """Return a condition as a sentence; "" where it narrows nothing or can no longer be read."""
    if not is_narrowed(condition):
        return ""
    tree, _ = tree_of(condition, catalog_of(model))
    return words_of_tree(tree) if tree is not None else ""


def asked_of_values(condition: Any, catalog: Catalog, values: Mapping[str, Any], *, at: dt.datetime) -> Answer:
    """Return whether a condition holds for a record of which `values` are known; what cannot be read does not."""
    if not is_narrowed(condition):
        return Answer(True, "")
    tree, wrong = tree_of(condition, catalog)
    if tree is None:
        return Answer(False, wrong, is_broken=True)
    found = matches(tree, values, catalog, as_of=at)
    return Answer(found.matched, found.why)


def asked_of_row(condition: Any, row: models.Model, *, at: dt.datetime, reader: "User | None" = None) -> Answer:
    """Return whether a condition holds for one record, and why.

    Args:
        condition: as it is stored.
        row: the record.
        at: the moment relative dates count from.
        reader: who will read why: what is hidden from them is not told.
    """
    if not is_narrowed(condition):
        return Answer(True, "")
    model = type(row)
    catalog = catalog_of(model)
    tree, wrong = tree_of(condition, catalog)
    if tree is None:
        return Answer(False, wrong, is_broken=True)
    (values,) = values_used(tree, catalog, model._base_manager.filter(pk=row.pk)).values()
    found = matches(tree, values, catalog, as_of=at)
    if reader is not None and not _is_told(tree, catalog, reader):
        return Answer(found.matched, HIDDEN)
    return Answer(found.matched, found.why)


def _is_told(tree: Node, catalog: Catalog, reader: "User") -> bool:
    seen = catalog.for_person(reader)
    known = {each.key for each in seen.fields} | {each.key for each in seen.relations}
    return fields_used(tree) <= known and access.may_open(reader, "view", catalog.model)  # type: ignore[arg-type]
