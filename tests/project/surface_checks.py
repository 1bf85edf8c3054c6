"""What each surface of a kind of record shows to one person, held to the oracle; and what could change a row."""

import json
from functools import cache

from django.contrib import admin
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.core.exchange.models import ExportRun
from tests.project.surface_oracle import ALL_GOVERNED, grants

REFUSED = (302, 400, 403, 404, 405, 409)  # 409: refused, what was typed is shown to be copied
CLOSED = (302, 403, 404)


def url(model, page, *args, **kwargs):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args, kwargs=kwargs or None)


def is_exportable(model):
    return getattr(admin.site._registry[model], "exportable", True)


@cache
def source_of(model):
    """A field whose form proposes rows of this kind, None where no form does."""
    found = (each for each in model._meta.get_fields(include_hidden=True) if each.auto_created and not each.concrete)
    own = [each.field for each in found if each.field.model in admin.site._registry]
    return own[0] if own and admin.site._registry[model].search_fields else None


def proposals(client, model, term=""):
    """The keys that a form's box proposes, None where it refuses."""
    field = source_of(model)
    opts = field.model._meta
    given = {"app_label": opts.app_label, "model_name": opts.model_name, "field_name": field.name, "term": term}
    answer = client.get(reverse("admin:autocomplete"), given)
    if answer.status_code in CLOSED:
        return None
    assert answer.status_code == 200
    return {int(each["id"]) for each in answer.json()["results"]}


def writing(model, thing):
    """The addresses that change something, by surface."""
    model_admin = admin.site._registry[model]
    names = [button.name for button in model_admin.buttons]
    kits = (("tags", "add"), ("notes", "write"), ("custom-fields", "edit"), ("attachments", "attach"))
    kits = (*kits, ("sharing", "grant"), ("view-as", "start"))
    return [
        url(model, "change", thing.pk),
        url(model, "delete", thing.pk),
        url(model, "history", thing.pk),
        f"{url(model, 'changelist')}add/",
        *(url(model, "button", object_id=thing.pk, name=name) for name in names),
        *(url(model, "kit", object_id=thing.pk, kit=kit, verb=verb) for kit, verb in kits),
    ]


def palette(client, thing):
    answer = client.get(reverse("admin:search"), {"s": str(thing)[:40], "extended": "1"})
    return url(type(thing), "change", thing.pk) in answer.content.decode()


def events():
    return AuditEvent.objects.exclude(table_name__in=("accounts_user",)).count()


FORGED = {
    **dict.fromkeys(("name", "title", "reason", "note", "text", "tag", "body"), "Forged"),
    "role": "sales",
    "verb": "change",
    "confirm": "yes",
    "post": "yes",
    "row_version": "0",
}


def unsafe(client, model, thing):
    """Send everything that could change the row, and say what the ledger has seen."""
    before = events()
    for address in writing(model, thing):
        assert client.post(address, FORGED).status_code in (*REFUSED, 200), address
    client.post(url(model, "changelist"), {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"})
    return events() - before


def check_list(model, right):
    """The list, its counts and, where it shows a part, those beside its filters show what is seen, nothing else."""
    seen, address = right.seen(model), url(model, "changelist")
    partly = model._base_manager.count() > len(seen)
    answer = right.client.get(address, {"archived": "all", **({"_facets": "True"} if partly else {})})
    if not right.opens(model):
        assert answer.status_code in CLOSED
        return
    assert answer.status_code == 200
    shown = answer.context_data["cl"]
    assert shown.result_count == len(seen)
    assert {each.pk for each in shown.result_list} <= seen
    for spec in shown.filter_specs if partly else ():
        counts = spec.get_facet_queryset(shown) if hasattr(spec, "get_facet_queryset") else {}
        assert max(counts.values(), default=0) <= len(seen), spec.title


def check_search(model, right, outside):
    """What is not seen is found by no search, no lookup, no proposal and not by the palette."""
    address, thing = url(model, "changelist"), model._base_manager.get(pk=outside)
    for asked in ({"q": str(thing)[:40]}, {"id__exact": outside}, {"pk__in": outside}):
        answer = right.client.get(address, {"archived": "all", **asked})
        assert answer.status_code in (*REFUSED, 200), asked
        if answer.status_code == 200:
            assert right.opens(model)
            assert outside not in {each.pk for each in answer.context_data["cl"].result_list}, asked
    if admin.site._registry[model].in_palette:
        assert not palette(right.client, thing)
    if source_of(model) is not None:
        assert outside not in (proposals(right.client, model, str(thing)[:40]) or set())


def check_proposals(model, right):
    """A form's box proposes what is seen, and asks the right to see the kind."""
    if source_of(model) is not None:
        found = proposals(right.client, model)
        assert (found is not None) == right.opens(model)
        assert (found or set()) <= right.seen(model)


def check_page(model, right, inside):
    """The page of a row that is seen opens with its history, offers no deletion, and with the inlines of the role."""
    answer = right.client.get(url(model, "change", inside))
    assert answer.status_code == 200
    for formset in answer.context_data.get("inline_admin_formsets") or ():
        child = formset.opts.model
        if child in ALL_GOVERNED:
            assert right.opens(child), child
            assert {form.original.pk for form in formset if form.original} <= right.seen(child)
    assert right.client.get(url(model, "history", inside)).status_code == 200
    answer = right.client.get(url(model, "versions", inside), {"at": "2999-01-01T00:00"})
    assert answer.status_code == 200
    assert right.client.get(url(model, "delete", inside)).status_code in REFUSED


def check_closed(model, right, outside):
    """No page of a row that is not seen opens, and no refusal tells what the row is called."""
    name = str(model._base_manager.get(pk=outside))
    now = {"at": "2999-01-01T00:00"}
    for page in ("change", "history", "versions", "delete"):
        answer = right.client.get(url(model, page, outside), now if page == "versions" else {})
        assert answer.status_code in CLOSED, page
        assert len(name) < 8 or name not in answer.content.decode(), page


def check_export(model, right):
    """A file holds what the list shows, for those who may take files out."""
    if not is_exportable(model):
        return
    address = url(model, "list_kit", kit="exchange", verb="export") + "?archived=all"
    asked = right.client.get(address)
    if not right.opens(model) or not grants(right.role, ExportRun, "add"):
        assert asked.status_code in REFUSED
        return
    assert asked.status_code == 200
    columns = [name for name, _ in asked.context_data["form"].fields["columns"].choices]
    answer = right.client.post(address, {"format": "json", "columns": columns[-1:]})
    assert len(json.loads(b"".join(answer.streaming_content))) == len(right.seen(model))
