"""How allauth behaves in mops: invitation only, guesses counted per account and per device, secrets encrypted."""

import base64
import hashlib
import smtplib
from typing import Any, NoReturn

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from apps.accounts.devices import known_device
from apps.accounts.domain.invitations import accept_invitation, invitation_for
from apps.accounts.domain.rights import needs_mfa
from apps.accounts.models import User
from apps.core.actors import acting_as
from apps.core.admin_kit.step_up import authenticated_recently
from apps.core.errors import DomainError

log = structlog.get_logger(__name__)
INACTIVE_OR_UNKNOWN = "is not known here. Ask an administrator for an invitation."


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Local accounts."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail and password do not fit together. Check both, or reset the password.",
        "too_many_login_attempts": (
            "Too many attempts for this account. Wait a quarter of an hour, or reset the password; a browser in which "
            "you signed in before keeps its own count."
        ),
        "incorrect_password": "This is not your password.",
        "incorrect_code": "This code does not fit. Codes change every half minute; use the newest.",
        "invalid_or_expired_key": "This link has expired or was used already.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: people come in by invitation."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt before the password is looked at: per account, or per device that signed in before.

        Strangers share one budget per account, so the account cannot be guessed faster from many addresses; a known
        device has a budget of its own, so strangers cannot lock the owner out.
        """
        login = str(credentials.get("email") or credentials.get("username") or "").lower()
        device = known_device(request, login)
        action, key = ("login_failed_known", f"device:{device}") if device else ("login_failed", f"account:{login}")
        self._login_failed_rl_usage = ratelimit.consume(request, app="allauth.account", action=action, key=key)
        if not self._login_failed_rl_usage:
            raise self.validation_error("too_many_login_attempts")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Name the same counter that `pre_authenticate` uses, for the reset after a new password."""
        return f"account:{str(credentials.get('email') or credentials.get('username') or '').lower()}"

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask again only when the sign-in itself is no longer recent."""
        return not authenticated_recently(self.request)

    def set_password(self, user: User, password: str) -> None:
        """Set a password in the person's own name, also while nobody is signed in (reset by mail)."""
        user.set_password(password)
        with acting_as(user, reason="Password set by the person"):
            user.save()

    def send_notification_mail(
        self, template_prefix: str, user: User, context: Any = None, email: str | None = None
    ) -> None:
        """Tell the person about changes to the account, at the address they sign in with."""
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, and say so where no mail server took it; what was asked for is not undone by a mail."""
        try:
            super().send_mail(template_prefix, email, context)
        except (smtplib.SMTPException, OSError):
            log.exception("mail_not_sent", template=template_prefix)
            messages.error(
                self.request, "The mail server did not take the mail. Try again later, or tell an administrator."
            )

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Link to the configured address, never to the host that a request named."""
        uid, _, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.PUBLIC_URL}{path}"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Authenticator apps, passkeys and recovery codes."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def encrypt(self, text: str) -> str:
        """Encrypt a secret, so that a copy of the database alone signs nobody in."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt with the current key or a fallback.

        Raises:
            InvalidToken: SECRET_KEY was replaced without keeping the old one in SECRET_KEY_FALLBACKS.
        """
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Keep the last second factor of somebody who must have one."""
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        others = others.exclude(type=Authenticator.Type.RECOVERY_CODES)
        return others.exists() or not needs_mfa(authenticator.user)

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002  # allauth's name
        """Offer a name for a new passkey."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_totp_label(self, user: User) -> str:
        """Name the account in the authenticator app."""
        return user.email

    def _get_site_name(self) -> str:
        return "mops"


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(b"mops.accounts.second-factor\0" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Single sign-on opens accounts that exist or are invited; it makes none, and grants nothing."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Refuse: people come in by invitation."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Connect the provider's proven address to the person who has it, or to who is invited under it.

        Raises:
            ImmediateHttpResponse: back to the sign-in page, with the reason.
        """
        if sociallogin.state.get("process") == "connect":
            _back(request, "Accounts are connected by signing in with the identity provider, not from inside.")
        if sociallogin.is_existing:
            return
        email = _proven_address(sociallogin)
        if email is None:
            _back(
                request, "The identity provider did not confirm your e-mail address, so mops cannot tell who you are."
            )
        person = User.objects.working().filter(email__iexact=email).first()
        if person is None and (invitation := invitation_for(email)) is not None:
            try:
                person = accept_invitation(invitation, password=None)
            except DomainError as refusal:
                _back(request, refusal.message)
        if person is None:
            _back(request, f"{email} {INACTIVE_OR_UNKNOWN}")
        sociallogin.connect(request, person)
        EmailAddress.objects.filter(user=person).delete()

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        """Say it on the sign-in page, with the way out."""
        _back(request, f"{provider.name} did not sign you in. Try again, or use your password.")


def _proven_address(sociallogin: Any) -> str | None:
    trusted = settings.SINGLE_SIGN_ON is not None and settings.SINGLE_SIGN_ON.trusts_email
    found = [each.email.lower() for each in sociallogin.email_addresses if each.verified or trusted]
    return found[0] if found else None


def _back(request: HttpRequest, sentence: str) -> NoReturn:
    messages.error(request, sentence)
    raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
