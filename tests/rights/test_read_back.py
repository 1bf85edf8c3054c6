"""After a save the row is read back through the writer's own scope."""

import pytest

from apps.accounts.enums import Role
from apps.leads.models import Lead
from tests.admin_pages import page_of
from tests.factories.accounts import person_with, sign_in

pytestmark = pytest.mark.django_db


def fill(client, thing, **changed):
    form = client.get(page_of(thing)).context["adminform"].form
    data = {name: form[name].value() if form[name].value() is not None else "" for name in form.fields}
    return client.post(page_of(thing), data | changed, follow=True)


def test_row_that_would_leave_the_scope_is_not_saved(client):
    sam, other = person_with(Role.SALES, full_name="Sam"), person_with(Role.SALES)
    lead = Lead.objects.create(name="Harry", owner_person=sam, company="Acme")
    sign_in(client, sam)
    page = fill(client, lead, owner_person=other.pk, company="Beta").content.decode()
    lead.refresh_from_db()
    assert (lead.owner_person, lead.company) == (sam, "Acme")
    assert (
        "Nothing was saved: with these values Harry would be outside the leads that you may change. Keep it among "
        "yours, or ask somebody who oversees all leads to hand it over."
    ) in page
    assert 'value="Beta"' in page  # nothing of what was typed is lost


def test_row_that_stays_is_saved(client):
    sam = person_with(Role.SALES)
    lead = Lead.objects.create(name="Harry", owner_person=sam)
    sign_in(client, sam)
    fill(client, lead, company="Beta")
    lead.refresh_from_db()
    assert lead.company == "Beta"


def test_who_oversees_all_hands_over(client):
    sam, ops = person_with(Role.SALES), person_with(Role.OPS)
    lead = Lead.objects.create(name="Harry", owner_person=ops)
    sign_in(client, ops)
    fill(client, lead, owner_person=sam.pk)
    lead.refresh_from_db()
    assert lead.owner_person == sam
