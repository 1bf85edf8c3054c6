"""The pages for invitations."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from apps.accounts.domain import invitations
from apps.accounts.enums import InvitationState
from apps.accounts.forms import InviteForm
from apps.accounts.models import Invitation
from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.step_up import ask_for_recent_authentication
from apps.core.errors import DomainError

STATE_COLOURS = {
    InvitationState.OPEN.label: "info",
    InvitationState.EXPIRED.label: "warning",
    InvitationState.ACCEPTED.label: "success",
    InvitationState.REVOKED.label: "danger",
}


@admin.register(Invitation)
class InvitationAdmin(MopsAdmin):
    """Invitations."""

    list_display = ("full_name", "email", "role", "team", "state_shown", "sent_at", "expires_at", "invited_by")
    list_filter = ("role", "team", ("accepted_at", admin.EmptyFieldListFilter))
    search_fields = ("full_name", "email")
    fields = (
        "full_name",
        "email",
        "title",
        "team",
        "role",
        "invited_by",
        "sent_at",
        "expires_at",
        "accepted_at",
        "person",
        "revoked_at",
    )
    kits = ()
    empty_state = "Nobody has been invited yet. People come in by invitation only: it names team and role."
    buttons = (
        Button(
            "resend",
            "Send again",
            invitations.resend_invitation,
            invitations.refuse_resend,
            confirm="A new link goes out and is valid anew; the link of the earlier mail no longer works.",
            style="primary",
            step_up=True,
        ),
        Button(
            "revoke",
            "Revoke",
            invitations.revoke_invitation,
            invitations.refuse_revoke_invitation,
            ReasonForm,
            confirm="The link stops working at once.",
            style="danger",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return invitations with everything the list names."""
        return super().get_queryset(request).select_related("team", "invited_by", "person")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what was sent stays; buttons send again or revoke."""
        return False

    @display(description="State", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def state_shown(self, invitation: Invitation) -> str:
        """How it stands now."""
        return str(invitation.state.label)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask whom to invite, and send the mail."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            ask_for_recent_authentication(request)
        form, person = InviteForm(request.POST or None), cast("Any", request.user)
        if request.method == "POST" and form.is_valid():
            try:
                invitation, _ = invitations.invite_person(by=person, **form.cleaned_data)
            except DomainError as refusal:
                for name, sentence in refusal.fields.items():
                    form.add_error(name, sentence)
                if not refusal.fields:
                    form.add_error(None, refusal.message)
            else:
                messages.success(request, f"The invitation is on its way to {invitation.email}.")
                return HttpResponseRedirect(reverse("admin:accounts_invitation_change", args=(invitation.pk,)))
        return self._ask(request, form)

    def _ask(self, request: HttpRequest, form: InviteForm) -> HttpResponse:
        button = Button(
            "invite",
            "Send the invitation",
            invitations.invite_person,
            invitations.refuse_invite,
            style="primary",
            confirm="The mail carries a link that works once, for seven days. The person chooses a password and comes "
            "in with the role named here.",
        )
        context = {
            **self.admin_site.each_context(request),
            "title": "Invite a person",
            "opts": self.opts,
            "button": button,
            "form": form,
            "back": reverse("admin:accounts_invitation_changelist"),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/mops/button.html", context)
