"""What the pages of rules show beside the form: the rules in words, the simulation, comparisons, a try on a record."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from apps.core import access, clock
from apps.core.rules.bodies import BodyShape, PredicateBody, RuleListBody
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.comparing import compare_versions
from apps.core.rules.domain.counting import cost_in_words, count_matching, relative_cost
from apps.core.rules.domain.matching import Outcome, matches, values_of, values_used
from apps.core.rules.domain.rule_lists import ask_rules, dead_rules
from apps.core.rules.domain.tree import Node, fields_used
from apps.core.rules.domain.versions import refuse_sending
from apps.core.rules.enums import VersionState
from apps.core.rules.kinds import RuleKind, kind_named
from apps.core.rules.models import RuleVersion

FOUND = 10


def words_panel(request: HttpRequest, version: RuleVersion) -> dict[str, Any]:
    """Return the rules in words, what can never matter in them, and where they lead."""
    kind = kind_named(version.document.kind)
    problems = kind.body.problems(version.body)
    return {
        "template": "admin/rules/words_panel.html",
        "version": version,
        "kind": kind,
        "problems": problems,
        "lines": [] if problems else kind.body.lines(version.body),
        "dead": [] if problems else _dead(kind.body, version.body),
        "next": "" if problems else _next_step(request.user, version),
        "page": kind.page(version) if kind.page and version.state == VersionState.ACTIVE else None,
        "try": reverse("admin:rules_ruleversion_try", args=(version.pk,)) if kind.body.model and not problems else "",
    }


def _next_step(person: Any, version: RuleVersion) -> str:
    """Return what a draft still lacks before it can be sent; nothing for people who cannot send it anyway."""
    if not version.is_draft or not access.can(person, "change", version.document):
        return ""
    return refuse_sending(person, version) or "Ready to be sent for approval."


def _dead(shape: BodyShape, body: Any, catalog: Catalog | None = None) -> list[str]:
    if not isinstance(shape, RuleListBody):
        return []
    rules = shape.rules(body, catalog or catalog_of(shape.model))  # type: ignore[arg-type]  # lists have a model
    return [each.sentence for each in dead_rules(rules, first_wins=shape.first_wins)]


def simulation_panel(request: HttpRequest, version: RuleVersion) -> dict[str, Any] | None:
    """Return what would come of the rules, with those records of the sample that the person sees."""
    if version.simulation is None:
        return None
    found = version.simulation
    sample, hidden = _sample(request, found)
    return {
        "template": "admin/rules/simulation_panel.html",
        "version": version,
        "facts": found.get("facts", []),
        "tables": found.get("tables", []),
        "sample": sample,
        "sample_title": found.get("sample_title", "For instance"),
        "hidden": hidden,
    }


def _sample(request: HttpRequest, found: dict[str, Any]) -> tuple[list[dict[str, str]], int]:
    keys = found.get("sample") or []
    if not keys or not found.get("sample_model"):
        return [], 0
    model = apps.get_model(found["sample_model"])
    person: Any = request.user
    rows = {row.pk: row for row in access.visible(person, model).filter(pk__in=keys)}
    where = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    words = found.get("sample_words") or {}
    shown = [
        {"label": str(rows[key]), "link": reverse(where, args=(key,)), "words": words.get(str(key), "")}
        for key in keys
        if key in rows
    ]
    return shown, len(keys) - len(shown)


def compare_panel(version: RuleVersion, other_number: str) -> dict[str, Any] | None:
    """Return what differs from the active version, or from the one that is asked for."""
    others = list(version.document.versions.exclude(pk=version.pk).order_by("-number"))
    if not others:
        return None
    asked = next((each for each in others if str(each.number) == other_number), None)
    active = next((each for each in others if each.state == VersionState.ACTIVE), None)
    before = asked or active or next((each for each in others if each.number < version.number), others[0])
    return {
        "template": "admin/rules/compare_panel.html",
        "version": version,
        "before": before,
        "others": others,
        "differences": compare_versions(before, version),
    }


def try_page(request: HttpRequest, version: RuleVersion) -> dict[str, Any]:
    """Return what the page that tries the rules on one record shows."""
    kind = kind_named(version.document.kind)
    shape, person = kind.body, request.user
    model: Any = shape.model
    context: dict[str, Any] = {"kind": kind, "version": version, "query": request.GET.get("q", "").strip()}
    context["kind_of_record"] = model._meta.verbose_name
    if not access.may_open(person, "view", model):  # type: ignore[arg-type]
        return {**context, "refused": f"You may not see any {model._meta.verbose_name_plural}."}
    rows = access.visible(person, model)  # type: ignore[arg-type]
    asked = request.GET.get("record", "")
    record = rows.filter(pk=asked).first() if asked.isdecimal() else None
    if record is None:
        return {**context, "found": _search(request, model, rows, context["query"]), "unseen": bool(asked)}
    return {**context, "record": record, **_tried(shape, version.body, person, rows.filter(pk=record.pk))}


def _search(request: HttpRequest, model: Any, rows: Any, query: str) -> list[Any]:
    model_admin = admin.site._registry.get(model)
    if query and model_admin is not None:
        rows, _ = model_admin.get_search_results(request, rows, query)
    return list(rows.order_by("-pk")[:FOUND])


def _tried(shape: BodyShape, body: Any, person: Any, rows: Any) -> dict[str, Any]:
    """Explain the rules on one record; what asks about a column hidden from the person is not explained to them."""
    full, now = catalog_of(shape.model), clock.now()  # type: ignore[arg-type]
    if shape.problems(body, full.for_person(person)):
        return {"refused": "These rules ask about something that you may not see, so they are not explained to you."}
    if isinstance(shape, PredicateBody):
        tree = shape.tree(body, full)
        (values,) = values_used(tree, full, rows).values()
        return {"outcome": explained(matches(tree, values, full, as_of=now))}
    if isinstance(shape, RuleListBody):
        rules = shape.rules(body, full)
        (values,) = values_of(full, rows, set().union(*(fields_used(each.tree) for each in rules))).values()
        asked = ask_rules(rules, values, full, as_of=now, first_wins=shape.first_wins)
        words = [shape.outcome_words(row) for row in body["rules"]]
        return {"asked": list(zip(asked, words, strict=True)), "first_wins": shape.first_wins}
    return {"refused": "Rules of this kind cannot be tried on one record."}


def explained(outcome: Outcome, depth: int = 0) -> list[dict[str, Any]]:
    """Return an outcome as lines with their depth, as a page draws them."""
    words = {True: "All of these must hold", False: "One of these must hold", None: outcome.sentence}
    text = "This must not hold" if outcome.negated else words[outcome.every]
    line = {"text": text, "holds": outcome.matched, "depth": min(depth, 6)}
    return [line, *(each for part in outcome.parts for each in explained(part, depth + 1))]


def preview(kind: RuleKind, body: Any, catalog: Catalog | None, person: Any, rule: str) -> dict[str, Any]:
    """Return what the editor says while rules are written: the words, how many rows fit, what can never matter."""
    return preview_of(kind.body, body, catalog, person, rule)


def preview_of(shape: BodyShape, body: Any, catalog: Catalog | None, person: Any, rule: str) -> dict[str, Any]:
    """Return the same for a shape of its own, which no kind of rule documents has."""
    tidy = shape.tidy(body)
    problems = shape.objections(tidy, catalog)
    if problems:
        return {
            "words": "",
            "live": problems[0].sentence,
            "cost": "",
            "findings": [],
            "problems": [_said(each) for each in problems],
        }
    live, cost, found = "", "", _dead(shape, tidy, catalog)
    if isinstance(shape, PredicateBody) and catalog is not None:
        tree = shape.tree(tidy, catalog)
        live, cost = _count(tree, catalog, person, ""), _cost(tree, catalog)
    elif isinstance(shape, RuleListBody) and catalog is not None:
        rules = shape.rules(tidy, catalog)
        if rule.isdecimal() and len(rule) < 5 and int(rule) < len(rules):
            one = rules[int(rule)]
            live = _count(one.tree, catalog, person, f"Rule {one.position} alone fits ")
    return {"words": shape.words(tidy), "live": live, "cost": cost, "findings": found, "problems": []}


def _said(problem: Any) -> dict[str, str]:
    return {"at": problem.pointer, "sentence": problem.sentence}


def _cost(tree: Node, catalog: Catalog) -> str:
    model: Any = catalog.model
    return cost_in_words(relative_cost(tree, catalog, as_of=clock.now()), str(model._meta.verbose_name_plural))


def _count(tree: Node, catalog: Catalog, person: Any, lead: str) -> str:
    model: Any = catalog.model
    if not access.may_open(person, "view", model):
        return ""
    counted = count_matching(tree, catalog, user=person, as_of=clock.now())
    sentence = counted.sentence
    sentence = f"{lead}{sentence[:1].lower()}{sentence[1:]}" if lead else sentence
    return f"{sentence} {model._meta.verbose_name_plural} that you see."
