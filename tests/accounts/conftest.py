"""What the tests about people ask for."""

import pytest
from django.test import Client


@pytest.fixture
def django_client():
    """A second browser."""
    return Client()
