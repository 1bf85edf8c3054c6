"""Nothing goes around `apps.core.access`: pages start from `visible`, nobody else asks for permissions.

Read from the syntax trees of the product. What is allowed all the same stands below with its reason; an entry that
nothing needs any more fails, too.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

from apps.core.governed import GovernedBase

ROOT = Path(__file__).resolve().parent.parent.parent
SURFACES = re.compile(r"(^|/)(admin|views|panels|panel|api|tables|context)(\.py$|/)")
KEEPERS = ("apps/core/access.py", "apps/rights/")
MANAGERS = {"objects", "_default_manager", "_base_manager", "history"}
ASKING = {"has_perm", "has_perms", "has_module_perms", "get_all_permissions", "get_group_permissions"}

# file::function → why a page may start from something else than `visible`
NARROWS = "a condition that narrows rows which already come from visible; it names none by itself"
HANGS_ON = "rows that hang on a record which the view has fetched through visible before"
OWN = "rows of the person who is signed in, and nobody else's"
COLUMNS = "the list of this kind itself: started by super().get_queryset(), which asks visible"
OFFERED = "what every reader of this page may choose from; the operation behind it asks for the right"
ROWS_ALLOWED: dict[str, str] = {
    "apps/campaigns/admin/asking.py::ask_page": OWN,
    "apps/campaigns/admin/asking.py::request_page": OWN,
    "apps/campaigns/admin/campaign_panels.py::_checklist": HANGS_ON,
    "apps/campaigns/admin/campaign_panels.py::_tasks": HANGS_ON,
    "apps/campaigns/admin/intake.py::AcceptForm": OFFERED,
    "apps/campaigns/admin/templates.py::set_up_form.SetUpForm": OFFERED,
    "apps/content/admin/versions.py::distribution_form": OFFERED,
    "apps/core/rules/admin/documents.py::RuleDocumentAdmin.get_queryset": COLUMNS,
    "apps/leads/admin/forms.py::": OFFERED,
    "apps/processes/admin/automations.py::AutomationAdmin.get_queryset": COLUMNS,
    "apps/processes/admin/handbook.py::templates_page": "says which template is in use already",
    "apps/processes/admin/register.py::ProcessAdmin.get_queryset": COLUMNS,
    "apps/processes/admin/register.py::ProcessRoleAdmin.get_queryset": COLUMNS,
    "apps/processes/admin/steps.py::steps_page": OFFERED,
    "apps/technology/admin/data.py::DataEntityAdmin.get_queryset": COLUMNS,
    "apps/technology/admin/data.py::_defined": "the approved text of an entity or field that the list has from visible",
    "apps/technology/admin/evaluation_forms.py::EvaluationForm.__init__": OFFERED,
    "apps/technology/admin/evaluation_forms.py::people_form": OFFERED,
    "apps/tickets/admin/forms.py::AssignForm": OFFERED,
    "apps/tickets/admin/forms.py::DeskForm": OFFERED,
    "apps/tickets/admin/forms.py::ProblemForm": OFFERED,
    "apps/tickets/admin/forms.py::TicketField.clean": "tells people of the desk alone whether a number exists",
    "apps/tickets/admin/forms.py::types_to_ask": OFFERED,
    "apps/tickets/admin/incidents.py::CompareForm.__init__": OFFERED,
    "apps/tickets/admin/knowledge.py::_suggest_page": OFFERED,
    "apps/tickets/admin/portal.py::ask_page": OFFERED,
    "apps/tickets/admin/tickets.py::TicketAdmin.reply_view": OFFERED,
    "apps/accounts/admin/filters.py::RoleFilter.queryset": NARROWS,
    "apps/accounts/admin/filters.py::TeamFilter.lookups": "names of teams in the list of people; its readers see teams",
    "apps/accounts/admin/filters.py::TeamFilter.queryset": NARROWS,
    "apps/accounts/admin/panels.py::_alone_in": HANGS_ON,
    "apps/accounts/admin/panels.py::held_roles": HANGS_ON,
    "apps/accounts/admin/panels.py::members": HANGS_ON,
    "apps/accounts/admin/people.py::UserAdmin.get_queryset": COLUMNS,
    "apps/accounts/admin/people.py::_without_role": NARROWS,
    "apps/accounts/admin/roles_page.py::roles_page": "how many play a role, and one's own roles: no row is named",
    "apps/accounts/views.py::my_account": OWN,
    "apps/core/attachments/views.py::AttachmentsKit.companions": HANGS_ON,
    "apps/core/attachments/views.py::AttachmentsKit.panels": HANGS_ON,
    "apps/core/attachments/views.py::_found": HANGS_ON,
    "apps/core/workspace/admin/custom_fields.py::CustomFieldFilter.queryset": NARROWS,
    "apps/core/workspace/admin/custom_fields.py::CustomFieldsKit.companions": HANGS_ON,
    "apps/core/workspace/admin/custom_fields.py::CustomFieldsKit.panels": HANGS_ON,
    "apps/core/workspace/admin/custom_fields.py::edit_values": HANGS_ON,
    "apps/core/workspace/admin/notes.py::NotesKit.panels": HANGS_ON,
    "apps/core/workspace/admin/notes.py::correct_note": HANGS_ON,
    "apps/core/workspace/admin/tags.py::TagFilter.lookups": "the words of tags, which everybody who tags sees",
    "apps/core/workspace/admin/tags.py::TagFilter.queryset": NARROWS,
    "apps/core/workspace/admin/tags.py::TagsKit.annotate": NARROWS,
    "apps/core/workspace/admin/tags.py::TagsKit.companions": HANGS_ON,
    "apps/core/workspace/admin/tags.py::take_off": HANGS_ON,
    "apps/technology/admin/money.py::CostLineAdmin.change_view": HANGS_ON,
    "apps/technology/admin/money.py::StackPolicyAdmin.has_add_permission": "whether there is one: no row is named",
    "apps/rights/admin/explain_page.py::QuestionForm.__init__": "oneself; everybody for administrators and auditors",
    "apps/rights/admin/then_page.py::ThenForm.__init__": "oneself; everybody for administrators and auditors",
}
# file::function → why it may ask for a permission by itself
BEYOND = "a right of its own beyond view, add, change and delete, asked by the operation that it opens"
SCOPE = "the scope that access.visible asks for this kind: overseeing is a right beyond viewing"
ASKING_ALLOWED: dict[str, str] = {
    "apps/approvals/domain/emergencies.py::refuse_emergency": BEYOND,
    "apps/approvals/domain/emergencies.py::refuse_review": BEYOND,
    "apps/approvals/domain/reseating.py::refuse_reseating": BEYOND,
    "apps/audit/admin/desk_kit.py::LedgerKit.panels": BEYOND,
    "apps/audit/admin/ledger.py::_entry_panel": BEYOND,
    "apps/audit/domain/evidence.py::refuse_evidence": BEYOND,
    "apps/audit/domain/personal.py::erase_subject": BEYOND,
    "apps/audit/domain/personal.py::export_subject": BEYOND,
    "apps/audit/domain/personal.py::refuse_erase": BEYOND,
    "apps/audit/domain/personal.py::values_behind": BEYOND,
    "apps/audit/domain/reading.py::changes_of": BEYOND,
    "apps/audit/domain/retention.py::purge_month": BEYOND,
    "apps/audit/domain/retention.py::refuse_purge": BEYOND,
    "apps/core/admin_kit/home.py::overdue_panel": "whether a box on the home page is drawn; its rows are one's own",
    "apps/core/notifications/domain/delivering.py::refuse_resend": BEYOND,
    "apps/core/notifications/scopes.py::_deliveries": SCOPE,
    "apps/core/notifications/scopes.py::_stored_mail": SCOPE,
    "apps/leads/admin/home.py::my_leads_panel": "whether an empty box is drawn; its rows come from visible",
    "apps/leads/permissions.py::by_both.narrowed": SCOPE,
    "apps/leads/permissions.py::by_handoff": SCOPE,
    "apps/leads/permissions.py::by_lead": SCOPE,
    "apps/leads/permissions.py::visible_leads": SCOPE,
    "apps/processes/permissions.py::by_process.scope": SCOPE,
    "apps/processes/permissions.py::of_process_or_whole": SCOPE,
    "apps/processes/permissions.py::visible_processes": SCOPE,
}


@cache
def governed():
    return {model.__name__ for model in apps.get_models() if issubclass(model, GovernedBase)}


def modules(pattern=None):
    for folder in ("apps", "mops"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and (pattern is None or pattern.search(name)):
                yield name, ast.parse(path.read_text())


def places(tree):
    """Every node with the name of the function or class it stands in."""

    def walk(node, inside):
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            below = ".".join(filter(None, (inside, child.name))) if named else inside
            yield child, below
            yield from walk(child, below)

    return walk(tree, "")


def around_rows():
    """Where a page takes rows of a governed kind from their manager."""
    found = {}
    for name, tree in modules(SURFACES):
        for node, inside in places(tree):
            taken = isinstance(node, ast.Attribute) and node.attr in MANAGERS and isinstance(node.value, ast.Name)
            if taken and node.value.id in governed() and node not in empty_ones(tree):
                found.setdefault(f"{name}::{inside}", []).append(node.lineno)
    return found


@cache
def empty_ones(tree):
    """The managers that are asked for no row at all: `Model.objects.none()`."""
    return {
        node.func.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "none"
    }


def around_questions():
    """Where something else than the keepers asks for a permission, or uses guardian."""
    found = {}
    for name, tree in modules():
        if name.startswith(KEEPERS):
            continue
        for node, inside in places(tree):
            asks = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKING
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if asks or any((each or "").split(".")[0] == "guardian" for each in (module, *names)):
                found.setdefault(f"{name}::{inside}", []).append(node.lineno)
    return found


def test_pages_start_from_visible():
    found = around_rows()
    new = {place: lines for place, lines in found.items() if place not in ROWS_ALLOWED}
    assert new == {}, "start from access.visible(person, Model), or say in ROWS_ALLOWED why not"
    assert set(ROWS_ALLOWED) - set(found) == set(), "nothing needs these entries any more"


def test_permissions_are_asked_by_access_alone():
    found = around_questions()
    new = {place: lines for place, lines in found.items() if place not in ASKING_ALLOWED}
    assert new == {}, "ask access.can or access.has_model_permission, or say in ASKING_ALLOWED why not"
    assert set(ASKING_ALLOWED) - set(found) == set(), "nothing needs these entries any more"


# templates that ask whether to draw a link; the page behind it asks again
LINKS = {"people_before.html", "news_panel.html", "incidents_before.html"}


def test_templates_ask_for_no_permission():
    pattern = re.compile(r"\{[%{][^}]*\bperms\.")
    folders = [ROOT / "templates", *(ROOT / "apps").rglob("templates")]
    asking = [path for folder in folders for path in folder.rglob("*.html") if pattern.search(path.read_text())]
    assert {path.name for path in asking} == LINKS


@pytest.mark.parametrize("allowed", [ROWS_ALLOWED, ASKING_ALLOWED], ids=["rows", "asking"])
def test_every_exception_has_a_reason(allowed):
    assert all(len(reason) > 20 for reason in allowed.values())


def test_the_rule_sees_what_it_forbids(tmp_path, monkeypatch):
    page = "def page(request):\n    return Tool.objects.all(), Tool.objects.none(), request.user.has_perm('x.y')\n"
    folder = tmp_path / "apps" / "new" / "admin"
    folder.mkdir(parents=True)
    (tmp_path / "mops").mkdir()
    (folder / "pages.py").write_text(f"from guardian.shortcuts import assign_perm\n{page}")
    monkeypatch.setattr("tests.project.test_access_is_the_only_way.ROOT", tmp_path)
    assert around_rows() == {"apps/new/admin/pages.py::page": [3]}
    assert around_questions() == {"apps/new/admin/pages.py::": [1], "apps/new/admin/pages.py::page": [3]}
