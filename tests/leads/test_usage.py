"""Subscriptions and usage of companies: dated, with their source, the newest word on each thing counts."""

import datetime as dt
from decimal import Decimal

import pytest

from apps.accounts.enums import Role
from apps.core import clock
from apps.leads.domain.usage import standing
from apps.leads.models import Company, CompanySnapshot
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.exchange import import_text
from tests.factories.scoring import company

pytestmark = pytest.mark.django_db
HEAD = "Domain of the company,System,As of,Plan,Subscription,Seats,Active users,Value a month\n"


def test_files_bring_snapshots_once_and_refuse_in_words():
    person, ours = person_with(Role.OPS), company(domain="engines.example")
    tomorrow = clock.today() + dt.timedelta(days=2)
    text = HEAD + (
        "engines.example,billing,2026-01-31,Team,Active,10,4,990.00\n"
        "engines.example,billing,2026-02-28,Team,Active,10,8,990.00\n"
        "nobody.example,billing,2026-02-28,Team,Active,10,8,990.00\n"
        f"engines.example,billing,{tomorrow},Team,Active,10,8,990.00\n"
        "engines.example,billing,1999-12-31,Team,Active,10,8,990.00\n"
        "engines.example,product,2026-03-01,,,,-3,\n"
    )
    amounts = ("Team,,,,1e999", "Team,,,,99999999999", "Team,,,,1.005", "Team,,,,-1")
    odd = (*amounts, f"{'x' * 81},,,,1", ",,,,", ",,1e999999999,,")
    text += "".join(f"engines.example,odd,2026-02-{day:02},{rest}\n" for day, rest in enumerate(odd, 1))
    batch = import_text("leads.snapshots", text, by=person)
    assert batch.counts == {"created": 2, "refused": 11}
    told = list(batch.outcomes.filter(kind="refused").order_by("line").values_list("reason", flat=True))
    assert told[0] == "There is no company with the domain “nobody.example”."
    assert "is still to come." in told[1]
    assert "is before 2000; nothing was recorded then." in told[2]
    assert "is no count; give a whole number from 0 up." in told[3]
    for reason, sentence in zip(
        told[4:],
        (
            "has too many digits; 40 fit.",
            *["is no amount that can be: 0 or more, with two decimals at most."] * 3,
            "is too long: 81 characters, at most 80 fit.",
            "Say something about the subscription or its use.",
            "has too many digits; 40 fit.",
        ),
        strict=True,
    ):
        assert sentence in reason
    again = import_text("leads.snapshots", text, by=person)
    assert again.counts == {"unchanged": 2, "refused": 11}
    now = standing(ours)
    assert (now.value("active_users"), now.seat_use, now.facts["plan"].source) == (8, Decimal("0.8"), "billing")
    assert standing(ours, as_of=dt.date(2026, 2, 1)).value("active_users") == 4


def test_pages_show_the_newest_word(client):
    person, ours = person_with(Role.OPS), company()
    client.force_login(person)
    assert "Nothing is known." in client.get(page_of(ours)).content.decode()
    CompanySnapshot.objects.create(
        company=ours, source="billing", taken_on=dt.date(2026, 1, 31), status="active", seats=10, active_users=4
    )
    page = client.get(page_of(ours)).content.decode()
    assert "Seats in use" in page
    assert "40%" in page

    def more():
        for number in range(2):
            other = company()
            CompanySnapshot.objects.create(
                company=other, source="billing", taken_on=dt.date(2026, 1, 1 + number), seats=1
            )

    assert_same_queries(client, list_of(CompanySnapshot), more)
    add = list_of(CompanySnapshot) + "add/"
    late = clock.today() + dt.timedelta(days=3)
    answer = client.post(add, {"company": ours.pk, "taken_on": late.isoformat(), "source": "billing", "seats": 2})
    assert "is still to come." in answer.content.decode()
    auditor = person_with(Role.AUDITOR)
    client.force_login(auditor)
    assert client.get(page_of(ours)).status_code == 200
    assert client.get(add).status_code == 403
    assert Company.objects.count() == 3
