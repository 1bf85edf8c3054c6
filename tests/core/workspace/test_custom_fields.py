"""Custom fields on records: defined in the admin, set, shown, filtered by, told in the history, read by exports."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.accounts.models import Team
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, StaleEdit
from apps.core.records import kind_of
from apps.core.workspace.domain.custom_values import custom_values, custom_values_of, set_custom_values
from apps.core.workspace.models import CustomField, CustomValues
from tests.factories.accounts import TeamFactory
from tests.factories.workspace import CustomFieldFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/team/"
FIELDS = "/admin/workspace/customfield/"


@pytest.fixture
def fields():
    CustomFieldFactory(key="centre", label="Cost centre", required=True, position=1)
    CustomFieldFactory(key="heads", label="Headcount", type="number", position=2)
    CustomFieldFactory(key="region", label="Region", type="choice", position=3)
    CustomFieldFactory(key="budget", label="Own budget", type="boolean", position=4)
    CustomFieldFactory(key="wiki", label="Wiki", type="url", position=5)


def address(team):
    return f"{LIST}{team.pk}/kits/custom-fields/edit/"


def test_values_are_kept_typed_and_in_the_ledger(administrator, team, fields):
    given = {"centre": "4711", "heads": "12", "budget": "no"}
    assert set_custom_values(team, given, by=administrator) == ["Cost centre", "Headcount", "Own budget"]
    expected = {"centre": "4711", "heads": Decimal(12), "region": None, "budget": False, "wiki": None}
    assert custom_values(team) == expected
    entry = AuditEvent.objects.of_object(CustomValues.objects.get()).get()
    assert (entry.actor, entry.changes["values"][1]) == (
        administrator,
        {"centre": "4711", "heads": "12", "budget": False},
    )


def test_unnamed_fields_stay_and_nothing_changed_writes_nothing(administrator, team, fields):
    set_custom_values(team, {"centre": "4711", "heads": "12"}, by=administrator)
    assert set_custom_values(team, {"heads": ""}, by=administrator) == ["Headcount"]
    assert custom_values(team)["centre"] == "4711"
    assert set_custom_values(team, {"centre": "4711"}, by=administrator) == []
    assert CustomValues.history.count() == 2


def test_every_wrong_field_is_named(administrator, team, fields):
    with pytest.raises(InvalidInput) as refusal:
        set_custom_values(team, {"heads": "many", "region": "Mars", "nope": "1"}, by=administrator)
    assert refusal.value.fields == {
        "nope": "There is no custom field “nope” here.",
        "centre": "Cost centre is required.",
        "heads": "Headcount must be a number such as 1250 or 99.5.",
        "region": "Region must be one of: EMEA, APAC.",
    }
    assert not CustomValues.objects.exists()


def test_who_may_not_change_the_record_sets_nothing(team, fields, viewer, auditor, administrator):
    with pytest.raises(NotAllowed, match=r"^You may view Contracts, not change it\.$"):
        set_custom_values(team, {"centre": "1"}, by=viewer)
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you change custom fields\.$"):
        set_custom_values(team, {"centre": "1"}, by=auditor)
    team.archived_at = clock.now()
    team.save()
    with pytest.raises(NotAllowed, match=r"^Contracts is archived and read-only; restore it first\.$"):
        set_custom_values(team, {"centre": "1"}, by=administrator)


def test_the_second_editor_is_told(administrator, team, fields):
    set_custom_values(team, {"centre": "1"}, by=administrator, opened_version=0)
    with pytest.raises(StaleEdit) as refusal:
        set_custom_values(team, {"centre": "2"}, by=administrator, opened_version=0)
    assert str(refusal.value) == (
        "Somebody else changed these fields of Contracts while you were editing. "
        "Your entries are still below: compare, then save again to keep yours."
    )


def test_archived_fields_are_not_asked_and_keep_their_values(administrator, team, fields):
    set_custom_values(team, {"centre": "4711"}, by=administrator)
    CustomField.objects.filter(key="centre").update(archived_at=clock.now())
    assert "centre" not in custom_values(team)
    set_custom_values(team, {"heads": "3"}, by=administrator)
    assert CustomValues.objects.get().values == {"centre": "4711", "heads": "3"}


def test_exports_read_many_records_in_two_queries(administrator, team, fields, django_assert_num_queries):
    others = TeamFactory.create_batch(3)
    set_custom_values(team, {"centre": "4711"}, by=administrator)
    ids = [team.pk, *(other.pk for other in others)]
    with django_assert_num_queries(2):
        values = custom_values_of(Team, ids)
    assert [values[each]["centre"] for each in ids] == ["4711", None, None, None]


def test_definitions_keep_their_key_and_type(fields):
    with pytest.raises(DatabaseError, match="never change: archive it and make a new one"), transaction.atomic():
        CustomField.objects.filter(key="heads").update(type="text")
    with pytest.raises(DatabaseError, match="archived, never deleted"), transaction.atomic():
        CustomField.objects.filter(key="heads").delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomFieldFactory(key="heads")
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomFieldFactory(type="choice", choices=["only"])


def test_definitions_are_made_in_the_admin(client, administrator):
    client.force_login(administrator)
    sent = {"content_type": kind_of(Team).pk, "key": "region", "label": "Region", "type": "choice", "position": 1}
    page = client.post(f"{FIELDS}add/", {**sent, "choices": "EMEA"}).content.decode()
    assert "A field of the type Choice needs at least two answers, one a line." in page
    page = client.post(f"{FIELDS}add/", {**sent, "key": "Bad key"}).content.decode()
    assert "A key is lower-case letters, digits and _, and starts with a letter." in page
    page = client.post(f"{FIELDS}add/", {**sent, "content_type": kind_of(CustomField).pk}).content.decode()
    assert "Select a valid choice" in page
    answer = client.post(f"{FIELDS}add/", {**sent, "choices": "EMEA\r\n APAC \r\n\r\nEMEA"})
    assert answer.status_code == 302
    made = CustomField.objects.get()
    assert made.choices == ["EMEA", "APAC"]
    page = client.post(f"{FIELDS}add/", {**sent, "choices": "a\nb"}).content.decode()
    assert "This kind of record has such a key already, perhaps on an archived field." in page
    sent = {"label": "Area", "choices": "EMEA\nAPAC", "position": 1, "key": "other", "opened_version": 1}
    client.post(f"{FIELDS}{made.pk}/change/", sent)
    made.refresh_from_db()
    assert (made.label, made.key) == ("Area", "region")


def test_list_of_definitions_needs_constant_queries(client, administrator, fields, queries):
    client.force_login(administrator)
    before = queries(FIELDS)
    CustomFieldFactory.create_batch(3)
    assert queries(FIELDS) == before


def test_panel_shows_and_edits(client, administrator, team, fields):
    client.force_login(administrator)
    page = client.get(f"{LIST}{team.pk}/change/").content.decode()
    assert '<span class="mops-chip mops-chip-warn">required</span>' in page
    sent = {"value-centre": "4711", "value-wiki": "https://example.com", "value-opened-version": "0"}
    page = client.post(address(team), sent, follow=True).content.decode()
    assert "Saved: Cost centre, Wiki." in page
    assert 'href="https://example.com"' in page
    sent["value-opened-version"] = "1"
    page = client.post(address(team), sent, follow=True).content.decode()
    assert "Nothing was changed." in page


def test_refused_form_keeps_what_was_typed(client, administrator, team, fields):
    client.force_login(administrator)
    sent = {"value-centre": "", "value-heads": "dozens", "value-opened-version": "0"}
    page = client.post(address(team), sent).content.decode()
    assert "Cost centre is required." in page
    assert "Headcount must be a number such as 1250 or 99.5." in page
    assert 'value="dozens"' in page


def test_second_editor_sees_it_and_may_insist(client, administrator, team, fields):
    client.force_login(administrator)
    set_custom_values(team, {"centre": "theirs"}, by=administrator)
    sent = {"value-centre": "mine", "value-opened-version": "0"}
    page = client.post(address(team), sent).content.decode()
    assert "Somebody else changed these fields" in page
    assert 'value="mine"' in page
    assert 'name="value-opened-version" value="1"' in page
    client.post(address(team), {**sent, "value-opened-version": "1"})
    assert custom_values(team)["centre"] == "mine"


def test_viewers_see_values_without_a_form(client, administrator, team, fields, auditor, stranger):
    set_custom_values(team, {"centre": "4711"}, by=administrator)
    client.force_login(auditor)
    page = client.get(f"{LIST}{team.pk}/change/").content.decode()
    assert "4711" in page
    assert "kits/custom-fields/" not in page
    page = client.post(address(team), {"value-centre": "1"}, follow=True).content.decode()
    assert "Your roles do not let you change custom fields." in page
    client.force_login(stranger)
    assert client.get(address(team)).status_code == 404
    assert custom_values(team)["centre"] == "4711"


def test_lists_filter_by_few_answers(client, administrator, team, fields):
    other = TeamFactory()
    set_custom_values(team, {"centre": "1", "region": "EMEA", "budget": True}, by=administrator)
    set_custom_values(other, {"centre": "2", "region": "APAC", "budget": False}, by=administrator)
    client.force_login(administrator)

    def rows(query):
        return list(client.get(f"{LIST}?{query}").context_data["cl"].result_list)

    assert rows("cf_region=EMEA") == [team]
    assert rows("cf_budget=false") == [other]
    assert rows("cf_region=Mars") == []
    assert client.get(f"{LIST}?cf_centre=1").status_code in (302, 400)


def test_history_of_the_record_tells_the_values(client, administrator, team, fields):
    set_custom_values(team, {"centre": "old"}, by=administrator)
    set_custom_values(team, {"centre": "new", "budget": True}, by=administrator)
    client.force_login(administrator)
    page = client.get(f"{LIST}{team.pk}/history/").content.decode()
    assert page.count("Custom fields changed") == 2
    assert page.index('<td class="mops-old">old</td><td class="mops-new">new</td>') < page.index("Created")


def test_page_and_list_need_constant_queries(client, administrator, team, queries):
    CustomFieldFactory(type="choice")
    client.force_login(administrator)
    page = f"{LIST}{team.pk}/change/"
    before = (queries(LIST), queries(page))
    CustomFieldFactory.create_batch(2, type="choice")
    TeamFactory.create_batch(2)
    assert (queries(LIST), queries(page)) == before
