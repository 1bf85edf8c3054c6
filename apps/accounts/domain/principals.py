"""The principal that acts for mops itself: every write has an author, also when no person stands behind it."""

from django.contrib.auth.hashers import make_password

from apps.accounts.models import User
from apps.core.actors import MIGRATION, acting_as

SYSTEM_EMAIL = "system@mops.invalid"  # .invalid is reserved: no mail server will ever answer for it


def system_principal() -> User:
    """Return the person row that stands for mops; made on first use, it can never sign in."""
    found = User.objects.filter(email=SYSTEM_EMAIL).first()
    if found is not None:
        return found
    with acting_as(None, name=SYSTEM_EMAIL, reason=MIGRATION):
        fresh, _ = User.objects.get_or_create(
            email=SYSTEM_EMAIL,
            defaults={"full_name": "mops", "is_system": True, "is_active": False, "password": make_password(None)},
        )
    return fresh
