"""Files of these tests lie in a folder of their own."""

import pytest


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    """The store of files."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path
