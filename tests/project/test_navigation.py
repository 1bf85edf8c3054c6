"""The sidebar: every page it names is there, every list is in it, and it folds for who sees many pages."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils.text import capfirst

from apps.accounts.enums import Role
from mops.navigation import ALWAYS, BADGES, GROUPS, MANY, PAGE_FOR, sidebar
from tests.factories.accounts import administrator, person_with

ROOT = Path(__file__).parents[2]
NAMED = [*ALWAYS, *(page for _, pages in GROUPS for page in pages)]
# lists that are reached from the records they belong to
NOT_IN_THE_MENU: dict[str, str] = {
    "approvals.policyversion": "from its policy",
    "exchange.syncrun": "from its file source",
    "leads.poolmember": "from its pool",
    "technology.calendarfeed": "from the renewals",
    "technology.reviewitem": "from its review",
}


def kinds():
    return {target.rpartition("@")[2] for _, target, _ in NAMED if "." in target}


def test_every_page_that_the_menu_names_is_there():
    for _, target, _ in NAMED:
        page, _, kind = target.rpartition("@")
        if "." in kind:
            assert apps.get_model(kind) in admin.site._registry, f"{kind} has no page in the admin"
        else:
            page = kind
        if page:
            assert reverse(page)
    assert {*PAGE_FOR, *BADGES} <= {target for _, target, _ in NAMED}


def test_no_page_stands_twice_in_the_menu_and_no_two_bear_one_name():
    targets, titles = [target for _, target, _ in NAMED], [title for title, _, _ in NAMED]
    assert sorted(set(targets)) == sorted(targets)
    assert sorted(set(titles)) == sorted(titles)


def test_menu_and_page_say_one_name():
    lists = [(title, apps.get_model(target)) for title, target, _ in NAMED if "." in target and "@" not in target]
    assert {title: name for title, model in lists if (name := capfirst(model._meta.verbose_name_plural)) != title} == {}


def test_ways_through_the_menu_lead_to_pages_there_are():
    """“Access › Role requests” in a sentence or in the documentation is a group and a page of the menu."""
    pages = {group: [title for title, *_ in named] for group, named in GROUPS}
    way = re.compile(rf"\b({'|'.join(pages)}) (?:→|›) [*“]?((?!Add\b)[A-Z][\w/?-]*(?: [\w/?-]+)*)")
    files = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    files += [
        file for top in ("apps", "templates") for end in ("py", "html") for file in (ROOT / top).rglob(f"*.{end}")
    ]
    wrong = {
        f"{file.name}: {found[0]}"
        for file in files
        if "migrations" not in file.parts
        for found in way.finditer(file.read_text())
        if not any(found[2].startswith(title.split("(")[0].strip()) for title in pages[found[1]])
    }
    assert wrong == set()


def test_every_list_is_in_the_menu_or_says_where_it_is_reached():
    of_ours = {model._meta.label_lower for model in admin.site._registry if model.__module__.startswith("apps.")}
    assert of_ours - kinds() == set(NOT_IN_THE_MENU)


@pytest.mark.django_db
def test_groups_fold_for_who_sees_many_pages_alone(rf):
    def shown(person):
        request = rf.get("/admin/")
        request.user = person
        return sidebar(request)

    many, few = shown(administrator()), shown(person_with(Role.SALES))
    assert sum(len(group["items"]) for group in many[1:]) > MANY
    assert {group["collapsible"] for group in many[1:]} == {True}
    assert sum(len(group["items"]) for group in few[1:]) <= MANY
    assert {group["collapsible"] for group in few[1:]} == {False}
    assert [item["title"] for item in many[0]["items"]] == ["Home", "Notifications"]


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_no_page_in_the_menu_of_a_role_is_refused_to_it(client, rf, role):
    request = rf.get("/admin/")
    request.user = person_with(*([role] if role else []))
    of_their_own = {reverse(target.partition("@")[0]) for _, target, _ in NAMED if "@" in target or "." not in target}
    links = {str(item["link"]) for group in sidebar(request) for item in group["items"]} & of_their_own
    client.force_login(request.user)
    assert {link: status for link in links if (status := client.get(link).status_code) != 200} == {}


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_the_menu_of_every_role_is_drawn_whole(client, rf, role):
    request = rf.get("/admin/")
    request.user = person_with(*([role] if role else []))
    links = {str(item["link"]) for group in sidebar(request) for item in group["items"]}
    client.force_login(request.user)
    drawn = client.get("/admin/").content.decode()
    assert {link for link in links if f'href="{link}"' not in drawn} == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/admin/", ["Home"]),
        ("/admin/approvals/approvalrequest/", ["Approval requests"]),
        ("/admin/approvals/approvalrequest/7/change/", ["Approval requests"]),
        ("/admin/approvals/approvalrequest/inbox/", ["Inbox"]),
        ("/admin/campaigns/utm/drift/", ["Drift of UTM tags"]),
        ("/accounts/email/", []),
    ],
)
def test_the_menu_marks_the_one_page_that_is_open(rf, path, marked):
    request = rf.get(path)
    request.user = administrator()
    items = [item for group in sidebar(request) for item in group["items"]]
    assert [item["title"] for item in items if item["active"]] == marked
