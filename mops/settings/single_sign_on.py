"""Single sign-on by OpenID Connect, as the environment describes it; checked before anybody meets it at the door."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

NAMES = ("MOPS_OIDC_NAME", "MOPS_OIDC_CLIENT_ID", "MOPS_OIDC_SECRET", "MOPS_OIDC_SERVER_URL")


@dataclass(frozen=True)
class SingleSignOn:
    """One identity provider.

    Attributes:
        name: what the sign-in button says after "Sign in with".
        server_url: the issuer; its /.well-known/openid-configuration says everything else.
        trusts_email: the provider checks addresses itself and sends no `email_verified` claim.
    """

    name: str
    client_id: str
    secret: str
    server_url: str
    trusts_email: bool

    @property
    def provider_id(self) -> str:
        """The provider's part of the callback address: /accounts/oidc/<provider_id>/login/callback/."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def origin(self) -> str:
        """Scheme and host, which the sign-in form may lead to."""
        parts = urlsplit(self.server_url)
        return f"{parts.scheme}://{parts.netloc}"

    def as_provider(self) -> dict[str, Any]:
        """Return the entry for SOCIALACCOUNT_PROVIDERS."""
        app = {
            "provider_id": self.provider_id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {"server_url": self.server_url, "oauth_pkce_enabled": True},
        }
        return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


def read_single_sign_on(environment: Mapping[str, str], *, debug: bool) -> SingleSignOn | None:
    """Read and check the provider; None where none is configured.

    Raises:
        ImproperlyConfigured: with a sentence that says which variable is missing or wrong and what to set.
    """
    values = {name: environment.get(name, "").strip() for name in NAMES}
    if not any(values.values()):
        return None
    if missing := [name for name, value in values.items() if not value]:
        raise ImproperlyConfigured(
            f"Single sign-on is half configured: {', '.join(missing)} is empty. Set all of {', '.join(NAMES)}, or none."
        )
    url = values["MOPS_OIDC_SERVER_URL"].rstrip("/")
    parts = urlsplit(url)
    near = parts.hostname in {"localhost", "127.0.0.1"} and debug
    if not parts.hostname or parts.scheme not in ({"http", "https"} if near else {"https"}):
        raise ImproperlyConfigured(
            f"MOPS_OIDC_SERVER_URL is {url!r}: it must be the https address of the issuer, for instance "
            "https://login.example.com/realms/company."
        )
    trust = environment.get("MOPS_OIDC_TRUST_EMAIL", "0").strip()
    if trust not in {"0", "1"}:
        raise ImproperlyConfigured(f"MOPS_OIDC_TRUST_EMAIL is {trust!r}: it must be 1 or 0.")
    found = SingleSignOn(
        name=values["MOPS_OIDC_NAME"],
        client_id=values["MOPS_OIDC_CLIENT_ID"],
        secret=values["MOPS_OIDC_SECRET"],
        server_url=url,
        trusts_email=trust == "1",
    )
    if not found.provider_id:
        raise ImproperlyConfigured(
            f"MOPS_OIDC_NAME is {found.name!r}: it needs a letter or digit, it names the button people press."
        )
    return found
