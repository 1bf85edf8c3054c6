"""Who and what these tests work with: teams, which every installation has."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from tests.factories.accounts import TeamFactory, person_with


@pytest.fixture
def administrator():
    """Someone who may change teams and define tags and fields."""
    return person_with(Role.ADMINISTRATOR)


@pytest.fixture
def viewer():
    """Someone who may view teams, not change them."""
    return person_with(Role.OPS)


@pytest.fixture
def auditor():
    """Someone who may view everything and write nothing."""
    return person_with(Role.AUDITOR)


@pytest.fixture
def stranger():
    """Someone who may not view teams."""
    return person_with(Role.SALES)


@pytest.fixture
def team():
    """A record."""
    return TeamFactory(name="Contracts")


@pytest.fixture
def queries(client):
    """How many queries a page needs, the second time it is asked for."""

    def count(url):
        assert client.get(url).status_code == 200
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        return len(captured)

    return count
