"""Skills: who is qualified for which process, and how many people each process and tool hangs on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, OuterRef, Prefetch, Q, Subquery

from apps.core.access import visible
from apps.processes.models import Acknowledgement, Process, SOPVersion, TrainingRequirement

if TYPE_CHECKING:
    from apps.accounts.models import User

THIN = 2


@dataclass(frozen=True)
class Column:
    """One process of the matrix: who could, and who may."""

    process: Process
    qualified: frozenset[int]
    required: frozenset[int]


@dataclass(frozen=True)
class Row:
    """One person of the matrix; for each process "yes", "missing" (must read it), or ""."""

    person: "User"
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Matrix:
    """People against processes."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Factor:
    """How many qualified people one process with required reading hangs on, or one tool through such processes."""

    kind: str
    name: str
    process_id: int | None
    people: tuple[str, ...]

    @property
    def is_thin(self) -> bool:
        """Whether the work stops when one or two people are away."""
        return len(self.people) < THIN


def _processes(person: "User") -> list[Any]:
    newest = SOPVersion.objects.filter(process=OuterRef("pk"), is_material=True, effective_at__isnull=False)
    counting = newest.filter(number__lte=OuterRef("effective_version__number")).values("process")
    since = counting.annotate(newest=Max("number")).values("newest")
    required = TrainingRequirement.objects.filter(archived_at__isnull=True).select_related("role__team")
    rows = visible(person, Process).filter(archived_at__isnull=True, effective_version__isnull=False)
    rows = rows.annotate(since=Subquery(since)).prefetch_related(
        Prefetch("requirements", required, to_attr="must_read"), "tools"
    )
    return list(rows.order_by("family", "title"))


def _readers(processes: list[Any]) -> dict[int, set["User"]]:
    since = {each.pk: each.since or 0 for each in processes}
    found: dict[int, set[Any]] = {key: set() for key in since}
    rows = Acknowledgement.objects.filter(version__process__in=since, person__is_active=True)
    for each in rows.select_related("person").annotate(process=F("version__process"), number=F("version__number")):
        if each.number >= since[each.process]:
            found[each.process].add(each.person)
    return found


def skills_matrix(person: "User") -> Matrix:
    """Return who is qualified for which of the processes that `person` sees and for which reading is required."""
    processes = [each for each in _processes(person) if each.must_read]
    readers, people, columns = _readers(processes), {}, []
    players = {role.pk: list(role.players()) for each in processes for role in [must.role for must in each.must_read]}
    for process in processes:
        must = {user for each in process.must_read for user in players[each.role_id]}
        people.update({user.pk: user for user in must | readers[process.pk]})
        columns.append(
            Column(
                process,
                frozenset(user.pk for user in readers[process.pk]),
                frozenset(user.pk for user in must),
            )
        )
    rows = [
        Row(user, tuple(_cell(user.pk, column) for column in columns))
        for user in sorted(people.values(), key=lambda each: (each.full_name, each.pk))
    ]
    return Matrix(tuple(columns), tuple(rows))


def _cell(person_id: int, column: Column) -> str:
    if person_id in column.qualified:
        return "yes"
    return "missing" if person_id in column.required else ""


def bus_factors(person: "User") -> list[Factor]:
    """Return how many qualified people each process has, and each tool through its processes; fewest first.

    A person is qualified who has read the newest material version or a later one. Only processes with required
    reading count: for the others nobody knows.
    """
    processes = [each for each in _processes(person) if each.must_read]
    readers = _readers(processes)
    tools: dict[tuple[int, str], set[str]] = {}
    factors = []
    for process in processes:
        names = tuple(sorted(user.full_name for user in readers[process.pk]))
        factors.append(Factor("Process", process.title, process.pk, names))
        for tool in process.tools.all():
            tools.setdefault((tool.pk, tool.name), set()).update(names)
    factors += [Factor("Tool", name, None, tuple(sorted(names))) for (_, name), names in tools.items()]
    return sorted(factors, key=lambda each: (len(each.people), each.kind, each.name))


def documented_share(person: "User") -> dict[str, Any]:
    """Return the share of processes that are standardised and documented, with the rows that are and are not.

    Standardised and documented means: a version with steps is in force, and somebody answers for the process.
    """
    rows = visible(person, Process).filter(archived_at__isnull=True)
    told = rows.aggregate(total=Count("pk", distinct=True), done=Count("pk", distinct=True, filter=standardised()))
    done, total = told["done"], told["total"]
    return {"done": done, "total": total, "share": done / total if total else None}


def standardised() -> Q:
    """Return the condition on a process: a version with steps is in force, and somebody answers for it."""
    owned = Q(owner_person__isnull=False) | Q(owner_team__isnull=False)
    return owned & Q(effective_version__isnull=False) & ~Q(effective_version__flow={})
