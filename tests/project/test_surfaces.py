"""Every governed kind of record × every surface × how much right: an oracle of its own says what must be refused.

The oracle reads the grants of the roles as text and knows each scope in its own words; it asks nothing of
`apps.core.access`. What an unsafe request changed is read from the ledger: it must be nothing.
"""

import datetime as dt

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.domain.invitations import invite_person
from apps.accounts.domain.roles import GRANTS
from apps.accounts.enums import Role
from apps.accounts.models import Team, Vacancy
from apps.audit.domain.retention import place_hold
from apps.audit.models import AuditEvent, LegalHold, ReasonRule, RetentionPolicy
from apps.core import clock
from apps.core.attachments.domain.files import attach
from apps.core.calendars.models import BusinessCalendar
from apps.core.exchange.domain.receiving import receive_file
from apps.core.exchange.models import FileSource
from apps.core.exchange.registry import all_importers
from apps.core.governed import GovernedBase
from apps.core.workspace.domain.journal import add_note
from apps.leads.models import Lead
from apps.processes.models import Feedback, ProcessRole, Review, Step
from apps.rights.domain.granting import grant_access
from apps.rights.domain.waivers import ask_waiver
from apps.rights.models import SHAREABLE, SodRule
from apps.technology.models import Tool
from tests.factories.accounts import administrator, person_with, sign_in
from tests.factories.calendars import CalendarFactory
from tests.factories.processes import draft
from tests.factories.workspace import CustomFieldFactory, TagFactory

# without it a run of this file alone would reach for the database of the installation
pytestmark = pytest.mark.django_db
GOVERNED = sorted(
    (model for model in admin.site._registry if issubclass(model, GovernedBase)), key=lambda each: each._meta.label
)
REFUSED = (302, 400, 403, 404, 405)
CLOSED = (302, 403, 404)
# kinds whose rows are narrowed for each person: how the oracle finds a row that an auditor sees, in its own words
NARROWED = {
    "approvals.ApprovalCondition": "those of requests one sees",
    "approvals.ApprovalRequest": "those about things one sees",
    "approvals.BreakGlass": "those of requests one sees",
    "attachments.Attachment": "those of records one sees",
    "exchange.FileSource": "those whose kind one sees",
    "exchange.ImportBatch": "those whose kind one sees",
    "leads.Lead": "one's own, unless one oversees",
    "rights.AccessReviewEntry": "those one decides about, unless one reads reviews",
    "processes.Process": "open to everybody, one's own, or one is a stakeholder, unless one oversees",
    "processes.SOPVersion": "those of processes one sees",
    "processes.Step": "those of processes one sees",
    "processes.Recurrence": "those of processes one sees",
    "processes.Run": "those of processes one sees",
    "processes.RunStep": "those of processes one sees",
    "processes.StepWaiver": "those of processes one sees",
    "processes.ComplianceWaiver": "those of records one sees",
    "processes.Improvement": "those of processes one sees",
    "processes.MaturityOverride": "those of processes one sees, and those about the whole",
    "processes.Review": "those of processes one sees",
    "processes.Feedback": "those of processes one sees",
    "workspace.CustomValues": "those of records one sees",
    "workspace.JournalNote": "those of records one sees",
    "workspace.SavedView": "one's own and those shared",
    "workspace.TaggedRecord": "those of records one sees",
}


def grants_view(role, model):
    """Whether the text of a role's grants opens this kind, read without mops's own parser."""
    opened = False
    for line in GRANTS[role]:
        where, verbs = line.split(": ")
        app, _, name = where.partition(".")
        fits = app in ("*", model._meta.app_label) and name in ("", "*", model._meta.model_name)
        opened = opened or (fits and bool({"view", "change"} & set(verbs.split())))
    return opened


def url(model, page, *args, **kwargs):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args, kwargs=kwargs or None)


@pytest.fixture(scope="module")
def company(django_db_setup, django_db_blocker):
    """The demo company and one person per role, for the whole module, taken back afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_demo", verbosity=0)
        people = {role: person_with(role, email=f"{role}@surfaces.example.com") for role in Role}
        people[None] = person_with(email="nobody@surfaces.example.com")
        _what_the_demo_lacks(people)
        yield people
        transaction.set_rollback(True)


def _what_the_demo_lacks(people):
    tool, admin_person = Tool.objects.order_by("pk").first(), people[Role.ADMINISTRATOR]
    TagFactory(name="Surface"), CustomFieldFactory(label="Surface")
    grant_access(tool, to=person_with(), verb="view", by=administrator(), reason="The matrix")
    add_note(tool, "Surface", by=people[Role.OPS])
    team = Team.objects.order_by("pk").first()
    invite_person(
        "new@surfaces.example.com", by=admin_person, full_name="Surface", team=team, role=Role.OPS, send=False
    )
    _kept_by_administrators(admin_person)
    _files_and_imports(tool, people[Role.OPS])
    if not Step.objects.exists():
        Step.objects.create(version=draft(author=people[Role.OPS]), key="surface", position=1, title="Surface")
    version = Step.objects.order_by("pk").first().version
    if not Feedback.objects.exists():
        Feedback.objects.create(process=version.process, text="Surface", author=people[Role.OPS])
    if not Review.objects.exists():
        day = clock.today()
        Review.objects.create(
            process=version.process, version=version, due_on=day, reviewer=people[Role.OPS], opened_at=clock.now()
        )
    if not ProcessRole.objects.exists():
        ProcessRole.objects.create(name="Surface")


def _kept_by_administrators(person):
    leaver, rule = person_with(is_active=False), SodRule.objects.order_by("pk").first()
    Vacancy.objects.create(left_by=leaver, kind="technology.tool", object_id="1", label="Tool", field="owner_person")
    place_hold(LegalHold(matter="Surface", kind="accounts_vacancy", reason="The matrix"), by=person)
    RetentionPolicy.objects.create(kind="accounts_vacancy", months=600, basis="The matrix")
    ReasonRule.objects.create(
        table_name="accounts_vacancy", field="label", operations=["update"], what="Surface", is_active=False
    )
    if not BusinessCalendar.objects.exists():  # shipped by a migration; gone after a test that empties the tables
        CalendarFactory()
    rule = rule or SodRule.objects.create(name="Surface", first="role:sales", second="role:approver", why="The matrix")
    ends = clock.now() + dt.timedelta(days=3)
    ask_waiver(rule, person=person_with(), expires_at=ends, reason="The matrix", by=person)


def _files_and_imports(tool, person):
    attach(tool, SimpleUploadedFile("surface.txt", b"Surface"), by=person)
    importer = next(each for each in all_importers() if each.model is Tool)
    receive_file(ContentFile(b"Name\nSurface\n", name="surface.csv"), by=person, importer=importer.key)
    FileSource.objects.create(
        name="Surface", folder="/srv/surface", path="surface.csv", owner=person, importer=importer.key
    )


def row_of(model):
    return model._base_manager.order_by("pk").first()


def reading(model, thing):
    """The addresses that show something, by surface."""
    field = next(iter(f.name for f in model._meta.fields), "id")
    found = {
        "list": url(model, "changelist"),
        "lookup": f"{url(model, 'changelist')}?{field}={thing.pk}",
        "detail": url(model, "change", thing.pk),
        "history": url(model, "history", thing.pk),
        "delete": url(model, "delete", thing.pk),
    }
    if getattr(admin.site._registry[model], "exportable", True):
        found["export"] = url(model, "list_kit", kit="exchange", verb="export")
    return found


def writing(model, thing):
    """The addresses that change something, by surface."""
    model_admin = admin.site._registry[model]
    names = [button.name for button in model_admin.buttons]
    kits = (("tags", "add"), ("notes", "write"), ("custom-fields", "edit"), ("attachments", "attach"))
    kits = (*kits, ("sharing", "grant"), ("view-as", "start"))
    return [
        url(model, "change", thing.pk),
        url(model, "delete", thing.pk),
        url(model, "history", thing.pk),
        f"{url(model, 'changelist')}add/",
        *(url(model, "button", object_id=thing.pk, name=name) for name in names),
        *(url(model, "kit", object_id=thing.pk, kit=kit, verb=verb) for kit, verb in kits),
    ]


def palette(client, thing):
    answer = client.get(reverse("admin:search"), {"s": str(thing)[:40], "extended": "1"})
    return url(type(thing), "change", thing.pk) in answer.content.decode()


def events():
    return AuditEvent.objects.exclude(table_name__in=("accounts_user",)).count()


FORGED = {
    **dict.fromkeys(("name", "title", "reason", "note", "text", "tag", "body"), "Forged"),
    "role": "sales",
    "verb": "change",
    "confirm": "yes",
    "post": "yes",
    "row_version": "0",
}


def unsafe(client, model, thing):
    """Send everything that could change the row, and say what the ledger has seen."""
    before = events()
    for address in writing(model, thing):
        assert client.post(address, FORGED).status_code in (*REFUSED, 200), address
    client.post(url(model, "changelist"), {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"})
    return events() - before


def test_every_narrowed_kind_is_known_to_the_oracle():
    from apps.core import access

    narrowed = {model._meta.label for model in access._scopes if issubclass(model, GovernedBase) and model in GOVERNED}
    assert narrowed <= set(NARROWED), "tell the oracle which rows of this kind each person sees"


@pytest.mark.django_db
def test_every_governed_model_has_a_page_or_a_reason():
    """A new governed model is in this matrix, or hangs on one that is."""
    every = {model._meta.label for model in apps.get_models() if issubclass(model, GovernedBase)}
    pageless = every - {model._meta.label for model in GOVERNED}
    assert pageless == set(WITHOUT_A_PAGE)


# governed models without an admin class of their own: where they show instead
WITHOUT_A_PAGE: dict[str, str] = {
    "approvals.PolicyRule": "inside the policy's page",
    "approvals.PolicyStage": "inside the policy's page",
    "approvals.StageApprover": "inside the policy's page",
    "approvals.StageInstance": "inside the request's page",
    "exchange.ColumnMapping": "inside the import that remembers it",
    "notifications.MailHours": "on the page of one's own preferences",
    "notifications.Preference": "on the page of one's own preferences",
    "processes.AutomatedStep": "inside the automation's page",
    "processes.ExitCriterion": "inside the phase's page",
    "processes.Stakeholder": "inside the process's page",
    "processes.StepEdge": "inside the version's page",
    "processes.TrainingRequirement": "inside the process's page",
    "technology.VendorContact": "inside the vendor's page",
    "tickets.ChecklistItem": "inside the ticket's page",
    "tickets.TicketLink": "inside the ticket's page",
    "tickets.TicketRecord": "inside the ticket's page",
    "workspace.CustomValues": "a kit on each record's page",
    "workspace.TaggedRecord": "a kit on each record's page",
}


def test_every_governed_kind_has_a_row_in_the_matrix(company):
    missing = [model._meta.label for model in GOVERNED if row_of(model) is None]
    assert missing == [], "the demo makes one of each kind, or `_what_the_demo_lacks` does"


@pytest.mark.parametrize("model", GOVERNED, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_list_opens_as_the_text_of_the_grants_says(company, model, role):
    person = company[role]
    opened = role is not None and grants_view(role, model)
    answer = sign_in(Client(), person).get(url(model, "changelist"))
    assert answer.status_code == 200 if opened else answer.status_code in CLOSED


@pytest.mark.parametrize("model", GOVERNED, ids=lambda model: model._meta.label)
def test_no_right_shows_and_changes_nothing(company, model):
    if (thing := row_of(model)) is None:
        return
    closed = [None, *(role for role in Role if not grants_view(role, model))]
    for role in closed[:2]:
        client = sign_in(Client(), company[role])
        for surface, address in reading(model, thing).items():
            assert client.get(address).status_code in REFUSED, (role, surface)
        assert not palette(client, thing), role
        if role is None:
            assert unsafe(client, model, thing) == 0


@pytest.mark.parametrize("model", GOVERNED, ids=lambda model: model._meta.label)
def test_view_only_changes_nothing(company, model):
    if (thing := row_of(model)) is None:
        return
    client = sign_in(Client(), company[Role.AUDITOR])
    assert client.get(url(model, "changelist")).status_code == 200
    assert client.get(url(model, "delete", thing.pk)).status_code in REFUSED
    assert unsafe(client, model, thing) == 0


@pytest.mark.parametrize("model", sorted([*SHAREABLE, Lead], key=str), ids=lambda model: model._meta.label)
def test_right_on_another_row_opens_that_one_alone(company, model):
    ours, theirs = list(model._base_manager.filter(archived_at=None).order_by("pk")[:2])
    if model is Lead:
        person = company[Role.SALES]
        Lead._base_manager.filter(pk=ours.pk).update(owner_person=person)
        Lead._base_manager.filter(pk=theirs.pk).update(owner_person=company[Role.OPS], owner_team=None)
    else:
        person = person_with()
        grant_access(ours, to=person, verb="view", by=administrator(), reason="The matrix")
    client = sign_in(Client(), person)
    listed = client.get(url(model, "changelist"), {"archived": "all"})
    assert listed.status_code == 200
    assert listed.context["cl"].result_count == 1
    assert {each.pk for each in listed.context["cl"].result_list} == {ours.pk}
    for page in ("change", "history"):
        assert client.get(url(model, page, ours.pk)).status_code == 200
        assert client.get(url(model, page, theirs.pk)).status_code in CLOSED
    assert palette(client, ours) == admin.site._registry[model].in_palette
    assert not palette(client, theirs)
    assert unsafe(client, model, theirs) == 0
    if model is not Lead:
        assert unsafe(client, model, ours) == 0
