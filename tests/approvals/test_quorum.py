"""Quorum arithmetic: early refusal, abstention, vetoes, required groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.approvals.domain.quorum import Outcome, Quorum, Seat, stage_outcome
from apps.approvals.enums import APPROVING, Mode, Verdict

YES, NO, BACK, OUT = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN
THREE = {1: Seat(), 2: Seat(), 3: Seat()}


@pytest.mark.parametrize(
    ("quorum", "votes", "outcome"),
    [
        (Quorum(Mode.ANY), {}, Outcome.OPEN),
        (Quorum(Mode.ANY), {1: YES}, Outcome.APPROVED),
        (Quorum(Mode.ANY), {1: BACK}, Outcome.CHANGES_REQUESTED),
        (Quorum(Mode.ANY, veto=False), {1: NO}, Outcome.OPEN),
        (Quorum(Mode.ANY, veto=False), {1: NO, 2: YES}, Outcome.APPROVED),
        (Quorum(Mode.ANY, veto=False), {1: NO, 2: BACK, 3: NO}, Outcome.REJECTED),
        (Quorum(Mode.ANY), {1: OUT, 2: OUT, 3: OUT}, Outcome.STUCK),
        (Quorum(Mode.SOME, 2), {1: YES}, Outcome.OPEN),
        (Quorum(Mode.SOME, 2), {1: YES, 2: YES}, Outcome.APPROVED),
        (Quorum(Mode.SOME, 2, veto=False), {1: NO, 2: NO}, Outcome.REJECTED),
        (Quorum(Mode.SOME, 2, veto=False), {1: BACK, 2: BACK}, Outcome.CHANGES_REQUESTED),
        (Quorum(Mode.SOME, 4), {}, Outcome.STUCK),
        (Quorum(Mode.ALL), {1: YES, 2: YES}, Outcome.OPEN),
        (Quorum(Mode.ALL), {1: YES, 2: YES, 3: YES}, Outcome.APPROVED),
        (Quorum(Mode.ALL), {1: YES, 2: YES, 3: OUT}, Outcome.APPROVED),
        (Quorum(Mode.ALL, veto=False), {1: NO}, Outcome.REJECTED),
    ],
)
def test_votes_amount_to(quorum, votes, outcome):
    assert stage_outcome(quorum, THREE, votes) is outcome


def test_one_of_the_required_must_be_among_them():
    seats = {1: Seat(), 2: Seat(groups=frozenset({0}))}
    asked = Quorum(Mode.ANY, required=frozenset({0}))
    assert stage_outcome(asked, seats, {1: YES}) is Outcome.OPEN
    assert stage_outcome(asked, seats, {1: YES, 2: YES}) is Outcome.APPROVED
    assert stage_outcome(asked, seats, {2: OUT}) is Outcome.STUCK


def test_an_optional_approval_is_heard_and_does_not_count():
    seats = {1: Seat(counts=False), 2: Seat()}
    assert stage_outcome(Quorum(Mode.ANY), seats, {1: YES}) is Outcome.OPEN
    assert stage_outcome(Quorum(Mode.ANY), seats, {1: NO}) is Outcome.OPEN
    assert stage_outcome(Quorum(Mode.ALL), seats, {2: YES}) is Outcome.APPROVED


def test_who_came_later_does_not_replace_one_of_all():
    seats = {1: Seat(), 2: Seat(), 3: Seat(on_roster=False)}
    votes = {1: YES, 3: YES}
    assert stage_outcome(Quorum(Mode.ALL, veto=False), seats, votes) is Outcome.OPEN
    assert stage_outcome(Quorum(Mode.ALL, veto=False), seats, {**votes, 2: NO}) is Outcome.REJECTED


def test_votes_of_those_who_lost_the_right_do_not_count():
    assert stage_outcome(Quorum(Mode.SOME, 2), {2: Seat(), 3: Seat()}, {1: YES, 2: YES}) is Outcome.OPEN


SEATS = st.dictionaries(
    st.integers(1, 7),
    st.builds(Seat, groups=st.frozensets(st.integers(0, 1)), counts=st.booleans(), on_roster=st.booleans()),
    max_size=7,
)
QUORUMS = st.builds(
    Quorum, st.sampled_from(Mode), st.integers(1, 5), st.booleans(), st.frozensets(st.integers(0, 1), max_size=2)
)
VOTES = st.dictionaries(st.integers(1, 9), st.sampled_from(Verdict), max_size=9)


@given(QUORUMS, SEATS, VOTES)
def test_approved_means_enough_of_the_right_people_said_yes(quorum, seats, votes):
    outcome = stage_outcome(quorum, seats, votes)
    yes = {key for key, verdict in votes.items() if verdict in APPROVING and key in seats and seats[key].counts}
    refusing = {key for key, verdict in votes.items() if verdict in (NO, BACK) and key in seats}
    if outcome is Outcome.APPROVED:
        assert yes
        assert quorum.required <= {group for key in yes for group in seats[key].groups}
        assert len(yes) >= (quorum.number if quorum.mode == Mode.SOME else 1)
        if quorum.mode == Mode.ALL:
            roster = {key for key, seat in seats.items() if seat.counts and seat.on_roster}
            assert all(key in yes or votes.get(key) == OUT for key in roster)
        if quorum.veto:
            assert not any(seats[key].counts for key in refusing)
    if outcome in (Outcome.REJECTED, Outcome.CHANGES_REQUESTED):
        assert refusing
    if outcome is Outcome.STUCK:
        assert not refusing


@given(QUORUMS, SEATS, VOTES)
def test_open_can_still_be_approved_and_refused_early_means_it_could_not(quorum, seats, votes):
    outcome = stage_outcome(quorum, seats, votes)
    rest = {**votes, **{key: YES for key in seats if key not in votes}}
    best = stage_outcome(quorum, seats, rest)
    if outcome is Outcome.OPEN:
        assert best is Outcome.APPROVED
    if outcome in (Outcome.REJECTED, Outcome.CHANGES_REQUESTED, Outcome.STUCK):
        assert best is not Outcome.APPROVED
