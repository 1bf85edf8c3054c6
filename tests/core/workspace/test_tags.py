"""Tags: put on, taken off, filtered by, recorded; and refused in words."""

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.workspace.domain import tagging
from apps.core.workspace.models import Tag, TaggedRecord
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.workspace import TagFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/team/"


def address(team, verb, item=""):
    return f"{LIST}{team.pk}/kits/tags/{verb}/" + (f"{item}/" if item else "")


@pytest.mark.parametrize(
    ("text", "names"),
    [("a", ["a"]), (" a , b,,A ,  c  d ", ["a", "b", "c d"]), ("GDPR,gdpr", ["GDPR"]), ("x\x00y", ["xy"])],
)
def test_split_names(text, names):
    assert tagging.split_names(text) == names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Type a tag first, or several separated by commas."),
        (" , ,", "Type a tag first, or several separated by commas."),
        (",".join(map(str, range(21))), "Those are 21 tags; put at most 20 on a record at once."),
        ("x" * 51, "“xxxxxxxxxxxxxxxxxxxx…” is too long for a tag; 50 characters fit."),
    ],
)
def test_split_names_refuses(text, sentence):
    with pytest.raises(InvalidInput) as refusal:
        tagging.split_names(text)
    assert str(refusal.value) == sentence


def test_tagging_finds_tags_whatever_their_case_and_makes_new_ones(administrator, team):
    gdpr = TagFactory(name="GDPR")
    added = tagging.tag_record(team, ["gdpr", "New"], by=administrator)
    assert [tag.name for tag in added] == ["GDPR", "New"]
    assert tagging.tags_of(team) == [gdpr, Tag.objects.get(name="New")]
    assert tagging.tag_record(team, ["Gdpr"], by=administrator) == []


def test_tagging_and_untagging_is_in_the_ledger(administrator, team):
    (tag,) = tagging.tag_record(team, ["GDPR"], by=administrator)
    tagging.untag_record(team, tag, by=administrator)
    entries = AuditEvent.objects.filter(table_name="workspace_taggedrecord").order_by("id")
    assert [(entry.action, entry.actor) for entry in entries] == [("insert", administrator), ("delete", administrator)]
    assert [row.history_type for row in TaggedRecord.history.order_by("history_id")] == ["+", "-"]
    assert tagging.tags_of(team) == []


def test_who_may_not_change_the_record_may_not_tag_it(team, viewer, auditor):
    with pytest.raises(NotAllowed, match=r"^You may view Contracts, not change it\.$"):
        tagging.tag_record(team, ["a"], by=viewer)
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you tag records\.$"):
        tagging.tag_record(team, ["a"], by=auditor)
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you tag records\.$"):
        tagging.untag_record(team, TagFactory(), by=auditor)
    assert Tag.objects.filter(name="a").count() == 0


def test_who_may_not_make_tags_chooses_from_the_list(team, administrator, monkeypatch):
    allowed = access.has_model_permission
    monkeypatch.setattr(
        access, "has_model_permission", lambda user, verb, model: model is not Tag and allowed(user, verb, model)
    )
    with pytest.raises(NotAllowed) as refusal:
        tagging.tag_record(team, ["New"], by=administrator)
    assert str(refusal.value) == "There is no tag “New”, and your roles do not let you make one: choose from the list."


def test_archived_tags_and_records_are_refused(administrator, team):
    TagFactory(name="Old", archived_at=clock.now())
    with pytest.raises(InvalidInput) as refusal:
        tagging.tag_record(team, ["old"], by=administrator)
    assert str(refusal.value) == "The tag “Old” is archived; restore it first, or choose another."
    team.archived_at = clock.now()
    team.save()
    with pytest.raises(NotAllowed, match=r"^Contracts is archived and read-only; restore it first\.$"):
        tagging.tag_record(team, ["new"], by=administrator)


def test_database_keeps_names_apart_and_sane():
    TagFactory(name="GDPR")
    with pytest.raises(IntegrityError), transaction.atomic():
        TagFactory(name="gdpr")
    with pytest.raises(IntegrityError), transaction.atomic():
        TagFactory(name="a,b")


def test_tag_form_refuses_in_words(client, administrator):
    TagFactory(name="GDPR")
    client.force_login(administrator)
    page = client.post("/admin/workspace/tag/add/", {"name": "gdpr", "colour": "red"}).content.decode()
    assert "There is already a tag of this name." in page
    page = client.post("/admin/workspace/tag/add/", {"name": "a,b", "colour": "red"}).content.decode()
    assert "A tag cannot hold a comma: commas separate tags." in page


def test_chips_add_and_take_off(client, administrator, team):
    client.force_login(administrator)
    page = client.post(address(team, "add"), {"names": "GDPR, EMEA"}, follow=True).content.decode()
    assert "Tagged with GDPR, EMEA." in page
    tag = Tag.objects.get(name="GDPR")
    page = client.post(address(team, "add"), {"names": "gdpr"}, follow=True).content.decode()
    assert "The record has these tags already." in page
    page = client.post(address(team, "remove", tag.pk), follow=True).content.decode()
    assert "GDPR is off Contracts." in page
    assert client.post(address(team, "remove", 10**18)).status_code == 404
    assert client.post(address(team, "remove", "x")).status_code == 404
    assert client.get(address(team, "remove", tag.pk)).status_code == 405


def test_chips_without_forms_for_viewers(client, administrator, team, auditor, stranger):
    tagging.tag_record(team, ["GDPR"], by=administrator)
    client.force_login(auditor)
    page = client.get(f"{LIST}{team.pk}/change/").content.decode()
    assert "GDPR" in page
    assert "kits/tags/" not in page
    page = client.post(address(team, "add"), {"names": "x"}, follow=True).content.decode()
    assert "Your roles do not let you tag records." in page
    client.force_login(stranger)
    assert client.post(address(team, "add"), {"names": "x"}).status_code == 404
    assert TaggedRecord.objects.count() == 1


def test_list_filters_by_tag(client, administrator, team):
    other = TeamFactory()
    (tag,) = tagging.tag_record(team, ["GDPR"], by=administrator)
    tagging.tag_record(other, ["EMEA"], by=administrator)
    client.force_login(administrator)
    assert list(client.get(f"{LIST}?tag={tag.pk}").context_data["cl"].result_list) == [team]
    for nonsense in ("x", "9" * 40, "²"):
        assert list(client.get(f"{LIST}?tag={nonsense}").context_data["cl"].result_list) == []


def test_list_counts_answers_of_kits(client, administrator, team):
    tagging.tag_record(team, ["GDPR"], by=administrator)
    client.force_login(administrator)
    page = client.get(f"{LIST}?_facets=True").content.decode()
    assert "GDPR (1)" in page
    assert "Yes: archived rows (0)" in page


def test_list_and_page_need_constant_queries(client, administrator, team, queries):
    client.force_login(administrator)
    tagging.tag_record(team, ["a"], by=administrator)
    page = f"{LIST}{team.pk}/change/"
    before = (queries(LIST), queries(page))
    for number in range(2):
        tagging.tag_record(TeamFactory(), ["a", f"b{number}"], by=administrator)
    tagging.tag_record(team, ["c", "d", "e"], by=administrator)
    assert (queries(LIST), queries(page)) == before
    assert "mops-tag-grey" in client.get(LIST).content.decode()


def test_list_of_tags_needs_constant_queries(client, administrator, team, queries):
    client.force_login(administrator)
    tagging.tag_record(team, ["a"], by=administrator)
    before = queries("/admin/workspace/tag/")
    tagging.tag_record(team, ["b", "c"], by=administrator)
    assert queries("/admin/workspace/tag/") == before
    assert "1 record" in client.get("/admin/workspace/tag/").content.decode()


def test_a_name_made_to_run_is_shown(client, administrator, team):
    tagging.tag_record(team, ["<script>alert(1)</script>"], by=administrator)
    client.force_login(administrator)
    for url in (LIST, f"{LIST}{team.pk}/change/", "/admin/workspace/tag/", f"{LIST}{team.pk}/history/"):
        page = client.get(url).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_tags_are_not_for_everybody_to_define():
    assert access.has_model_permission(person_with(Role.OPS), "add", Tag)
    assert not access.has_model_permission(person_with(Role.EXECUTIVE), "add", Tag)
    assert not access.has_model_permission(person_with(Role.SALES), "add", Tag)
