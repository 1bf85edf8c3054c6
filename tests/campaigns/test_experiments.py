"""A/B tests: a fair and steady split, figures against known values, and a decision that somebody answers for."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.campaigns.domain import experiments
from apps.campaigns.domain.experiment_math import assigned, chance_of, compare, split_chance
from apps.campaigns.models import Experiment, Variant
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import in_state, planned
from tests.factories.content import approved_version, version

pytestmark = pytest.mark.django_db
HALVES = [("A", 50), ("B", 50)]


def test_figures_are_those_of_the_tables():
    for statistic, freedom in ((3.8415, 1), (5.9915, 2), (7.8147, 3), (9.4877, 4), (11.0705, 5)):
        assert chance_of(statistic, freedom) == pytest.approx(0.05, abs=1e-5)
    found = compare(120, 1000, 100, 1000, confidence=0.95)
    assert found.p == pytest.approx(0.1530, abs=1e-3)  # z = 1.4293
    assert found.difference == pytest.approx(0.02)
    assert found.low < 0 < found.high
    assert compare(0, 10, 0, 10, confidence=0.95).p == 1.0
    assert split_chance([500, 500], [50, 50]) == pytest.approx(1.0)
    assert split_chance([821588, 815482], [50, 50]) < 0.001  # a known mismatch (Fabijan et al. 2019)
    assert split_chance([0, 0], [1, 1]) == 1.0


def test_a_split_is_steady_fair_and_another_for_another_test():
    keys = [str(number) for number in range(4000)]
    one, two = ([assigned(salt, key, HALVES) for key in keys] for salt in ("one", "two"))
    assert one == [assigned("one", key, HALVES) for key in keys]
    assert split_chance([one.count("A"), one.count("B")], [50, 50]) > 0.001
    both = list(zip(one, two, strict=True))
    assert split_chance([both.count((a, b)) for a in "AB" for b in "AB"], [1, 1, 1, 1]) > 0.001
    uneven = [assigned("one", key, [("A", 90), ("B", 10)]) for key in keys]
    assert split_chance([uneven.count("A"), uneven.count("B")], [90, 10]) > 0.001


@given(st.text(max_size=30), st.lists(st.integers(1, 100), min_size=1, max_size=8))
@settings(deadline=None)
def test_everybody_gets_one_of_the_variants(key, weights):
    named = list(zip("ABCDEFGH", weights, strict=False))
    assert assigned("salt", key, named) in {name for name, _ in named}


def made(by, *, campaign=None, letters="AB", versions=(), **said):
    values = {"name": "Button", "question": "Green is seen sooner.", "success": "clicked", "least": 100, **said}
    with acting_as(by):
        row = Experiment.objects.create(campaign=campaign or planned(author=by), **values)
        for number, letter in enumerate(letters):
            shown = versions[number] if number < len(versions) else None
            Variant.objects.create(experiment=row, letter=letter, version=shown)
    return row


def test_a_test_begins_with_two_variants_that_may_be_seen():
    ops = person_with(Role.OPS)
    assert experiments.refuse_start(ops, made(ops, letters="A")).startswith("A test compares at least two variants")
    over = made(ops, campaign=in_state("completed", name="Past"))
    assert experiments.refuse_start(ops, over) == "Past is completed; nobody is split any more."
    good, draft = approved_version(by=ops), version(by=ops)
    half = made(ops, name="h", versions=[good])
    assert experiments.refuse_start(ops, half) == "Bind a version of content to every variant, or to none."
    same = made(ops, name="s", versions=[good, good])
    assert experiments.refuse_start(ops, same) == "Two variants show the same version; nothing would be compared."
    unseen = made(ops, name="u", versions=[good, draft])
    assert experiments.refuse_start(ops, unseen).endswith("is draft; only what is approved is shown to people.")
    test = made(ops, name="Fine")
    with pytest.raises(NotAllowed, match="You may not change A/B tests"):
        experiments.start_experiment(test, by=person_with(Role.AUDITOR))
    assert experiments.start_experiment(test, by=ops) == "“Fine” is running."
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), acting_as(ops):
        Variant.objects.filter(experiment=test).update(weight=10)
    assert sentence_of(caught.value).startswith("The test has begun; what it compares stays.")
    assert experiments.variant_for(test, "lead 7") in "AB"


def test_counts_wait_until_there_are_enough_and_the_decision_is_kept():
    ops, day = person_with(Role.OPS), clock.today()
    test = made(ops)
    experiments.start_experiment(test, by=ops)
    for wrong, sentence in (
        ({"letter": "C"}, "has no variant C"),
        ({"successes": 60}, "more successes than people"),
        ({"day": day + dt.timedelta(days=1)}, "is to come; count what has been"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            experiments.enter_counts(test, by=ops, **{"letter": "A", "day": day, "people": 50, "successes": 5, **wrong})
    experiments.enter_counts(test, by=ops, letter="A", day=day, people=50, successes=5)
    with pytest.raises(WrongState, match="A has 50 of 100 people; who looks earlier is misled"):
        experiments.decide(test, by=ops, letter="A", reason="Looks good.")
    experiments.enter_counts(test, by=ops, letter="A", day=day, people=1000, successes=100)
    experiments.enter_counts(test, by=ops, letter="B", day=day, people=700, successes=120)
    result = experiments.result_of(test)
    assert (result.is_split_wrong, result.standings[1].significant) == (True, True)
    with pytest.raises(WrongState, match="People are not split as planned, and hardly by chance"):
        experiments.decide(test, by=ops, letter="B", reason="More clicks.")
    experiments.enter_counts(test, by=ops, letter="B", day=day, people=1010, successes=160)
    with pytest.raises(InvalidInput, match="Say what the decision stands on"):
        experiments.decide(test, by=ops, letter="B", reason=" ")
    with pytest.raises(InvalidInput, match="has no variant D"):
        experiments.decide(test, by=ops, letter="D", reason="x")
    assert experiments.decide(test, by=ops, letter="B", reason="More clicks.") == "“Button” is decided: on with B."
    test.refresh_from_db()
    assert (test.chosen, test.decided_by, test.reason) == ("B", ops, "More clicks.")
    assert test.figures["variants"][1] | {"p": 0} == {
        "letter": "B",
        "version": "",
        "people": 1010,
        "successes": 160,
        "p": 0,
        "significant": True,
    }
    assert experiments.refuse_stop(ops, test) == "“Button” has ended."
    with pytest.raises(WrongState, match="is decided"):
        experiments.enter_counts(test, by=ops, letter="B", day=day, people=1, successes=1)


def test_pages(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    test = made(ops, name="Button")
    assert_same_queries(client, list_of(Experiment), lambda: [made(ops, name=f"x{n}") for n in range(2)])
    assert "No variant yet" not in client.get(page_of(test)).content.decode()
    assert "is running" in client.post(button_of(test, "start"), {}, follow=True).content.decode()
    given = {"letter": "A", "day": clock.today().isoformat(), "people": 100, "successes": 10}
    assert "10 of 100" in client.post(button_of(test, "counts"), given, follow=True).content.decode()
    page = client.get(page_of(test)).content.decode()
    assert "B has 0 of 100 people; who looks earlier is misled." in page
    assert "is stopped" in client.post(button_of(test, "stop"), {"reason": "Wrong mail."}, follow=True).content.decode()
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(page_of(test)).status_code == 200
