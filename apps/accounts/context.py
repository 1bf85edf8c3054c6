"""What account pages show around their content: the back office for who is inside, a plain door for who is not."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from apps.accounts import demo
from apps.accounts.domain.first_administrator import anybody
from apps.accounts.middleware import must_enrol

DOOR, OFFICE = "accounts/door.html", "accounts/office.html"


def account_pages(request: HttpRequest) -> dict[str, Any]:
    """Choose the frame of a page below /accounts/ and fill the back office's menu where it is shown."""
    if not request.path.startswith("/accounts/"):
        return {}
    user = getattr(request, "user", None)
    inside = user is not None and user.is_authenticated and user.is_active and user.is_staff
    if not inside or must_enrol(request):
        listed = demo.sign_ins_here() if settings.DEMO else []
        return {"account_frame": DOOR, "demo_sign_ins": listed, "nobody_yet": SimpleLazyObject(lambda: not anybody())}
    return {**admin.site.each_context(request), "account_frame": OFFICE, "title": "My account"}


def account_menu(request: HttpRequest) -> list[dict[str, str]]:
    """Return the entries of the account menu in the sidebar."""
    if not request.user.is_authenticated:
        return []
    return [
        {"title": "My account", "link": reverse("my_account")},
        {"title": "Password", "link": reverse("account_change_password")},
        {"title": "Second factor and passkeys", "link": reverse("mfa_index")},
        {"title": "Sessions", "link": reverse("usersessions_list")},
    ]
