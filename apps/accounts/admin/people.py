"""The pages for people."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import INPUT_CLASSES

from apps.accounts.admin.filters import RoleFilter, TeamFilter
from apps.accounts.admin.panels import held_roles, holdings_panel
from apps.accounts.domain import people
from apps.accounts.domain.memberships import grant_role, refuse_grant
from apps.accounts.domain.rights import needs_mfa
from apps.accounts.enums import SHIPPED_TITLES, Role
from apps.accounts.forms import ChangeEmailForm, ChoiceOrText, DeactivateForm, GrantForm, zones
from apps.accounts.models import Membership, Team, User
from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.consistency import Check


def _grant(person: User, *, by: User, team: Team, role: str, reason: str, territory: Any = None) -> str:
    membership = grant_role(person, team, role, by=by, reason=reason, territory=territory)
    only = f", for {territory} only" if territory else ""
    return f"{person} is now {membership.get_role_display()} in {team}{only}."


def _leaving(request: HttpRequest, person: User) -> dict[str, Any]:
    return holdings_panel(request, person, f"What {person} answers for")


def _without_role(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(is_active=True).exclude(pk__in=Membership.objects.live().values("person"))


@admin.register(User)
class UserAdmin(MopsAdmin):
    """People."""

    list_display = ("full_name", "email", "title", "roles_held", "state", "last_login")
    list_filter = ("is_active", RoleFilter, TeamFilter)
    search_fields = ("full_name", "email", "title")
    fields = ("full_name", "title", "manager", "time_zone", "email")
    readonly_fields = ("email",)
    autocomplete_fields = ("manager",)
    in_palette = True
    list_before_template = "admin/accounts/people_before.html"
    consistency_checks = (
        Check("Active without a role", _without_role),
        Check("Reports to somebody deactivated", lambda rows: rows.filter(is_active=True, manager__is_active=False)),
    )
    buttons = (
        Button("grant", "Grant a role", _grant, refuse_grant, GrantForm, style="primary", step_up=True),
        Button(
            "deactivate",
            "Deactivate",
            people.deactivate_person,
            people.refuse_deactivate,
            DeactivateForm,
            confirm="Every session ends and nothing opens any more, from the next request on. The name stays in the "
            "history, and the account can be reactivated.",
            style="danger",
            panel=_leaving,
            step_up=True,
        ),
        Button(
            "reactivate",
            "Reactivate",
            people.reactivate_person,
            people.refuse_reactivate,
            ReasonForm,
            confirm="The person can sign in again, with the roles shown on the page before.",
            step_up=True,
        ),
        Button(
            "change-email",
            "Change e-mail",
            people.change_email,
            people.refuse_change_email,
            ChangeEmailForm,
            confirm="The person signs in with the new address from then on and is signed out everywhere. The old "
            "address gets a mail about it.",
            step_up=True,
        ),
        Button(
            "sign-out",
            "Sign out everywhere",
            people.sign_out_everywhere,
            people.refuse_sign_out,
            confirm="Every session of this person ends at the next request.",
        ),
        Button(
            "reset-second-factor",
            "Reset second factor",
            people.reset_second_factors,
            people.refuse_reset_second_factors,
            ReasonForm,
            confirm="Authenticator app, passkeys and recovery codes are removed, and the person is signed out. Make "
            "sure by phone or in person that the request is theirs.",
            step_up=True,
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: people come in by invitation."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return people, with their roles in one query more; mops itself is none."""
        held = Membership.objects.live().select_related("team")
        return super().get_queryset(request).filter(is_system=False).prefetch_related(Prefetch("memberships", held))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Offer only who works here where a person is chosen."""
        rows, distinct = super().get_search_results(request, queryset, search_term)
        return (rows.filter(is_active=True) if request.path.endswith("/autocomplete/") else rows), distinct

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the shipped titles and the time zones while one types."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        offered = {"title": SHIPPED_TITLES, "time_zone": zones}.get(db_field.name)
        if field is not None and offered is not None:
            field.widget = ChoiceOrText(offered, {"class": " ".join(INPUT_CLASSES)})
        return field

    @display(description="Roles", label=True)  # type: ignore[untyped-decorator]
    def roles_held(self, person: User) -> list[str]:
        """Each role once."""
        return sorted({str(Role(each.role).label) for each in person.memberships.all()})

    @display(description="Account", label={"active": "success", "deactivated": "danger"})  # type: ignore[untyped-decorator]
    def state(self, person: User) -> str:
        """Whether the account opens anything."""
        return "active" if person.is_active else "deactivated"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the person with roles, duties and sign-in."""
        person = self.get_object(request, object_id) if request.method == "GET" else None
        panels = (
            [] if person is None else [held_roles(request, person), self._duties(request, person), _sign_in(person)]
        )
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "row_panels": panels})

    def _duties(self, request: HttpRequest, person: User) -> dict[str, Any]:
        return holdings_panel(request, person, "Answers for")


def _sign_in(person: User) -> dict[str, Any]:
    factors = Authenticator.objects.filter(user=person).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return {
        "template": "admin/accounts/sign_in_panel.html",
        "factors": [each.get_type_display() for each in factors],
        "factor_needed": needs_mfa(person),
        "sessions": UserSession.objects.filter(user=person).count() if person.is_active else 0,
        "by_password": person.has_usable_password(),
        "person": person,
    }
