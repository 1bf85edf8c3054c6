"""Choosing another record in a form: what an address or a forged form names beyond the boxes is not taken, nor told."""

import pytest
from django.urls import reverse

from apps.accounts.domain.memberships import grant_role
from apps.accounts.enums import Role
from apps.accounts.models import Territory, User
from apps.leads.models import Company, Lead
from apps.processes.enums import StakeholderAccess
from tests.admin_pages import page_of
from tests.factories.accounts import TeamFactory, UserFactory, administrator, person_with
from tests.factories.leads import LeadFactory
from tests.factories.processes import ProcessFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller():
    person, north = UserFactory(), Territory.objects.create(name="North")
    grant_role(person, TeamFactory(), Role.SALES, by=administrator(), reason="new", territory=north)
    return User.objects.get(pk=person.pk)


@pytest.mark.parametrize("given", ["abc", "1.5", "²", "99999999999999999999999"])
def test_address_that_names_no_key_opens_the_empty_form(client, given):
    pages = ((Role.OPS, "admin:campaigns_campaign_add", "owner_person"), (Role.AUDITOR, "rights-explain", "person"))
    for role, name, field in pages:
        client.force_login(person_with(role))
        assert client.get(reverse(name), {field: given}).status_code == 200


def test_address_does_not_tell_the_name_of_a_record_one_does_not_see(client):
    closed = ProcessFactory(title="Closed to most", stakeholder_access=StakeholderAccess.STAKEHOLDERS)
    opened = ProcessFactory(title="Open to all")
    client.force_login(person_with(Role.OPS))
    pages = [
        client.get(reverse("admin:processes_recurrence_add"), {"process": each.pk}).content.decode()
        for each in (closed, opened)
    ]
    assert ["Closed to most" in pages[0], "Open to all" in pages[1]] == [False, True]


def test_forged_form_does_not_link_a_record_one_does_not_see(client, seller):
    seen, elsewhere = (Company.objects.create(name=name, territory=name) for name in ("North", "South"))
    lead = LeadFactory(territory="North", owner_person=seller, account=None)
    client.force_login(seller)
    taken = []
    for company in (elsewhere, seen):
        opened = client.get(page_of(lead)).context["adminform"].form
        data = {name: "" if value is None else value for name, value in opened.initial.items()}
        page = client.post(page_of(lead), {**data, "opened_version": lead.row_version, "account": company.pk})
        lead.refresh_from_db()
        taken.append((page.status_code, lead.account))
    assert taken == [(200, None), (302, seen)]


def test_what_is_chosen_already_may_stay(client, seller):
    lead = LeadFactory(
        territory="North", owner_person=seller, account=Company.objects.create(name="X", territory="South")
    )
    client.force_login(seller)
    opened = client.get(page_of(lead)).context["adminform"].form
    data = {name: "" if value is None else value for name, value in opened.initial.items()}
    client.post(page_of(lead), {**data, "opened_version": lead.row_version, "job_title": "Head of data"})
    assert Lead.objects.filter(pk=lead.pk, job_title="Head of data", account=lead.account_id).exists()
