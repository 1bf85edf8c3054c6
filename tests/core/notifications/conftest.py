import pytest

from apps.core.notifications.enums import Importance, Reach
from apps.core.notifications.kinds import register_kind


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    """The kinds of the alerts, and three of this test."""
    from apps.core.notifications import kinds

    monkeypatch.setattr(kinds, "_kinds", {k: v for k, v in kinds._kinds.items() if k.startswith("alert.")})
    register_kind("approval.requested", "Somebody asks for my approval")
    register_kind("approval.decided", "Decided", default=Reach.IN_APP)
    register_kind("security.changed", "My sign-in changed", mandatory=True, importance=Importance.URGENT)
