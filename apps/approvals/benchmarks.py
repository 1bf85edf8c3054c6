"""`manage.py bench approvals`: decisions per second with four people at once, beside bare INSERT and UPDATE.

The bare path writes the same rows by SQL in one transaction each: the decision, the stage, the request and the
subject, with the triggers that write the ledger and the history, and nothing else.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, connections, transaction

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.approvals.domain.decisions import approve, request_approval
from apps.approvals.domain.policies import ensure_default_policies, ensure_policy
from apps.approvals.domain.reading import PAGE, inbox_rows, read_inbox
from apps.approvals.models import ApprovalRequest, Decision, StageInstance
from apps.approvals.registry import ApprovalSubject, register, registered
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.bench.registry import Result, benchmark
from apps.core.transitions import transition

DECIDERS, GOAL, INBOX_GOAL = 4, 10.0, 0.5


@benchmark("approvals", default_rows=400)
def approvals(rows: int) -> Iterator[Result]:
    """Decide `rows` requests in rounds, half by mops and half by bare SQL, in turn; then read an inbox of them all."""
    with _plain_subject():
        ensure_default_policies()
        ensure_policy("accounts.team", "Teams")
        people = _people()
        requests = _requests(rows * 2, people[0])
        size = max(rows // 8, DECIDERS)
        ours, bare = [], []
        for start in range(0, len(requests) - 2 * size + 1, 2 * size):
            ours.append(_together(requests[start : start + size], people[1:], _decide))
            bare.append(_together(requests[start + size : start + 2 * size], people[1:], _bare))
        seconds, limit = statistics.median(ours[1:] or ours), statistics.median(bare[1:] or bare)
        more = {"per_second": round(size / seconds, 1), "bare_per_second": round(size / limit, 1), "deciders": DECIDERS}
        goal = f"at most {GOAL:.0f} times bare INSERT and UPDATE of the same rows"
        yield Result("approvals decide", size, seconds, limit, None, goal, seconds / limit <= GOAL, more)
        waiting = _requests(rows, people[0])
        started = time.perf_counter()
        read = read_inbox(inbox_rows(people[1])[:PAGE], person=people[1])
        took = time.perf_counter() - started
        goal = f"at most {INBOX_GOAL} s"
        yield Result("approvals inbox", len(waiting), took, None, None, goal, took <= INBOX_GOAL, {"shown": len(read)})


class _plain_subject:  # noqa: N801  # a context, named as one reads it
    """Let teams be approved while the benchmark runs: a subject whose effect is one update."""

    def __enter__(self) -> None:
        """Register."""
        self.before = registered().get(Team)
        register(Team, ApprovalSubject(material=("name",), apply=_effect, on_refused=_nothing))

    def __exit__(self, *_: Any) -> None:
        """Put back what was there."""
        if self.before is not None:
            register(Team, self.before)


def _effect(team: Team, request: ApprovalRequest, *, by: User, at: Any) -> None:
    Team.objects.filter(pk=team.pk).update(updated_at=clock.now())


def _nothing(team: Team, request: ApprovalRequest, *, by: User) -> None:
    """There is nothing to put back."""


def _people() -> list[User]:
    people = [
        User.objects.create(email=f"bench{number}@example.com", full_name=f"Bench {number}", is_superuser=True)
        for number in range(DECIDERS + 1)
    ]
    team = Team.objects.create(name="Bench")
    for person in people[1:]:
        Membership.objects.create(team=team, person=person, role=Role.APPROVER)
    return people


def _requests(number: int, sender: User) -> list[ApprovalRequest]:
    with transaction.atomic(), acting_as(sender):
        start = Team.objects.count()
        teams = [Team.objects.create(name=f"Bench {start + each}") for each in range(number)]
        return [request_approval(team, by=sender) for team in teams]


def _together(requests: list[ApprovalRequest], people: list[User], deed: Callable[..., None]) -> float:
    """Return the seconds in which four people decide these requests, each a quarter, on connections of their own."""
    barrier = threading.Barrier(DECIDERS + 1)

    def work(place: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        barrier.wait()
        for request in requests[place::DECIDERS]:
            deed(request, people[place])
        connections.close_all()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(DECIDERS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def _decide(request: ApprovalRequest, person: User) -> None:
    approve(request, by=person)


def _bare(request: ApprovalRequest, person: User) -> None:
    now = clock.now()
    kinds = (Decision, StageInstance, ApprovalRequest)
    with transaction.atomic(), acting_as(person), transition(*kinds), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM approvals_stageinstance WHERE approval_id = %s", [request.pk])
        stage = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO approvals_decision (request_id, stage_id, approver_id, approver_label, principal_id, verdict,"
            " reason, why, digest, channel, at) VALUES (%s, %s, %s, %s, %s, 'approve', '', '', %s, 'shell', %s)",
            [request.pk, stage, person.pk, person.email, person.pk, request.digest, now],
        )
        cursor.execute(
            "UPDATE approvals_stageinstance SET state = 'approved', decided_at = %s WHERE id = %s", [now, stage]
        )
        cursor.execute(
            "UPDATE approvals_approvalrequest SET state = 'approved', decided_at = %s, applied_at = %s WHERE id = %s",
            [now, now, request.pk],
        )
        cursor.execute("UPDATE accounts_team SET updated_at = %s WHERE id = %s", [now, request.object_id])
