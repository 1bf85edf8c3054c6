"""What the tests of imports and exports share."""

import pytest

from apps.accounts.enums import Role
from tests.factories.accounts import person_with
from tests.factories.exchange import TeamImporter, importers


@pytest.fixture(autouse=True)
def teams():
    """The importer of teams."""
    with importers(TeamImporter):
        yield TeamImporter


@pytest.fixture(autouse=True)
def files(tmp_path, settings):
    """Files are kept where the test ends."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return settings.MEDIA_ROOT


@pytest.fixture
def admin(db):
    """An administrator: may add and change teams, import and export."""
    return person_with(Role.ADMINISTRATOR, full_name="Ada Admin")


@pytest.fixture
def folder(tmp_path, settings):
    """The one allowed folder."""
    home = tmp_path / "imports"
    home.mkdir()
    settings.IMPORT_FOLDERS = [home]
    return home
