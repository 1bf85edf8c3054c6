"""The pages of access that people ask for, record by record, and the doors that lead there."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.days import DayInput
from apps.core.admin_kit.doors import record_at, register_door
from apps.core.admin_kit.kits import Kit, register_kit
from apps.core.admin_kit.links import link_to
from apps.rights.admin.asked import AskedAdmin
from apps.rights.domain.asking_records import LARGEST, ask_access, refuse_ask, refuse_ask_about
from apps.rights.enums import Verb
from apps.rights.models import SHAREABLE, RecordRequest
from apps.rights.models.requests import KIND_CHOICES, KINDS

NUMBER_OR_ADDRESS = "Write the number of the record, or paste the address of its page."


class AskAccessForm(forms.Form):
    """Which record, to do what, until when and what for."""

    kind = forms.ChoiceField(choices=KIND_CHOICES, label="Kind of record")
    record = forms.CharField(max_length=300, label="Record", help_text=f"{NUMBER_OR_ADDRESS} An address says the kind.")
    verb = forms.ChoiceField(label="I need to", choices=Verb.choices)
    until = forms.DateField(
        required=False, widget=DayInput(), help_text="The last day you need it. Empty: until somebody revokes it."
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="What for",
        help_text="Read by whoever decides and reviews it.",
    )

    def clean(self) -> dict[str, Any]:
        """Turn the number, or the address, into a kind and a number; neither is looked up."""
        cleaned = super().clean() or {}
        typed = str(cleaned.pop("record", "")).strip()
        if not typed:
            return cleaned
        named = record_at(urlsplit(typed).path) if "/" in typed else (KINDS.get(cleaned.get("kind", "")), typed)
        model, key = named if named is not None else (None, "")
        if model is None or not (key.isascii() and key.isdecimal()) or not 0 < int(key[:20]) <= LARGEST:
            self.add_error("record", NUMBER_OR_ADDRESS)
        cleaned |= {"model": model, "number": int(key[:20]) if key.isdecimal() else 0}
        cleaned.pop("kind", None)
        return cleaned


ASK = Button(
    "ask",
    "Ask for access",
    ask_access,
    lambda user, _: refuse_ask(user),
    confirm="Whom the policy names decides; nobody decides about access of their own. Until then nothing changes. "
    "The answer here is the same whether there is such a record or not.",
    style="primary",
)


@admin.register(RecordRequest)
class RecordRequestAdmin(AskedAdmin):
    """Access to single records that people asked for."""

    list_display = ("wanted", "verb", "asked_by", "standing", "created_at", "until")
    list_filter = ("state", "kind", "verb")
    search_fields = ("reason", "asked_by__full_name", "asked_by__email")
    fields = ("wanted", "verb", "until", "reason", "standing", "asked_by", "owner", "created_at", "record", "grant")
    readonly_fields = ("wanted", "record", "standing")
    empty_state = "Nobody has asked for a record yet. “Add” asks for one, by the address of its page."
    ask = ASK
    ask_for = AskAccessForm
    ask_title = "Ask for access to a record"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load who asked with the rows."""
        return super().get_queryset(request).select_related("asked_by")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Keep the link to the record for those who see the record; to others the page says what was asked alone."""
        seen = obj is not None and access.visible(request.user, obj.model).filter(pk=obj.number).exists()  # type: ignore[arg-type]
        empty = {name for name in ("owner", "grant", "until") if obj is not None and getattr(obj, name) is None}
        return [name for name in self.fields if name not in empty | (set() if seen else {"record"})]

    @display(description="Record asked for", ordering="number")
    def wanted(self, row: RecordRequest) -> str:
        """Its kind and number: the name is for those who see it."""
        return f"{row.get_kind_display()} no. {row.number}"

    @display(description="The record")
    def record(self, row: RecordRequest) -> str:
        """The record itself, with the way to it."""
        return link_to(row.record)


def asking_url(model: type[models.Model], number: int, verb: str) -> str:
    """Return the page that asks for a record, with the record filled in."""
    query = urlencode({"kind": model._meta.label_lower, "record": str(number), "verb": verb})
    return f"{reverse('admin:rights_recordrequest_add')}?{query}"


def door(person: Any, model: type[models.Model], number: int) -> str:
    """Return where a person asks for a record of a shareable kind that did not open, "" for other kinds."""
    if model not in SHAREABLE or refuse_ask(person) is not None or not 0 < number <= LARGEST:
        return ""
    return asking_url(model, number, Verb.VIEW)


class AskKit(Kit):
    """“You can look at this; ask to change it.” above every shareable record that is read-only for whoever looks."""

    key = "ask-access"
    order = 5

    def applies(self, model_admin: Any) -> bool:
        """Records of shareable kinds carry it without naming it."""
        return model_admin.model in SHAREABLE

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Link to asking, for who sees the record and may not change it."""
        person: Any = request.user
        if refuse_ask_about(person, thing) is not None:
            return ()
        url = asking_url(type(thing), thing.pk, Verb.CHANGE)
        return ({"template": "admin/rights/ask_access.html", "above": True, "url": url},)


register_door(door)
register_kit(AskKit())
