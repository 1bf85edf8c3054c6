"""The demo's data: entities with definitions, systems of record, integrations and how their transfers went."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.technology.domain.dictionary import submit_definition
from apps.technology.domain.integrations import move_integration, record_transfer
from apps.technology.enums import IntegrationState, Known
from apps.technology.models import (
    DataDefinition,
    DataEntity,
    DataField,
    DataFlow,
    Integration,
    SystemOfRecord,
    Tool,
    Transfer,
)

People = dict[str, User]
# entity → (in a line, about people, system of record, fields → (type, system of record of its own))
ENTITIES: dict[str, tuple[str, Known, str, dict[str, tuple[str, str]]]] = {
    "Contact": (
        "A person we may write to",
        Known.YES,
        "Salesforce Sales Cloud",
        {
            "E-mail address": ("text", ""),
            "Consent": ("choice", "HubSpot Marketing Hub"),
            "Job title": ("text", ""),
            "Lead score": ("number", "HubSpot Marketing Hub"),
        },
    ),
    "Account": ("A company we sell to", Known.NO, "Salesforce Sales Cloud", {"Industry": ("choice", "")}),
    "Campaign": ("What we run to reach people", Known.NO, "HubSpot Marketing Hub", {"UTM campaign": ("text", "")}),
    "Deal": ("A sale under way", Known.NO, "Salesforce Sales Cloud", {"Amount": ("money", "")}),
    "Web visit": ("One visit of our website", Known.YES, "Google Analytics 4", {"Source": ("text", "")}),
    "Asset": ("A picture, film or document we use", Known.NO, "Bynder", {}),
}
DEFINITIONS = {
    (
        "Contact",
        "",
    ): "A person with an e-mail address and a known company, whom consent or a contract lets us write to.",
    ("Contact", "Lead score"): "Fit (0–50) plus behaviour of the last 90 days (0–50), counted every night.",
    ("Campaign", ""): "Everything with one goal, one budget and one UTM campaign; a single mail is not a campaign.",
}
# name, source, target, both ways, method, frequency, auth, entities with fields, state, how the last transfer went
INTEGRATIONS: tuple[tuple[Any, ...], ...] = (
    (
        *("CRM and marketing hub", "Salesforce Sales Cloud", "HubSpot Marketing Hub", True, "native", "minutes"),
        *("oauth", {"Contact": (), "Account": (), "Deal": ()}, "live", "well"),
    ),
    (
        *("Enrichment of contacts", "ZoomInfo", "Salesforce Sales Cloud", False, "api", "daily", "api_key"),
        *({"Contact": ("Job title",), "Account": ("Industry",)}, "live", "well"),
    ),
    (
        *("Web form leads", "WordPress", "HubSpot Marketing Hub", False, "webhook", "live", "api_key"),
        *({"Contact": ("E-mail address", "Consent")}, "live", "well"),
    ),
    (
        *("Webinar attendance", "Zoom Webinars", "HubSpot Marketing Hub", False, "native", "hourly", "oauth"),
        *({"Contact": ()}, "live", "wrong"),
    ),
    (
        *("Campaigns to the warehouse view", "HubSpot Marketing Hub", "Tableau", False, "platform", "daily"),
        *("service_account", {"Campaign": (), "Contact": ("Lead score",)}, "live", "late"),
    ),
    (
        *("Visits to reporting", "Google Analytics 4", "Looker Studio", False, "native", "hourly", "oauth"),
        *({"Web visit": ()}, "live", "well"),
    ),
    (
        *("Assets for pages", "Bynder", "WordPress", False, "api", "on_demand", "api_key"),
        *({"Asset": ()}, "live", ""),
    ),
    (
        *("Event registrations", "Eventbrite", "Salesforce Sales Cloud", False, "file", "weekly", "none"),
        *({"Contact": ()}, "paused", "well"),
    ),
    (
        *("Deals for revenue reports", "Salesforce Sales Cloud", "Tableau", False, "platform", "daily"),
        *("service_account", {"Deal": (), "Account": ()}, "live", "well"),
    ),
    (
        *("Scores to outreach", "HubSpot Marketing Hub", "Outreach", False, "api", "hourly", "oauth"),
        *({"Contact": ("Lead score",)}, "planned", ""),
    ),
)


def fill_flows(people: People, today: dt.date) -> None:
    """Write down what flows between the tools of the demo, and what it means."""
    by = people["technology_administrator"]
    tools = {tool.name: tool for tool in Tool.objects.exclude(lifecycle="retired")}
    with acting_as(by):
        fields = _entities(tools, by)
    _definitions(people, fields)
    for each in INTEGRATIONS:
        if each[1] in tools and each[2] in tools:
            _integration(each, tools, fields, people)


def _entities(tools: dict[str, Tool], by: User) -> dict[tuple[str, str], DataField | None]:
    known: dict[tuple[str, str], DataField | None] = {}
    for name, (summary, personal, record, fields) in ENTITIES.items():
        entity = DataEntity.objects.create(name=name, summary=summary, personal_data=personal, owner_person=by)
        known[name, ""] = None
        if record in tools:
            SystemOfRecord.objects.create(entity=entity, tool=tools[record], why="Agreed at the data workshop.")
        for field, (kind, own) in fields.items():
            made = DataField.objects.create(entity=entity, name=field, kind=kind, personal_data=personal)
            known[name, field] = made
            if own in tools:
                SystemOfRecord.objects.create(entity=entity, field=made, tool=tools[own], why="It computes it.")
    return known


def _definitions(people: People, fields: dict[tuple[str, str], DataField | None]) -> None:
    author = people["specialist"]
    for number, ((entity, field), text) in enumerate(DEFINITIONS.items()):
        with acting_as(author):
            made = DataDefinition.objects.create(
                entity=DataEntity.objects.get(name=entity), field=fields[entity, field], text=text, requester=author
            )
        submit_definition(made, by=author)
        if number < len(DEFINITIONS) - 1:
            request = ApprovalRequest.objects.get(object_id=made.pk, content_type__model="datadefinition")
            approve(request, by=people["approver"], note="As agreed at the workshop.")


def _integration(
    each: tuple[str, str, str, bool, str, str, str, dict[str, tuple[str, ...]], str, str],
    tools: dict[str, Tool],
    fields: dict[tuple[str, str], DataField | None],
    people: People,
) -> None:
    name, source, target, both, method, frequency, auth, carries, state, went = each
    by = people["technology_administrator"]
    with acting_as(by):
        row = Integration.objects.create(
            name=name,
            source=tools[source],
            target=tools[target],
            direction="both" if both else "one_way",
            method=method,
            frequency=frequency,
            auth=auth,
            secret_kept_in="" if auth == "none" else f"Vault: marketing/{name.lower().replace(' ', '-')}",
            objects_carried=", ".join(carries),
            owner_person=by if method != "webhook" else people["specialist"],
        )
        for entity, chosen in carries.items():
            flow = DataFlow.objects.create(integration=row, entity=DataEntity.objects.get(name=entity))
            flow.fields.set([found for key in chosen if (found := fields[entity, key]) is not None])
    if state == "planned":
        return
    move_integration(row, to=IntegrationState.LIVE, by=by)
    _transfers(row, went, by)
    if state == "paused":
        move_integration(row, to=IntegrationState.PAUSED, by=by, reason="No event before spring.")


def _transfers(row: Integration, went: str, by: User) -> None:
    if not went:
        return
    now = clock.now()
    ago = dt.timedelta(days=4) if went == "late" else dt.timedelta(minutes=12)
    Transfer.objects.bulk_create(
        Transfer(
            integration=row,
            at=now - ago - dt.timedelta(days=number),
            ok=True,
            records=400 + 37 * number,
            source="Log of the connector",
            recorded_by=by.get_username(),
        )
        for number in range(4)
    )
    if went == "wrong":
        record_transfer(
            row, by=by, ok=False, note="403: the connector's token has expired.", source="Log of the connector"
        )
