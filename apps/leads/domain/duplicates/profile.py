"""What is compared to tell whether two leads are one person, read from the leads in SQL and made alike in Python."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.db import connection

from apps.leads.domain.duplicates.likeness import Comparator, Profile, Values, close, name, same

FREE_MAIL = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "gmx.de", "web.de", "icloud.com"}
)
_FREE = ", ".join(f"'{each}'" for each in sorted(FREE_MAIL))
_LOCAL = "regexp_replace(split_part(l.email, '@', 1), '\\+.*$', '')"
_DOMAIN = "split_part(l.email, '@', 2)"
_PLAIN_LOCAL = f"regexp_replace({_LOCAL}, '[^[:alnum:]]', '', 'g')"
# what blocks ask about, made alike in SQL; the same columns reach Python
ROWS = f"""(
    SELECT l.id, lower(l.name) AS name, l.phone, lower(l.company) AS company, lower(l.country) AS country,
           lower(l.job_title) AS job_title, coalesce(l.email, '') AS email,
           CASE WHEN l.email IS NULL THEN '' WHEN {_DOMAIN} IN ('gmail.com', 'googlemail.com')
                THEN replace({_LOCAL}, '.', '') || '@gmail.com' ELSE {_LOCAL} || '@' || {_DOMAIN} END AS mailbox,
           CASE WHEN length({_PLAIN_LOCAL}) > 4 THEN {_PLAIN_LOCAL} ELSE '' END AS local,
           CASE WHEN {_DOMAIN} IN ({_FREE}) THEN '' ELSE coalesce({_DOMAIN}, '') END AS domain
    FROM leads_lead l WHERE l.archived_at IS NULL AND (l.name <> '' OR l.email IS NOT NULL OR l.phone <> '') {{only}}
)"""  # constants
COLUMNS = ("name", "phone", "company", "country", "job_title", "email", "mailbox", "local", "domain")
LEADS = Profile(
    comparators=(
        Comparator("mailbox", "mailbox", same, 1.0, 12.0, -1.0),
        Comparator("phone", "phone", close, 1.0, 9.0, -1.0),
        Comparator("name", "name", name, 0.92, 7.0, -6.0),
        Comparator("company", "company", name, 0.9, 4.0, -2.0),
        Comparator("domain", "mail domain", same, 1.0, 3.0, -1.0),
        Comparator("local", "name within the e-mail", name, 0.93, 3.0, -1.0),
        Comparator("country", "country", same, 1.0, 1.0, -4.0),
        Comparator("job_title", "job title", name, 0.9, 1.0, 0.0),
    ),
    blocks=(
        "t.mailbox",
        "t.phone",
        "t.local",
        "t.name",
        "CASE WHEN t.name <> '' AND t.domain <> '' THEN left(t.name, 3) || '@' || t.domain ELSE '' END",
        "CASE WHEN t.name <> '' AND t.domain <> '' THEN right(t.name, 4) || '@' || t.domain ELSE '' END",
        "CASE WHEN t.name <> '' AND t.company <> '' THEN left(t.name, 4) || '@' || t.company ELSE '' END",
        "CASE WHEN t.name <> '' AND t.company <> '' THEN right(t.name, 4) || '@' || t.company ELSE '' END",
    ),
    threshold=9.0,
)


def rows_sql(*, only: str = "") -> str:
    """Return the sub-select of the leads in use with what is compared; `only` is SQL about `l`, begun with AND."""
    return ROWS.format(only=only)


def plain(text: str) -> str:
    """Return a text in small letters, without accents and punctuation, its words apart by one space."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))
    return " ".join(re.findall(r"[^\W_]+", bare))


def alike(values: dict[str, Any]) -> Values:
    """Return what the database gave as it is compared."""
    return {**values, **{key: plain(values[key]) for key in ("name", "company", "job_title") if values[key]}}


def values_of(leads: Iterable[int]) -> dict[int, Values]:
    """Return what is compared, by lead: one query."""
    with connection.cursor() as cursor:
        columns = ", ".join(COLUMNS)
        cursor.execute(
            f"SELECT id, {columns} FROM {rows_sql(only='AND l.id = ANY(%s)')} t",  # constants
            [list(leads)],
        )
        return {key: alike(dict(zip(COLUMNS, rest, strict=True))) for key, *rest in cursor.fetchall()}
