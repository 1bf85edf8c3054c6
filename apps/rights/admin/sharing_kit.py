"""“Shared with” on the page of every shareable record: who has it, share it, stop sharing it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.core import access
from apps.core.admin_kit.buttons import ReasonForm
from apps.core.admin_kit.days import DayInput
from apps.core.admin_kit.kits import Call, Kit, Verb, ask, record_url, register_kit, submit
from apps.core.admin_kit.step_up import ask_for_recent_authentication
from apps.core.errors import NotAllowed
from apps.rights.admin.pickers import let_type
from apps.rights.domain.granting import grant_access, refuse_revoke, refuse_share, revoke_access
from apps.rights.domain.queries import grants_on
from apps.rights.enums import Verb as May
from apps.rights.models import SHAREABLE, AccessGrant

KEY = "sharing"


class ShareForm(forms.Form):
    """Whom to share a record with, for what, until when and why."""

    person = forms.ModelChoiceField(
        User.objects.none(), required=False, help_text="One of the three: a person, a team or a role."
    )
    team = forms.ModelChoiceField(Team.objects.none(), label="or everybody in", required=False, empty_label="no team")
    role = forms.ChoiceField(label="or every", required=False, choices=[("", "no role"), *Role.choices])
    verb = forms.ChoiceField(label="They may", choices=May.choices)
    until = forms.DateField(
        label="Until",
        required=False,
        widget=DayInput(),
        help_text="The last day. Empty: until somebody revokes it.",
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Whoever reviews the grant later must understand it.",
    )

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        """Offer whom `by` may know of: people, teams and roles, never `by`."""
        super().__init__(*args, **kwargs)
        people = access.visible(by, User).filter(is_active=True, is_system=False, archived_at=None).exclude(pk=by.pk)
        let_type(self, "person", people, by=by)
        self.fields["team"].queryset = access.visible(by, Team).filter(archived_at=None)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Turn the three fields into the one principal that a grant goes to."""
        cleaned = super().clean() or {}
        chosen = [cleaned.pop(name, None) for name in ("person", "team", "role")]
        named = [each for each in chosen if each]
        if len(named) != 1 and not self.errors:
            self.add_error("person", "Choose one person, one team or one role; make one grant for each.")
        cleaned["to"] = Role(named[0]) if named and isinstance(named[0], str) else (named or [None])[0]
        return cleaned


def _end_of(day: dt.date | None) -> dt.datetime | None:
    """The grant holds for the whole last day, in the zone of whoever gives it."""
    if day is None:
        return None
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min)) + dt.timedelta(days=1)


def share(call: Call) -> HttpResponseBase | str:
    """Ask whom to share the record with, or share it."""
    if refused := refuse_share(call.person, call.thing):
        raise NotAllowed(refused)
    ask_for_recent_authentication(call.request)
    form = ShareForm(call.person, call.request.POST if call.request.method == "POST" else None)

    def carry_out(*, to: Any, verb: str, until: dt.date | None, reason: str) -> str:
        grant = grant_access(call.thing, to=to, verb=verb, by=call.person, reason=reason, expires_at=_end_of(until))
        return f"Shared with {grant.principal_label}."

    if call.request.method == "POST" and (said := submit(call, form, carry_out)) is not None:
        return said
    lead = "They see this record, its history and its files, on every page, search and export. You can revoke it."
    return ask(call, form, title=f"Share {call.thing}", label="Share", lead=lead)


def stop(call: Call) -> HttpResponseBase | str:
    """Ask why a grant ends, or end it."""
    grant = grants_on(call.thing, seen_by=call.person).filter(pk=int(call.item) if call.item.isdecimal() else 0).first()
    if grant is None:
        raise Http404
    if refused := refuse_revoke(call.person, grant):
        raise NotAllowed(refused)
    ask_for_recent_authentication(call.request)
    form = ReasonForm(call.request.POST if call.request.method == "POST" else None)

    def carry_out(*, reason: str) -> str:
        return revoke_access(grant, by=call.person, reason=reason)

    if call.request.method == "POST" and (said := submit(call, form, carry_out)) is not None:
        return said
    lead = f"What this opens for {grant.principal_label} is refused from the next request on."
    return ask(call, form, title=f"Stop sharing {call.thing}", label="Revoke", lead=lead, style="danger")


class SharingKit(Kit):
    """Grants on single records."""

    key = KEY
    order = 60
    record_verbs: ClassVar[dict[str, Verb]] = {
        "grant": Verb(share, methods=("GET", "POST")),
        "revoke": Verb(stop, methods=("GET", "POST")),
    }

    def applies(self, model_admin: Any) -> bool:
        """Records of shareable kinds carry it without naming it."""
        return model_admin.model in SHAREABLE

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Show the grants a person may know of, with what they may do about them."""
        person: Any = request.user
        grants: list[AccessGrant] = list(grants_on(thing, seen_by=person))
        may_share = refuse_share(person, thing) is None
        if not grants and not may_share:
            return ()
        rows = [
            {
                "grant": each,
                "revoke": ""
                if refuse_revoke(person, each)
                else record_url(model_admin, thing, KEY, "revoke", str(each.pk)),
            }
            for each in grants
        ]
        add = record_url(model_admin, thing, KEY, "grant") if may_share else ""
        return ({"template": "admin/rights/sharing.html", "rows": rows, "add": add},)


register_kit(SharingKit())
