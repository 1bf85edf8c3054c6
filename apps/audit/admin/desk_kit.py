"""The ways to the auditor's desk: from the ledger's list, and from every record to its timeline."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from unfold.views import ChangeList

from apps.accounts.models import User
from apps.audit.admin.searching import named_in
from apps.audit.domain.evidence import refuse_evidence
from apps.audit.domain.finding import MOST, Named
from apps.core import access
from apps.core.admin_kit.kits import Kit, register_kit
from apps.core.governed import GovernedBase

SHOWN = 8  # names above the list


def timeline_url(**query: Any) -> str:
    """Return the address of a timeline: `person=7`, or `kind="technology_tool", record=7`."""
    return f"{reverse('admin:audit_auditevent_timeline')}?{urlencode(query)}"


class DeskKit(Kit):
    """Above the ledger's list: its timeline, evidence, coverage."""

    key = "desk"

    def strips(self, model_admin: Any, request: HttpRequest, changelist: ChangeList) -> Sequence[dict[str, Any]]:
        """Return the links, for the filter as it stands."""
        person: Any = request.user
        query = request.GET.urlencode()
        strip: dict[str, Any] = {
            "template": "admin/audit/desk_strip.html",
            "coverage": reverse("admin:audit_auditevent_coverage"),
            "evidence": reverse("admin:audit_auditevent_evidence") + (f"?{query}" if query else ""),
            "may_export": refuse_evidence(person) is None,
        }
        whose = request.GET.get("actor__id__exact") or request.GET.get("person") or ""
        if names := named_in(request, changelist.query):
            strip |= {"named": _named(names), "crowded": names.crowded, "most": MOST}
        kind, record = request.GET.get("table_name", ""), request.GET.get("object_id", "")
        if whose.isdecimal() and (found := access.visible(person, User).filter(pk=whose).first()) is not None:
            strip |= {"person": found, "timeline": timeline_url(person=whose)}
        elif kind and record:
            strip |= {"timeline": timeline_url(kind=kind, record=record)}
        return [strip]


def _named(found: Named) -> dict[str, Any]:
    links = [
        {
            "kind": each.kind,
            "name": each.name,
            "url": timeline_url(person=each.key)
            if each.table == User._meta.db_table
            else timeline_url(kind=each.table, record=each.key),
        }
        for each in found.bearers[:SHOWN]
    ]
    return {"links": links, "others": len(found.bearers) - len(links)}


class LedgerKit(Kit):
    """Below every governed record: the way to what the ledger has of it."""

    key = "ledger-link"
    order = 98

    def applies(self, model_admin: Any) -> bool:
        """Every governed record has it without naming it."""
        return issubclass(model_admin.model, GovernedBase)

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Link to the timeline, for people who may read the ledger."""
        person: Any = request.user
        if not person.has_perm("audit.view_auditevent"):
            return ()
        if isinstance(thing, User):
            links = [{"says": "What this person did, and what was done to them", "url": timeline_url(person=thing.pk)}]
        else:
            url = timeline_url(kind=thing._meta.db_table, record=thing.pk)
            links = [{"says": "Everything that happened to this record", "url": url}]
        return ({"template": "admin/audit/ledger_link.html", "links": links},)


register_kit(DeskKit())
register_kit(LedgerKit())
