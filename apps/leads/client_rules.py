"""The kind of rules that says how healthy a client is, and what is a sign that it will leave."""

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apps.core.jobs.api import enqueue
from apps.core.rules.bodies import OutcomeField, RuleListBody, same_names
from apps.core.rules.catalog import Catalog, Field, catalog_of, model_fields
from apps.core.rules.domain.queries import active_version
from apps.core.rules.domain.reasoning import always_holds
from apps.core.rules.domain.tree import Problem
from apps.core.rules.field_types import Boolean, Text
from apps.core.rules.kinds import RuleKind, register_kind
from apps.core.rules.ordered_types import Number
from apps.leads.models import Client

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

KIND, DOCUMENT = "leads.client_health", "client-health"
FACTS = (
    "status",
    "plan",
    "since",
    "seats",
    "active_users",
    "seat_use",
    "users_change",
    "actions_change",
    "monthly_value",
    "value_change",
    "renews_on",
    "used_on",
)
SHARES = ("seat_use", "users_change", "actions_change", "value_change")


def _in_percent(field: Field) -> Field:
    return replace(field, type=Number(unit="%"))


def client_catalog() -> Catalog:
    """Return what rules may ask about clients."""
    return Catalog(
        fields=(
            *(_in_percent(each) if each.key in SHARES else each for each in model_fields(Client, *FACTS)),
            Field("industry", "Industry", Text(), "company__industry"),
            Field("employees", "Company size", Number(whole=True), "company__employees"),
        )
    )


def _rule(name: str, predicate: Any, points: int, how: str = "", *, sign: bool = True) -> dict[str, Any]:
    outcome = {"points": points, "sign": sign, **({"how": how} if how else {})}
    return {"name": name, "predicate": predicate, "outcome": outcome, "enabled": True, "reason": ""}


def _asks(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} if value is None else {"field": field, "op": op, "value": value}


FIRST_RULES = (
    _rule("Uses it much less", _asks("users_change", "lte", -25), -30, "Ask what has changed; offer a training."),
    _rule("Does much less in it", _asks("actions_change", "lte", -30), -15, "Look at which work stopped."),
    _rule("Most seats lie idle", _asks("seat_use", "lt", 40), -20, "Offer to start the other seats."),
    _rule("Pays late", _asks("status", "eq", "past_due"), -25, "Let accounts call them."),
    _rule("Pays less than before", _asks("value_change", "lt", 0), -15),
    _rule("Nobody told of its use for long", _asks("used_on", "older_days", 60), -20, "Ask the product team why."),
    _rule(
        "Renews soon and uses little",
        {"all": [_asks("renews_on", "next_days", 60), _asks("seat_use", "lt", 60)]},
        -10,
        "Call them before they decide.",
    ),
    _rule("Uses it more and more", _asks("users_change", "gte", 15), 10, sign=False),
)


class HealthBody(RuleListBody):
    """Rules of health; a first draft starts from the list above."""

    def start(self) -> dict[str, Any]:
        """Return the rules that everything starts with."""
        body: dict[str, Any] = self.tidy(deepcopy({"rules": list(FIRST_RULES), "settings": {"at_risk": 50}}))
        return body


HEALTHY = 100


def _check(body: Any) -> list[Problem]:
    limit = BODY.settings_of(body)["at_risk"]
    if limit is not None and 0 < float(limit) <= HEALTHY:
        return []
    return [Problem(("settings", "at_risk"), "A client is at risk below a health of more than 0 and at most 100.")]


def _objects(body: Any) -> list[Problem]:
    """Return what no new version may have: rules of one name, that fit every client, that decide nothing."""
    found = same_names(body)
    for place, rule in enumerate(BODY.rules(body, catalog_of(Client))):
        points, at = rule.outcome["points"], ("rules", place)
        if always_holds(rule.tree):
            found.append(Problem((*at, "predicate"), f"“{rule.name}” fits every client; give it a condition."))
        if not -HEALTHY <= points <= HEALTHY or (points == 0 and not rule.outcome["sign"]):
            sentence = f"“{rule.name}”: points go from -{HEALTHY} to {HEALTHY}; 0 is for a sign of leaving alone."
            found.append(Problem((*at, "outcome", "points"), sentence))
    return found


BODY = HealthBody(
    Client,
    outcomes=(
        OutcomeField("points", "Points", Number(), help="Added to 100; below zero for what speaks against."),
        OutcomeField("sign", "Sign of leaving", Boolean(), required=False, help="It is kept with its days."),
        OutcomeField("how", "What to do", Text(), required=False),
    ),
    settings=(OutcomeField("at_risk", "At risk below", Number(), help="Of 100; with a sign of leaving."),),
    first_wins=False,
    check=_check,
    objects=_objects,
)


def version_in_force() -> "RuleVersion | None":
    """Return the version that judges clients now; None where there is none, or it cannot be read any more."""
    version = active_version(DOCUMENT)
    return version if version is not None and not BODY.problems(version.body, catalog_of(Client)) else None


def on_activate(version: "RuleVersion", before: "RuleVersion | None", by: Any, at: Any) -> None:
    """Judge every client at once, in the background."""
    if version.document.key == DOCUMENT:
        enqueue("leads.judge_clients", by=by)


def register() -> None:
    """Make rules of client health known as a kind."""
    from apps.leads.domain.clients import simulate  # noqa: PLC0415  # which reads this module

    register_kind(
        RuleKind(
            key=KIND,
            title="Client health",
            body=BODY,
            simulate=simulate,
            on_activate=on_activate,
            help="Each rule is a condition on the subscription and the use of a client, with the points it takes from "
            f"(or adds to) a health of 100. Only the document “{DOCUMENT}” decides; its first draft starts from a list "
            "of signs that clients leave.",
        )
    )
