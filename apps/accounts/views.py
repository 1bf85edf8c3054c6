"""Pages about one's own account, and the page on which an invited person comes in."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.domain.invitations import NOT_VALID, accept_invitation, open_invitation
from apps.accounts.domain.people import sign_out_everywhere
from apps.accounts.domain.rights import needs_mfa
from apps.accounts.forms import AcceptForm, AccountForm
from apps.accounts.models import Membership, User
from apps.core.actors import acting_as
from apps.core.admin_kit.step_up import require_recent_authentication
from apps.core.errors import DomainError
from apps.core.guessing import too_many_guesses

TOKEN = "mops_invitation"  # noqa: S105  # the session's key, not a secret


def not_offered(request: HttpRequest) -> HttpResponse:
    """Answer that there is no such page."""
    raise Http404


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def my_account(request: HttpRequest) -> HttpResponse:
    """Show and save what people say about themselves, with the ways to everything else of their account."""
    person: Any = request.user
    form = AccountForm(request.POST or None, instance=User.objects.get(pk=person.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("my_account")
    factors = Authenticator.objects.filter(user=person)
    context = {
        "form": form,
        "memberships": Membership.objects.live().filter(person=person).select_related("team"),
        "has_app": any(each.type == Authenticator.Type.TOTP for each in factors),
        "passkeys": sum(each.type == Authenticator.Type.WEBAUTHN for each in factors),
        "factor_needed": needs_mfa(person),
        "sessions": UserSession.objects.filter(user=person).count(),
    }
    return render(request, "accounts/my_account.html", context)


@login_required
@require_POST
@require_recent_authentication
def end_all_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere, here included."""
    person: Any = request.user
    sign_out_everywhere(person, by=person)
    logout(request)
    messages.success(request, "You are signed out everywhere, here included.")
    return redirect("account_login")


@never_cache
@require_GET
def open_invitation_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address before the page is shown, so that it stays in no history and no referrer."""
    if too_many_guesses(request, "invitation"):
        refused: HttpResponse = ratelimit.respond_429(request)
        return refused
    if request.user.is_authenticated:
        logout(request)
    request.session[TOKEN] = token
    return redirect("accept_invitation")


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation_page(request: HttpRequest) -> HttpResponse:
    """Let an invited person choose a password and come in."""
    invitation = open_invitation(request.session.get(TOKEN, ""))
    if invitation is None:
        return render(request, "accounts/invitation_not_valid.html", {"sentence": NOT_VALID}, status=410)
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = accept_invitation(invitation, password=form.cleaned_data["password"])
        except DomainError as refusal:
            if not refusal.fields:
                form.add_error(None, refusal.message)
            for name, sentence in refusal.fields.items():
                form.add_error(name, sentence)
        else:
            return _come_in(request, person)
    return render(request, "accounts/accept_invitation.html", {"form": form, "invitation": invitation})


def _come_in(request: HttpRequest, person: User) -> HttpResponse:
    request.session.pop(TOKEN, None)
    with acting_as(person):
        response: HttpResponse = perform_login(request, person)
    record_authentication(request, person, method="password", email=person.email)
    return response if isinstance(response, HttpResponseRedirect) else redirect("admin:index")
