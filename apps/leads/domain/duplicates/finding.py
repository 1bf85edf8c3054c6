"""Looking for duplicates: candidates by blocks and by likeness of the name in SQL, judged by comparators, queued."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.context_sql import stamp_transaction
from apps.leads.domain.duplicates.likeness import Judged, Values, judge, pairs_sql
from apps.leads.domain.duplicates.profile import COLUMNS, LEADS, alike, rows_sql, values_of
from apps.leads.enums import PairState
from apps.leads.models import DuplicatePair, Lead

if TYPE_CHECKING:
    from apps.accounts.models import User

BATCH, NEAREST = 5_000, 20
ALIKE = 0.45  # of trigrams: what the index finds before the comparators judge
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """What a search came to."""

    compared: int
    suggested: int
    new: int


def find_duplicates(*, since: dt.datetime | None = None, progress: Progress | None = None) -> Found:
    """Compare all leads in use that share a block, and queue the pairs that look like one person. Safe to repeat.

    A pair that people decided about stays decided.

    Args:
        since: look only at pairs one of which was written since then; at all where it is left out.
        progress: told how far it is.
    """
    only = "{0} IN (SELECT id FROM leads_lead WHERE updated_at >= %s)" if since else ""
    with connection.cursor() as cursor:
        cursor.execute(pairs_sql(LEADS, rows_sql(), only=only), [since, since] if since else [])
        pairs = cursor.fetchall()
    suggested = new = 0
    for start in range(0, len(pairs), BATCH):
        chunk = pairs[start : start + BATCH]
        values = values_of({key for pair in chunk for key in pair})
        told = [(one, two, judge(LEADS, values[one], values[two])) for one, two in chunk if {one, two} <= values.keys()]
        wanted = [each for each in told if each[2].is_suggested]
        suggested += len(wanted)
        new += _queue(wanted)
        if progress is not None:
            progress(start + len(chunk), len(pairs))
    return Found(len(pairs), suggested, new)


def nearest(given: Mapping[str, Any], *, besides: int | None = None) -> list[tuple[int, Judged]]:
    """Return the leads that look like the person described, the likeliest first: two queries.

    Args:
        given: any of name, email, phone (E.164), company, country, job_title.
        besides: the lead that is described, where there is one already.
    """
    said = {key: str(given.get(key) or "").strip().lower() for key in ("name", "email", "phone", "company", "country")}
    said["job_title"] = str(given.get("job_title") or "").strip().lower()
    mine = alike({**said, **_of_address(said["email"])})
    found = values_of(set(_candidates(said, mine)) - {besides})
    judged = [(key, judge(LEADS, mine, values)) for key, values in found.items()]
    return sorted((each for each in judged if each[1].is_suggested), key=lambda each: (-each[1].weight, each[0]))


def _of_address(email: str) -> dict[str, str]:
    """Return what an address says, made alike by the same SQL as the stored ones."""
    with connection.cursor() as cursor:
        columns = ", ".join(each for each in COLUMNS if each in ("mailbox", "local", "domain"))
        described = (
            "(SELECT 1 AS id, ''::text AS name, ''::text AS phone, ''::text AS company, ''::text AS country, "
            "''::text AS job_title, %s::text AS email, NULL::timestamptz AS archived_at) l"
        )
        rows = rows_sql().replace("leads_lead l", described)
        cursor.execute(f"SELECT {columns} FROM {rows} t", [email or None])  # constants
        row = cursor.fetchone()
    return dict(zip(("mailbox", "local", "domain"), row or ("", "", ""), strict=True))


def _candidates(said: Mapping[str, str], mine: Values) -> list[int]:
    """Return leads with the same address or phone, or a name alike, by the indexes of the table."""
    keys: set[int] = set()
    if mine["mailbox"]:
        local, _, domain = str(mine["mailbox"]).partition("@")
        addresses = {said["email"], str(mine["mailbox"])}
        keys |= set(Lead.objects.live().filter(email__in=addresses).values_list("pk", flat=True)[:NEAREST])
        if domain and local:
            tagged = Lead.objects.live().filter(email__startswith=f"{local}+", email__endswith=f"@{domain}")
            keys |= set(tagged.values_list("pk", flat=True)[:NEAREST])
    if said["phone"]:
        keys |= set(Lead.objects.live().filter(phone=said["phone"]).values_list("pk", flat=True)[:NEAREST])
    if said["name"]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(ALIKE)])
            cursor.execute(
                "SELECT id FROM leads_lead WHERE name %% %s AND archived_at IS NULL ORDER BY similarity(name, %s) DESC,"
                " id LIMIT %s",
                [said["name"], said["name"], NEAREST],
            )
            keys |= {key for (key,) in cursor.fetchall()}
    return sorted(keys)


def look_again(lead: Lead) -> int:
    """Queue what looks like `lead`, inside the caller's transaction; returns how many pairs are new."""
    given = {name: getattr(lead, name) for name in ("name", "email", "phone", "company", "country", "job_title")}
    found = nearest(given, besides=lead.pk)
    return _queue([(min(lead.pk, key), max(lead.pk, key), judged) for key, judged in found])


def refuse_search(user: "User", lead: Lead) -> str | None:
    """Return why `user` cannot have duplicates of `lead` looked for, None when they can."""
    if not access.may(user, "change", lead):
        return f"You may not change {lead}."
    return f"{lead} is archived; restore it first." if lead.is_archived else None


def search_by_button(lead: Lead, *, by: "User") -> str:
    """Look for duplicates of one lead, and say how many there are.

    Raises:
        NotAllowed, WrongState: as `refuse_search` says.
    """
    from apps.core.errors import NotAllowed, WrongState  # noqa: PLC0415

    if refused := refuse_search(by, lead):
        raise (WrongState if access.may(by, "change", lead) else NotAllowed)(refused)
    with transaction.atomic(), acting_as(by):
        look_again(lead)
    waiting = open_pairs(by).filter(one=lead).count() + open_pairs(by).filter(two=lead).count()
    return "Nobody looks like this lead." if not waiting else f"{waiting} look like this lead; see below."


def open_pairs(user: "User") -> Any:
    """Return the pairs to be looked at among the leads that `user` sees."""
    rows = access.visible(user, DuplicatePair).filter(state=PairState.OPEN)
    return rows.filter(one__archived_at=None, two__archived_at=None)


def _queue(pairs: Sequence[tuple[int, int, Judged]]) -> int:
    """Write pairs that are not known, and what is known better now about those still open."""
    if not pairs:
        return 0
    now = clock.now()
    keys = {(one, two) for one, two, _ in pairs}
    known = {
        (each.one_id, each.two_id): each
        for each in DuplicatePair.objects.filter(one__in={one for one, _ in keys}, two__in={two for _, two in keys})
    }
    fresh = [
        DuplicatePair(one_id=one, two_id=two, weight=judged.weight, evidence=judged.evidence, found_at=now)
        for one, two, judged in pairs
        if (one, two) not in known
    ]
    with transaction.atomic():
        stamp_transaction(connection)
        DuplicatePair.objects.bulk_create(fresh, batch_size=1000, ignore_conflicts=True)
        for one, two, judged in pairs:
            stood = known.get((one, two))
            if stood is not None and stood.state == PairState.OPEN and stood.weight != judged.weight:
                stood.weight, stood.evidence = judged.weight, judged.evidence
                stood.save(update_fields=["weight", "evidence"])
    return len(fresh)
