"""A limited column is nowhere: list, form, forged form, filter, lookup, order, search, history, export."""

import io
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.accounts.domain.roles import GRANTS, permissions_of, synchronise_groups_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.audit.models import AuditEvent
from apps.campaigns.models import Campaign
from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.core.exchange.domain.exporting import start_export, write_file
from apps.rights.columns import COLUMN_LIMITS
from apps.rights.domain.granting import grant_access
from apps.rights.models import ToolToPerson
from apps.technology.models import Tool
from tests.admin_pages import list_of, page_of
from tests.factories.accounts import TeamFactory, person_with, sign_in
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
COST = "73551"


@pytest.fixture
def tool():
    ops = person_with(Role.OPS)
    tool = ToolFactory(name="Marketo", annual_cost=Decimal("12.00"), currency="EUR", owner_person=ops)
    with acting_as(ops):
        tool.annual_cost = Decimal(COST)
        tool.save()
    return tool


@pytest.fixture
def executive():
    return person_with(Role.EXECUTIVE)


def hidden(person, model=Tool):
    return sorted(access.hidden_columns(person, model))


def also(person, role):
    Membership.objects.create(team=TeamFactory(), person=person, role=role)
    synchronise_groups_of(person)


def test_limits_name_fields_that_exist():
    for limits in COLUMN_LIMITS.values():
        for kind, names in limits.items():
            model = apps.get_model(kind)
            assert names <= {field.name for field in model._meta.concrete_fields}
            assert getattr(admin.site._registry[model], "date_hierarchy", None) not in names


def test_one_role_that_may_is_enough(executive):
    assert hidden(executive) == ["annual_cost", "currency"]
    assert hidden(executive, Campaign) == []
    assert hidden(person_with(Role.SALES), Campaign) == ["budget", "currency"]
    assert hidden(person_with(Role.OPS)) == hidden(person_with(Role.AUDITOR)) == []
    also(executive, Role.SALES)
    assert hidden(executive) == ["annual_cost", "currency"]
    assert hidden(executive, Campaign) == []
    also(executive, Role.APPROVER)
    assert hidden(executive) == []


def test_who_has_no_role_sees_no_limited_column():
    assert hidden(person_with()) == ["annual_cost", "currency"]
    assert hidden(person_with(), Campaign) == ["budget", "currency"]


def test_lists_and_pages_leave_it_out(client, tool, executive):
    for person, shown in ((executive, False), (person_with(Role.OPS), True)):
        client.force_login(person)
        for address in (list_of(Tool), page_of(tool), page_of(tool, "history")):
            page = client.get(address)
            text = page.content.decode().replace(",", "").replace(".00", "")
            assert page.status_code == 200
            assert (COST in text) == shown, address
            assert ("annual cost" in text.lower()) == shown, address


def test_filter_order_lookup_and_search_tell_nothing(client, tool, executive):
    client.force_login(executive)
    request = client.get(list_of(Tool)).wsgi_request
    tools = admin.site._registry[Tool]
    for lookup in ("annual_cost", "annual_cost__gte", "currency", "currency__startswith"):
        assert tools.is_hidden(request, lookup)
        assert not tools.lookup_allowed(lookup, "1", request)
        assert client.get(list_of(Tool), {lookup: "1"}).status_code in (302, 400)
    assert not tools.is_hidden(request, "name__startswith")
    assert client.get(list_of(Tool), {"o": "-7"}).status_code == 200
    ops = client.__class__()
    ops.force_login(person_with(Role.OPS))
    assert not tools.is_hidden(ops.get(list_of(Tool)).wsgi_request, "annual_cost")


def test_path_through_a_relation_is_hidden_too():
    limited = {Tool: frozenset({"annual_cost"})}

    def of(model):
        return limited.get(model, frozenset())

    assert access.is_hidden_path(of, ToolToPerson, "content_object__annual_cost__gte")
    assert not access.is_hidden_path(of, ToolToPerson, "content_object__name")
    assert access.is_hidden_path(of, Tool, "annual_cost")
    assert not access.is_hidden_path(of, Tool, "no_such__annual_cost")
    assert access.is_hidden_path(lambda _: frozenset({"owner_person"}), Tool, "owner_person_id__in")


def test_forged_form_sets_nothing_hidden(client, tool):
    person = person_with()
    grant_access(tool, to=person, verb="change", by=tool.owner_person, reason="Helps")
    sign_in(client, person)
    page = client.get(page_of(tool))
    assert "annual_cost" not in page.content.decode()
    form = page.context["adminform"].form
    data = {name: form[name].value() if form[name].value() is not None else "" for name in form.fields}
    data |= {"name": "Renamed", "annual_cost": "1", "currency": "USD", "owner_person": tool.owner_person_id}
    assert client.post(page_of(tool), data).status_code == 302
    tool.refresh_from_db()
    assert (tool.name, str(tool.annual_cost), tool.currency) == ("Renamed", f"{COST}.00", "EUR")


def test_export_neither_offers_nor_gives_it(client, tool, executive):
    ops, exports = person_with(Role.OPS), Permission.objects.filter(codename__in=("add_exportrun", "view_exportrun"))
    executive.user_permissions.add(*exports)
    executive = type(executive).objects.get(pk=executive.pk)
    asked = {"title": "Tools", "fmt": "csv", "filters": "", "selection": [], "background": False}
    none = "There is no column “annual_cost” to export"
    with pytest.raises(InvalidInput, match=none):
        start_export(Tool, by=executive, columns=["name", "annual_cost"], **asked)
    client.force_login(executive)
    page = client.get(reverse("admin:technology_tool_list_kit", args=("exchange", "export"))).content.decode()
    assert 'value="name"' in page
    assert "annual_cost" not in page
    run = start_export(Tool, by=ops, columns=["annual_cost"], **asked)
    run.requested_by = executive  # as if the role had been lost while the job waited
    with pytest.raises(InvalidInput, match=none):
        write_file(run, Tool.objects.all(), io.BytesIO())


def test_who_opens_the_ledger_has_no_limited_columns():
    """The ledger shows differences of every column: whose roles are limited must not open it."""
    person_with(Role.OPS)
    available = list(Permission.objects.select_related("content_type"))
    for role in GRANTS:
        opens = {each.codename for each in permissions_of(role, available) if each.content_type.app_label == "audit"}
        assert not (COLUMN_LIMITS.get(role) and access.permission("view", AuditEvent).split(".")[1] in opens)


def test_the_ledger_shows_no_hidden_column(tool):
    from apps.audit.domain.reading import changes_of
    from apps.audit.models import AuditEvent

    entry = AuditEvent.objects.of_object(tool).order_by("id").first()
    limited, free = person_with(Role.SALES), person_with(Role.OPS)
    labels = {each.label for each in changes_of(entry, free)} - {each.label for each in changes_of(entry, limited)}
    assert labels == {"Stated annual cost", "Currency"}
