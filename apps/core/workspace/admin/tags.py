"""Tags: the list of words, the chips on a record's page, the filter and the column of every taggable list."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models.functions import Concat
from django.http import Http404, HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.bulk import for_many
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.history import Companion, Version
from apps.core.admin_kit.kits import Call, Kit, Rows, Verb, record_url, register_kit
from apps.core.governed import GovernedBase
from apps.core.records import kind_of
from apps.core.workspace.domain import tagging
from apps.core.workspace.enums import Colour
from apps.core.workspace.models import Tag, TaggedRecord

KEY = "tags"
PARAMETER = "tag"
ANNOTATION = "mops_tags"
MOST_PROPOSED = 300


@admin.register(Tag)
class TagAdmin(MopsAdmin):
    """The words that records are tagged with."""

    list_display = ("chip", "description", "used")
    list_display_links = ("chip",)
    list_filter = ("colour",)
    search_fields = ("name", "description")
    fields = ("name", "colour", "description")
    buttons = ARCHIVE_BUTTONS
    kits = ()
    empty_state = "No tag yet. Tags group records across lists: make some here, or type them on a record's page."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count how often each is used."""
        rows: Rows = super().get_queryset(request).annotate(uses_count=models.Count("uses"))
        return rows

    @display(description="tag", ordering="name")
    def chip(self, tag: Tag) -> str:
        """Show the tag as it looks on records."""
        return chip_of(tag.colour, tag.name)

    @display(description="used on", ordering="uses_count")
    def used(self, tag: Any) -> str:
        """Tell on how many records it stands."""
        return f"{tag.uses_count} record{'' if tag.uses_count == 1 else 's'}"


class TagFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """Records that carry one tag."""

    title = "tag"
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Offer the tags that stand on records of this kind."""
        used = TaggedRecord.objects.about_model(model_admin.model).values("tag")
        return [(str(pk), name) for pk, name in Tag.objects.filter(pk__in=used).values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Keep the records with the tag; what is no tag keeps none."""
        if not (wanted := self.value()):
            return queryset
        if not wanted.isascii() or not wanted.isdecimal() or len(wanted) > len(str(2**62)):
            return queryset.none()
        tagged = TaggedRecord.objects.about_model(queryset.model).filter(tag=int(wanted))
        return queryset.filter(pk__in=tagged.values("object_id"))


@display(description="tags")
def tags_column(row: Any) -> str:
    """Show the tags of a row, loaded with it."""
    pairs = sorted((each.split(":", 1) for each in getattr(row, ANNOTATION, ())), key=lambda pair: pair[1].casefold())
    chips = format_html_join(" ", "{}", ((chip_of(colour, name),) for colour, name in pairs))
    return format_html('<span class="mops-tags">{}</span>', chips)


def chip_of(colour: str, name: str) -> str:
    """Return a tag as people see it."""
    known = colour if colour in Colour.values else Colour.GREY.value
    return format_html('<span class="mops-tag mops-tag-{}">{}</span>', known, name)


def add_tags(call: Call) -> str:
    """Put the typed tags on the record."""
    added = tagging.tag_record(call.thing, tagging.split_names(call.request.POST.get("names", "")), by=call.person)
    names = ", ".join(str(tag) for tag in added)
    return f"Tagged with {names}." if names else "The record has these tags already."


def take_off(call: Call) -> str:
    """Take one tag off the record."""
    tag = Tag.objects.filter(pk=int(call.item)).first() if call.item.isdecimal() and len(call.item) < 19 else None
    if tag is None:
        raise Http404
    tagging.untag_record(call.thing, tag, by=call.person)
    return f"{tag} is off {call.thing}."


class TagsForm(forms.Form):
    """Asks which tags."""

    tags = forms.CharField(
        max_length=400, help_text="Several separated by commas.", widget=UnfoldAdminTextInputWidget()
    )


def _tag(record: GovernedBase, *, by: Any, tags: str) -> None:
    tagging.tag_record(record, tagging.split_names(tags), by=by)


def _untag(record: GovernedBase, *, by: Any, tags: str) -> None:
    tagging.untag_named(record, tagging.split_names(tags), by=by)


_MANY = (
    (
        "many_tag",
        for_many(Button("tag", "Add tags", _tag, tagging.refuse_tagging, form=TagsForm)),
        "Tag the chosen rows",
    ),
    (
        "many_untag",
        for_many(Button("untag", "Take tags off", _untag, tagging.refuse_tagging, form=TagsForm)),
        "Take tags off the chosen rows",
    ),
)


class TagsKit(Kit):
    """Tags on records whose admin class is declared taggable."""

    key = KEY
    order = 10
    record_verbs: ClassVar[dict[str, Verb]] = {"add": Verb(add_tags), "remove": Verb(take_off)}

    def applies(self, model_admin: Any) -> bool:
        """Whether this admin class is declared taggable."""
        return bool(model_admin.taggable) and issubclass(model_admin.model, GovernedBase)

    def filters(self, model_admin: Any, request: HttpRequest) -> Sequence[Any]:
        """Offer the filter."""
        return (TagFilter,)

    def columns(self, model_admin: Any, request: HttpRequest) -> Sequence[Any]:
        """Show the tags in the list."""
        return (tags_column,)

    def annotate(self, model_admin: Any, request: HttpRequest, rows: Rows) -> Rows:
        """Load the tags with the rows."""
        on_row = TaggedRecord.objects.filter(content_type=kind_of(rows.model), object_id=models.OuterRef("pk"))
        coloured = on_row.order_by().values_list(
            Concat("tag__colour", models.Value(":"), "tag__name", output_field=models.TextField())
        )
        tagged: Rows = rows.annotate(**{ANNOTATION: ArraySubquery(coloured)})
        return tagged

    def actions(self, model_admin: Any, request: HttpRequest) -> dict[str, tuple[Any, str, str]]:
        """Offer to tag the chosen rows, and to take tags off them."""
        user: Any = request.user
        if not (
            model_admin.has_change_permission(request) and access.has_model_permission(user, "change", TaggedRecord)
        ):
            return {}
        return {name: (act, name, label) for name, act, label in _MANY}

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Show the chips to whoever may see tags, with a form for whoever may tag."""
        user: Any = request.user
        if not access.has_model_permission(user, "view", Tag):
            return ()
        may_write = tagging.refuse_tagging(user, thing) is None
        opts = model_admin.opts
        on_it, known = tagging.tags_around(thing, most=MOST_PROPOSED)
        chips = [
            {"tag": tag, "remove": record_url(model_admin, thing, KEY, "remove", str(tag.pk)) if may_write else ""}
            for tag in on_it
        ]
        if not chips and not may_write:
            return ()
        panel = {
            "template": "admin/mops/tags.html",
            "above": True,
            "chips": chips,
            "list": f"admin:{opts.app_label}_{opts.model_name}_changelist",
            "add": record_url(model_admin, thing, KEY, "add") if may_write else "",
            "known": known if may_write else (),
        }
        return (panel,)

    def companions(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[Companion]:
        """Put tags that came and went into the record's history."""
        user: Any = request.user
        if not access.has_model_permission(user, "view", Tag):
            return ()
        names = dict(Tag.objects.values_list("pk", "name"))

        def describe(row: Any, before: Any) -> Version:
            what = "Tag taken off" if row.history_type == "-" else "Tagged"
            return Version(row, (), f"{what}: {names.get(row.tag_id, '?')}")

        return (Companion(TaggedRecord.history.filter(content_type=kind_of(thing), object_id=thing.pk), describe),)


register_kit(TagsKit())
