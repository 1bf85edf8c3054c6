"""An archived record is viewed and restored, nothing else: whoever asks `can`, a form, a job or an API."""

import pytest

from apps.accounts.enums import Role
from apps.core import access, clock
from apps.core.actors import system_principal
from apps.core.admin_kit.archive import archive, restore
from apps.core.errors import NotAllowed, WrongState
from tests.factories.accounts import person_with
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tool():
    return ToolFactory(name="Marketo", archived_at=clock.now())


def test_nobody_changes_an_archived_record_not_even_mops_itself(tool):
    for person in (person_with(Role.OPS), system_principal()):
        verdict = access.can(person, "change", tool)
        assert not verdict
        assert verdict.reason == "Marketo is archived and read-only; restore it first."


def test_who_may_change_may_view_and_restore(tool):
    person = person_with(Role.OPS)
    assert access.can(person, "view", tool)
    assert access.can(person, "restore", tool)
    assert access.may(person, "change", tool)
    restore(tool, by=person)
    tool.refresh_from_db()
    assert access.can(person, "change", tool)


def test_who_only_views_restores_nothing(tool):
    person = person_with(Role.AUDITOR)
    assert access.can(person, "view", tool)
    assert not access.can(person, "restore", tool)
    with pytest.raises(NotAllowed, match=r"You may not change Marketo."):
        restore(tool, by=person)


def test_archiving_twice_is_a_matter_of_state(tool):
    with pytest.raises(WrongState, match=r"Marketo is archived already."):
        archive(tool, by=person_with(Role.OPS))


def test_without_the_right_the_reason_is_the_right(tool):
    assert access.can(person_with(), "change", tool).reason.startswith("No role of")
