"""Who is signed in: allauth's way, and with the person whether any of their roles is limited to a territory."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.db.models import Exists, OuterRef

from apps.accounts.models import Membership, User


class AuthenticationBackend(AllauthBackend):
    """Fetches the person of a session with what every page asks about them, in one query."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the person, None when the account is gone or may not sign in."""
        limited = Membership.objects.live().filter(person=OuterRef("pk"), territory__isnull=False)
        person = User._default_manager.annotate(any_limit=Exists(limited)).filter(pk=user_id).first()
        if person is None or not self.user_can_authenticate(person):
            return None
        person.is_limited = person.any_limit
        return person
