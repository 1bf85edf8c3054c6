"""Every governed kind of record × every surface × how much right: an oracle of its own says what each shows.

Surfaces: the list with its counts, the counts beside its filters, its search, a lookup by key, proposals of forms
(autocomplete), the page with its inlines, history, versions, the palette, export, delete confirmation, and everything
that writes. How much right: none at all, to view only, to another row (a narrowed role, or one row shared), all of
it. The oracle (`surface_oracle`) reads the grants of the roles as text and knows each scope in its own words. What an
unsafe request changed is read from the ledger: it must be nothing.
"""

from dataclasses import dataclass

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from apps.accounts.domain.territories import limit_role
from apps.accounts.enums import Role
from apps.accounts.models import Territory, User
from apps.core import access
from apps.leads.models import Company
from apps.rights.domain.granting import grant_access
from apps.rights.models import SHAREABLE
from tests.admin_pages import short_menu
from tests.factories.accounts import administrator, person_with, sign_in
from tests.project.surface_checks import (
    check_closed,
    check_export,
    check_list,
    check_page,
    check_proposals,
    check_search,
    palette,
    unsafe,
)
from tests.project.surface_oracle import (
    ABOUT_RECORDS,
    ALL_GOVERNED,
    BY_RECORD,
    BY_REQUEST,
    IN_TERRITORY,
    NARROWED,
    grants,
    rows_seen,
)
from tests.project.surface_rows import close_to_most, forget_importer, make_what_the_demo_lacks

# without it a run of this file alone would reach for the database of the installation
pytestmark = pytest.mark.django_db
GOVERNED = [model for model in ALL_GOVERNED if model in admin.site._registry]


@dataclass
class Right:
    """How much of one kind a person may: the person's role, and what the oracle says they see of each kind."""

    name: str
    role: Role | None
    person: object
    shared: dict
    territories: frozenset | None = None

    def __post_init__(self):
        self.client = sign_in(Client(), self.person)
        self.known = {} if self.territories is None else {"territories": self.territories}

    def seen(self, model):
        """The keys of the rows this person sees, one way or the other."""
        return rows_seen(self.person, self.role, model, self.known) | self.shared.get(model, set())

    def opens(self, model):
        """Whether the pages of this kind open at all."""
        return grants(self.role, model, "view") or model in self.shared


@pytest.fixture(scope="module")
def company(django_db_setup, django_db_blocker):
    """The demo company and one signed-in person per role, for the whole module, taken back afterwards."""
    with django_db_blocker.unblock(), transaction.atomic(), short_menu():
        call_command("load_demo", verbosity=0)
        people = {role: person_with(role, email=f"{role}@surfaces.example.com") for role in Role}
        people[None] = person_with(email="nobody@surfaces.example.com")
        make_what_the_demo_lacks(people)
        close_to_most(people)
        rights = {role: Right(str(role), role, person, {}) for role, person in people.items()}
        rights["shared"] = _with_one_row_of_each(person_with(email="shared@surfaces.example.com"))
        rights["limited"] = _limited_to_a_territory(person_with(Role.OPS, email="limited@surfaces.example.com"))
        connection.check_constraints()  # once: a savepoint that is taken back would leave it to each test anew
        yield rights
        forget_importer()
        transaction.set_rollback(True)


def _with_one_row_of_each(person):
    shared = {}
    for model in SHAREABLE:
        thing = model._base_manager.filter(archived_at=None).order_by("pk").first()
        grant_access(thing, to=person, verb="view", by=administrator(), reason="The matrix")
        shared[model] = {thing.pk}
    return Right("shared", None, person, shared)


def _limited_to_a_territory(person):
    """Ops staff for Europe's middle alone: its own name, one below it, and how content spells them."""
    above = Territory.objects.create(name="Middle of Europe", also_called="EU")
    Territory.objects.filter(name="DACH").update(parent=above, also_called="")
    Company.objects.create(name="Inside", territory="DACH")
    limit_role(person.memberships.get(), territory=above, by=administrator(), reason="The matrix")
    return Right("limited", Role.OPS, person, {}, frozenset({"middle of europe", "eu", "dach"}))


def row_of(model):
    return model._base_manager.order_by("pk").first()


def in_and_out(model, seen):
    """The keys of one row that is seen and one that is not, None where there is none; rows in use come first."""
    rows = sorted(model._base_manager.values_list("archived_at", "pk"), key=lambda row: (row[0] is not None, row[1]))
    keys = [key for _, key in rows]
    return next((key for key in keys if key in seen), None), next((key for key in keys if key not in seen), None)


def rights_to(company, model):
    """One person for each amount of right: none, to view only, to another row, all of it; with its name."""
    closed = [right for role, right in company.items() if isinstance(role, Role) and not right.opens(model)]
    everything = set(model._base_manager.values_list("pk", flat=True))
    partly = [right for right in company.values() if right.opens(model) and right.seen(model) < everything]
    writers = [right for right in company.values() if grants(right.role, model, "change")]
    whole = [right for right in writers if right.seen(model) == everything]
    return {
        "no right": [company[None], *closed[:1]],
        "view only": [company[Role.AUDITOR]],
        "another row": sorted(partly, key=lambda right: -len(right.seen(model)))[:1],
        "right": (whole or writers)[:1],
    }


HOW_MUCH = ("no right", "view only", "another row", "right")


@pytest.mark.parametrize("model", GOVERNED, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("much", HOW_MUCH)
def test_each_surface_shows_what_the_oracle_says(company, model, much):
    for right in rights_to(company, model)[much]:
        inside, outside = in_and_out(model, right.seen(model))
        check_list(model, right)
        check_export(model, right)
        if much != "right" or outside is not None:
            check_proposals(model, right)
        if inside is not None:
            check_page(model, right, inside)
        if outside is not None:
            check_closed(model, right, outside)
            check_search(model, right, outside)


@pytest.mark.parametrize("model", GOVERNED, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("much", HOW_MUCH[:3])
def test_nothing_is_written_without_the_right(company, model, much):
    right = next(iter(rights_to(company, model)[much]), None)
    if right is None:
        return
    inside, outside = in_and_out(model, right.seen(model))
    for key in (outside, inside if right.role in (None, Role.AUDITOR) else None):
        if key is not None:
            assert unsafe(right.client, model, model._base_manager.get(pk=key)) == 0


ABOUT_WHAT_IS_LIMITED = [
    model
    for model in GOVERNED
    if model._meta.label in {*IN_TERRITORY, *ABOUT_RECORDS, *BY_REQUEST, *BY_RECORD, "approvals.ApprovalRequest"}
]


@pytest.mark.parametrize("model", ABOUT_WHAT_IS_LIMITED, ids=lambda model: model._meta.label)
def test_a_role_limited_to_a_territory_sees_and_writes_nothing_elsewhere(company, model):
    right = company["limited"]
    inside, outside = in_and_out(model, right.seen(model))
    check_list(model, right)
    check_export(model, right)
    check_proposals(model, right)
    if inside is not None:
        check_page(model, right, inside)
    if outside is not None:
        check_closed(model, right, outside)
        check_search(model, right, outside)
        assert unsafe(right.client, model, model._base_manager.get(pk=outside)) == 0


def test_the_matrix_has_rows_inside_and_outside_of_the_territory(company):
    right = company["limited"]
    for label in (
        "leads.Lead",
        "leads.Company",
        "campaigns.Campaign",
        "content.ContentAsset",
        "content.ContentVersion",
        "processes.Run",
        "tickets.Ticket",
    ):
        inside, outside = in_and_out(apps.get_model(label), right.seen(apps.get_model(label)))
        assert None not in (inside, outside), label


def test_every_kind_with_a_territory_is_told_to_the_oracle():
    found = {model._meta.label: access.territory_path(model) for model in ALL_GOVERNED}
    told = {label: path.replace(".", "__") for label, path in IN_TERRITORY.items()}
    new = {label: path for label, path in found.items() if path and label not in told}
    assert new == {}, "a part of a lead, company, campaign or asset: name it in surface_oracle.IN_TERRITORY"
    assert {label: path for label, path in found.items() if path} == told
    homes = {model._meta.label: access.home_of(model) for model in ALL_GOVERNED}
    about = {label: home[0] for label, home in homes.items() if home is not None and access.about_of(home[1])}
    assert about == {label: path.replace(".", "__") for label, path in ABOUT_RECORDS.items()}


def mops_itself(model):
    """What signs for jobs: known to `access`, shown on no page."""
    return set(User.objects.filter(is_system=True).values_list("pk", flat=True)) if model is User else set()


@pytest.mark.parametrize("model", ALL_GOVERNED, ids=lambda model: model._meta.label)
def test_rows_are_those_of_the_oracle_for_every_role(company, model):
    for right in company.values():
        assert access.may_open(right.person, "view", model) == right.opens(model) or not right.role
        seen = set(access.visible(right.person, model).values_list("pk", flat=True))
        assert seen - mops_itself(model) == right.seen(model), right.name


def test_the_palette_finds_what_one_sees(company):
    for model in SHAREABLE:
        thing = model._base_manager.get(pk=next(iter(company["shared"].shared[model])))
        assert palette(company["shared"].client, thing) == admin.site._registry[model].in_palette


def test_narrowed_kinds_have_a_row_inside_and_one_outside(company):
    """Where the demo narrows nothing for anybody, the column "right on another object" would prove nothing."""
    kinds = [model for model in GOVERNED if model._meta.label in NARROWED or model in SHAREABLE]
    assert [model._meta.label for model in kinds if not rights_to(company, model)["another row"]] == []


def test_every_narrowed_kind_is_known_to_the_oracle():
    narrowed = {model._meta.label for model in access._scopes if model in ALL_GOVERNED}
    assert narrowed == NARROWED, "tell the oracle which rows of this kind each person sees"


def test_every_governed_model_has_a_page_or_a_reason():
    """A new governed model is in this matrix, or hangs on one that is."""
    pageless = {model._meta.label for model in ALL_GOVERNED} - {model._meta.label for model in GOVERNED}
    assert pageless == set(WITHOUT_A_PAGE)


# governed models without an admin class of their own: where they show instead
WITHOUT_A_PAGE: dict[str, str] = {
    "approvals.PolicyRule": "inside the policy's page",
    "approvals.PolicyStage": "inside the policy's page",
    "approvals.StageApprover": "inside the policy's page",
    "approvals.StageInstance": "inside the request's page",
    "campaigns.Variant": "inside the A/B test's page",
    "exchange.ColumnMapping": "inside the import that remembers it",
    "notifications.MailHours": "on the page of one's own preferences",
    "notifications.Preference": "on the page of one's own preferences",
    "processes.AutomatedStep": "inside the automation's page",
    "processes.ExitCriterion": "inside the phase's page",
    "processes.Stakeholder": "inside the process's page",
    "processes.StepEdge": "inside the version's page",
    "processes.TrainingRequirement": "inside the process's page",
    "technology.Criterion": "inside the set's page",
    "technology.Evaluator": "inside the evaluation's page",
    "technology.Score": "on the scoring page and inside the evaluation's page, for whom `visible` shows it",
    "technology.VendorContact": "inside the vendor's page",
    "tickets.ChecklistItem": "inside the ticket's page",
    "tickets.TicketLink": "inside the ticket's page",
    "tickets.TicketRecord": "inside the ticket's page",
    "workspace.CustomValues": "a kit on each record's page",
    "workspace.TaggedRecord": "a kit on each record's page",
}


def test_every_governed_kind_has_a_row_in_the_matrix(company):
    missing = [model._meta.label for model in GOVERNED if row_of(model) is None]
    assert missing == [], "the demo makes one of each kind, or `make_what_the_demo_lacks` does"
