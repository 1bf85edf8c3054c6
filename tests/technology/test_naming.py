"""Naming rules: what fits, what is wrong, how it would be right; never an invented part."""

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput
from apps.technology.domain import name_trials
from apps.technology.domain.name_checks import check_name, checker
from apps.technology.domain.name_trials import dry_run, names_of, register_names
from apps.technology.domain.naming import compile_rule, compose, judge, parts, suggest
from apps.technology.models import NamingRule
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories import technology as make
from tests.factories.accounts import person_with

pytestmark = pytest.mark.django_db
TOKENS = {
    "region": {"kind": "choice", "values": ["dach", "uk", "uk-ie"]},
    "month": {"kind": "date", "form": "YYYYMM"},
}
RULE = compile_rule("{region}_{name}_{month}", TOKENS, lower_case=True, longest=40)


@pytest.mark.parametrize("name", ["dach_webinar_202611", "uk-ie_big-launch_202601"])
def test_a_name_that_fits_has_no_problem(name):
    assert judge(name, RULE).fits


def test_its_parts_are_read():
    assert judge("uk-ie_big-launch_202601", RULE).values == {
        "region": "uk-ie",
        "name": "big-launch",
        "month": "202601",
    }


@pytest.mark.parametrize(
    ("name", "problem", "suggestion"),
    [
        ("DACH_Webinar_202611", "region is “DACH”, not one of dach, uk, uk-ie.", "dach_webinar_202611"),
        ("webinar dach 202611", "region is “webinar dach 202611”", "dach_webinar_202611"),
        ("dach_webinar_2026-11", "month is “2026-11”, not a date written YYYYMM.", "dach_webinar_202611"),
        ("dach_webinar_202613", "month is “202613”, not a date written YYYYMM.", ""),
        ("dach_webinar", "It ends before “_”.", ""),
        ("dach__202611", "name is missing.", ""),
        ("dach_big launch_202611", "name has a blank in it.", "dach_big-launch_202611"),
        ("fr_webinar_202611", "region is “fr”, not one of dach, uk, uk-ie.", ""),
        ("dach_" + "x" * 40 + "_202611", "It has 52 characters, at most 40 fit.", ""),
    ],
)
def test_what_is_wrong_and_how_it_would_be_right(name, problem, suggestion):
    found = judge(name, RULE)
    assert any(each.startswith(problem) for each in found.problems), found.problems
    assert found.suggestion == suggestion


@given(st.text(max_size=80))
def test_a_suggestion_always_fits_and_judging_never_fails(name):
    found = judge(name, RULE)
    assert found.fits or not found.suggestion or judge(found.suggestion, RULE).fits


@given(st.sampled_from(["dach", "uk", "uk-ie"]), st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True), st.dates())
def test_what_is_composed_fits_and_reads_back(region, name, day):
    if day.year < 1000:
        return
    values = {"region": region, "name": name, "month": f"{day:%Y%m}"}
    made = compose(RULE, values)
    assert judge(made, RULE).values == values


def test_composing_asks_for_what_is_missing():
    with pytest.raises(InvalidInput, match="A name needs these as well: name, month"):
        compose(RULE, {"region": "uk"})
    with pytest.raises(InvalidInput, match="region is “fr”"):
        compose(RULE, {"region": "fr", "name": "x", "month": "202611"})


@pytest.mark.parametrize(
    ("pattern", "tokens", "sentence"),
    [
        ("plain", {}, "The pattern has no token"),
        ("{Region}", {}, "A token is written {like_this}"),
        ("{a}{b}", {}, "Put something between {a} and {b}"),
        ("{a}_{a}", {}, "this one stands twice: a"),
        ("{a}", {"b": {}}, "does not have these tokens: b"),
        ("{a}", {"a": {"kind": "colour"}}, "its kind is one of text, choice, number, date"),
        ("{a}", {"a": {"kind": "choice"}}, "a choice needs its values"),
        ("{a}", {"a": {"kind": "choice", "values": [1]}}, "its values are a list of texts"),
        ("{a}", {"a": {"kind": "date", "form": "DD.MM."}}, "a date is written as one of"),
        ("{a}", {"a": "text"}, "tell its kind"),
        ("_".join(f"{{t{n}}}" for n in range(13)), {}, "at most 12 tokens"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(pattern, tokens, sentence):
    with pytest.raises(InvalidInput) as refused:
        compile_rule(pattern, tokens)
    assert sentence in refused.value.message


def test_small_letters_and_capital_values_contradict():
    with pytest.raises(InvalidInput, match="names are written in small letters, but UK is not"):
        compile_rule("{a}", {"a": {"kind": "choice", "values": ["UK"]}}, lower_case=True)


def test_a_dry_run_counts_and_warns_of_doubled_suggestions():
    report = dry_run(RULE, ["dach_webinar_202611", "DACH webinar 202611", "uk_x_202611", "nothing"])
    assert (report.judged, len(report.wrong), report.share) == (4, 2, 50)
    assert report.doubled == ("dach_webinar_202611",)


def test_other_apps_take_the_parts_or_are_told_why_not():
    rule = make.NamingRuleFactory(pattern="{region}_{name}_{month}", tokens=TOKENS, lower_case=True)
    assert parts(rule, "uk_launch_202611")["name"] == "launch"
    with pytest.raises(InvalidInput, match="For instance uk_launch_202611"):
        parts(rule, "UK launch 202611")
    assert suggest("UK launch 202611", RULE) == "uk_launch_202611"


def test_the_pages_write_a_rule_and_try_it(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    form = {"name": "Tools", "applies_to": "tools", "pattern": "{a}{b}", "tokens": "{}", "longest": 50}
    assert "Put something between" in client.post(list_of(NamingRule) + "add/", form).content.decode()
    form |= {"pattern": "{a}-{b}", "example": "nodash"}
    assert "It does not fit the rule" in client.post(list_of(NamingRule) + "add/", form).content.decode()
    assert client.post(list_of(NamingRule) + "add/", {**form, "example": "x-y"}).status_code == 302
    rule = NamingRule.objects.get()
    make.ToolFactory(name="CRM"), make.ToolFactory(name="crm-hub")
    assert names_of("tools", ops) == ["crm-hub", "CRM"] or names_of("tools", ops) == ["CRM", "crm-hub"]
    assert "Dry run" in client.get(page_of(rule)).content.decode()
    page = client.get(reverse("admin:technology_namingrule_dry_run", args=(rule.pk,))).content.decode()
    assert "50 % of 2 fit" in page
    assert assert_same_queries(client, list_of(NamingRule), lambda: [make.NamingRuleFactory() for _ in range(2)]) < 30
    client.force_login(person_with(Role.SALES))
    assert client.get(reverse("admin:technology_namingrule_dry_run", args=(rule.pk,))).status_code in (302, 403, 404)


def test_a_name_is_held_to_the_rules_of_its_kind_and_follows_one_of_them():
    assert check_name("utm_campaign", "Webinar DACH") == ()  # no rule checks it
    made = [
        NamingRule.objects.create(name=name, applies_to="utm_campaign", pattern=pattern, tokens=tokens, lower_case=True)
        for name, pattern, tokens in (
            ("Links of mails", "{region}_{name}", {"region": {"kind": "choice", "values": ["dach", "uk"]}}),
            ("Links of events", "event-{name}", {}),
        )
    ]
    mails = check_name("utm_campaign", "Webinar DACH")[1]
    assert mails.sentence == (
        "It does not follow Links of mails, {region}_{name}: region is “Webinar DACH”, not one of dach, uk. "
        "It ends before “_”. It has capital letters; names are written in small letters. Write “dach_webinar”."
    )
    check = checker("utm_campaign")
    assert [check(each) for each in ("dach_webinar", "event-dmexco")] == [(), ()]
    made[1].archived_at = clock.now()
    made[1].save()
    assert [each.rule for each in check_name("utm_campaign", "event-dmexco")] == ["Links of mails"]
    assert check_name("campaigns", "Webinar DACH") == ()


def test_a_kind_of_name_that_is_kept_nowhere_can_be_chosen_and_has_nothing_to_try(monkeypatch):
    monkeypatch.setattr(name_trials, "_sources", {})
    register_names("utm_source", "UTM source")
    assert names_of("utm_source", person_with(Role.OPS)) == []
