import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import InvalidInput
from apps.rights.domain.view_as import refuse_view_as, start_view_as
from apps.rights.models import AccessLog
from apps.technology.models import Tool
from tests.admin_pages import list_of, page_of
from tests.factories.accounts import administrator, person_with, sign_in
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


def start_url(person):
    return page_of(person).replace("/change/", "/kits/view-as/start/")


@pytest.fixture
def ada():
    return administrator(full_name="Ada")


@pytest.fixture
def olga():
    return person_with(Role.OPS, full_name="Olga Ops")


@pytest.fixture
def looking(client, ada, olga):
    sign_in(client, ada)
    assert "See mops as Olga Ops" in client.get(page_of(olga)).content.decode()
    answer = client.post(start_url(olga), {"reason": "She cannot find a tool"})
    assert answer.status_code == 302
    assert answer.url == reverse("admin:index")
    return client


def details(ada):
    return list(AccessLog.objects.filter(person=ada, kind="view_as").order_by("pk").values_list("detail", flat=True))


def test_pages_are_those_of_the_other_person_and_written_down(looking, ada, olga):
    tool = ToolFactory()
    page = looking.get(page_of(tool))
    assert page.wsgi_request.user == ada
    text = page.content.decode()
    assert "You see mops as <strong>Olga Ops</strong>" in text[-2000:]  # unfold writes ">" into attributes of body
    assert 'name="_save"' in text or "Save" in text
    assert looking.get(list_of(Tool) + "add/").status_code == 200  # an administrator adds no tools
    assert details(ada) == [
        {"begins": "She cannot find a tool"},
        {"page": page_of(tool)},
        {"page": list_of(Tool) + "add/"},
    ]
    assert {each.object_label for each in AccessLog.objects.all()} == {"Olga Ops"}


def test_nothing_can_be_changed(looking, olga):
    tool = ToolFactory(name="Before")
    for method in ("post", "put", "patch", "delete"):
        for address in (page_of(tool), list_of(Tool) + "add/", page_of(olga), start_url(olga), list_of(Tool)):
            answer = getattr(looking, method)(address)
            assert answer.status_code == 403
            assert "You look on as Olga Ops: nothing can be changed. Stop looking on first." in answer.content.decode()
    tool.refresh_from_db()
    assert (tool.name, Tool.objects.count()) == ("Before", 1)


def test_what_a_page_writes_while_it_is_read_is_undone(looking, olga, monkeypatch):
    from apps.technology.admin.tools import ToolAdmin

    listed = ToolAdmin.changelist_view

    def writes(self, request, extra_context=None):
        ToolFactory(name="By reading")
        return listed(self, request, extra_context)

    monkeypatch.setattr(ToolAdmin, "changelist_view", writes)
    assert looking.get(list_of(Tool)).status_code == 200
    assert not Tool.objects.exists()


def test_account_pages_stay_closed_and_signing_out_works(looking):
    for name in ("account_change_password", "mfa_index", "usersessions_list"):
        answer = looking.get(reverse(name))
        assert answer.status_code == 403
        assert "only the back office is shown" in answer.content.decode()
    looking.post(reverse("account_logout"))
    assert looking.get(reverse("admin:index")).status_code == 302


def test_button_ends_it(looking, ada):
    answer = looking.post(reverse("rights-view-as-stop"), follow=True)
    assert "You see mops as yourself again." in answer.content.decode()
    assert "mops-view-as" not in answer.content.decode()
    assert details(ada)[-1] == {"ends": "Ended by the button."}
    assert looking.get(list_of(Tool) + "add/").status_code == 403


def test_time_ends_it(looking, ada):
    with time_machine.travel(clock.now() + dt.timedelta(minutes=15, seconds=1)):
        answer = looking.get(list_of(Tool), follow=True)
    assert "You see mops as yourself again. 15 minutes are over." in answer.content.decode()
    assert details(ada)[-1] == {"ends": "15 minutes are over."}


def test_loss_of_the_role_ends_it(looking, ada):
    ada.memberships.update(archived_at=clock.now())
    assert looking.get(list_of(Tool)).status_code == 302
    assert "Only an administrator can do this" in details(ada)[-1]["ends"]


def test_refusals(ada, olga):
    assert refuse_view_as(ada, olga) is None
    assert refuse_view_as(olga, ada).startswith("Only an administrator can do this")
    assert refuse_view_as(ada, ada) == "You see mops as yourself already."
    gone = person_with(full_name="Gone", is_active=False)
    assert refuse_view_as(ada, gone) == "Gone cannot sign in and sees nothing."
    other = administrator(full_name="Eve")
    assert refuse_view_as(ada, other) == "Eve is an administrator too; nobody looks on as one."
    auditor = person_with(Role.AUDITOR, full_name="Kim")
    assert refuse_view_as(ada, auditor) == "Kim is an auditor; what auditors look at stays theirs."
    from django.contrib.auth.models import Permission

    olga.user_permissions.add(Permission.objects.get(codename="view_session"))
    olga = User.objects.get(pk=olga.pk)
    assert refuse_view_as(ada, olga) == "Olga Ops sees kinds of records that you do not see, so you cannot look on."
    with pytest.raises(InvalidInput, match=r"Say why you look on\."):
        start_view_as(person_with(), by=ada, reason=" ")


def test_nobody_else_starts_it_by_any_address(client, olga):
    for role in (Role.OPS, Role.AUDITOR, Role.EXECUTIVE):
        sign_in(client, person_with(role))
        client.post(start_url(olga), {"reason": "Curious"})
        assert "mops_view_as" not in client.session
    assert not AccessLog.objects.filter(kind="view_as").exists()


def test_step_up_comes_first(client, ada, olga):
    client.force_login(ada)
    client.post(start_url(olga), {"reason": "Quick"})
    assert "mops_view_as" not in client.session
