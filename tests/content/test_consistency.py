"""Figures of one campaign agree in all channels: what counts as the same, what is compared, and where it is told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.content.domain import checking, packs, writing
from apps.content.domain.linking import link_content
from apps.content.domain.qa.facts import Fact, facts_of
from apps.core import clock
from tests.factories.campaigns import planned
from tests.factories.content import GOOD, asset, author, pack, rule, version

PIECE = GOOD.replace("Read more.", "{}")


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("20 % and 20%, 20 percent, 20 per cent, 20 Prozent", ["20"] * 5),
        ("7,5 % is 7.50%", ["7.5", "7.5"]),
        ("€ 1.200,50 or 1,200.50 EUR or EUR 1200.5", ["EUR 1200.5"] * 3),
        ("$1,000 is 1.000 USD, £5 is 5 GBP", ["USD 1000", "USD 1000", "GBP 5", "GBP 5"]),
        ("1'250 CHF", ["CHF 1250"]),
        ("2026-10-12, 12.10.2026, 12 October 2026, October 12th, 2026, 12. Oktober 2026", ["10-12 2026"] * 5),
        ("le 1 août, el 1 de agosto de 2026", ["08-01", "08-01 2026"]),
        ("on 12 Oct. we meet", ["10-12"]),
        ("10/12/2026, 31.02.2026, version 1.2.3, 4 of 5, call 030 1234567, EURO 5, v20%", []),
        ("may 45, 3 ſeptember 2026", []),
    ],
)
def test_a_figure_is_the_same_however_it_is_written(written, values):
    assert [each.value for each in facts_of(written)] == values


def test_a_date_without_a_year_agrees_with_that_day_of_any_year():
    one, other, next_year = (facts_of(each)[0] for each in ("12 October", "12 October 2026", "12 October 2027"))
    assert one.agrees(other)
    assert one.agrees(next_year)
    assert not other.agrees(next_year)
    assert not one.agrees(Fact("percentage", "10-12", "", 0, 0))


def linked(text, of, *, by, state="qa", **given):
    made = version(by=by, of=asset(by=by, **given), body=PIECE.format(text))
    link_content(made.asset, of, by=by)
    if state == "qa":
        writing.submit_to_checks(made, by=by)
    return made


@pytest.mark.django_db
def test_a_figure_that_another_channel_states_differently_is_told_with_its_place():
    writer = author()
    pack(rule("Agreed", "consistency", severity="warn", level="brand"))
    one, elsewhere = planned(author=writer), planned(author=writer)
    linked("Save 20 % until 12 October.", one, by=writer, title="Page", kind="landing_page", main_channel="web")
    linked("Save 35 %", elsewhere, by=writer, title="Foreign")
    linked("Save 50 %", one, by=writer, title="For India", region="apac")
    linked("Save 60 %", one, by=writer, title="Still a draft", state="draft")
    mail = linked("Save 25% until October 12th, 2026, from € 9.", one, by=writer, title="Mail", region="dach", state="")
    run = checking.run_checks(mail, by=writer)
    (found,) = run.findings.all()
    assert found.sentence == "“25%” here, “20 %” in “Page” (Website)."
    assert (found.severity, found.part, found.line, found.column) == ("warn", "body", 4, 9)


@pytest.mark.django_db
def test_a_rule_compares_the_figures_it_names_and_asks_nothing_where_no_rule_does():
    writer = author()
    one = planned(author=writer)
    linked("Save 20 %, from € 10.", one, by=writer, title="Page", kind="landing_page", main_channel="web")
    mail = linked("Save 25 %, from € 9.", one, by=writer, title="Mail", state="")
    asked = pack(rule("Agreed", "consistency", terms="amount"))
    assert [each.sentence for each in checking.run_checks(mail, by=writer).findings.all()] == [
        "“€ 9” here, “€ 10” in “Page” (Website)."
    ]
    with CaptureQueriesContext(connection) as first:
        facts = packs.simulate(asked, clock.now())["facts"]
    assert facts[1] == ["Held back", 1]
    linked("From € 11", one, by=writer, title="Post", kind="social_post", main_channel="organic_social")
    with CaptureQueriesContext(connection) as second:
        assert packs.simulate(asked, clock.now())["facts"][1] == ["Held back", 3]
    assert len(first) == len(second)
    (problem,) = packs._problems({"rules": [rule("Agreed", "consistency", terms="prices")]})
    assert problem.sentence.endswith("or nothing for all of them.")
