"""How well duplicates are found: the same blocks in SQL and the same comparators, on records whose truth is known."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction

from apps.leads.domain.duplicates.likeness import Comparator, Profile, close, judge, name, pairs_sql

PRECISION, RECALL = 0.999, 0.98
PEOPLE = Profile(
    comparators=(
        Comparator("soc_sec_id", "social security number", close, 0.85, 10.0, -2.0),
        Comparator("date_of_birth", "date of birth", close, 0.85, 6.0, -2.0),
        Comparator("given_name", "given name", name, 0.85, 4.0, -1.0),
        Comparator("surname", "surname", name, 0.85, 5.0, -2.0),
        Comparator("address_1", "street", name, 0.85, 5.0, -1.0),
        Comparator("suburb", "suburb", name, 0.85, 4.0, -1.0),
        Comparator("postcode", "postcode", close, 0.75, 4.0, -1.0),
    ),
    blocks=(
        "t.soc_sec_id",
        "t.date_of_birth",
        "t.address_1",
        "CASE WHEN t.surname <> '' AND t.postcode <> '' THEN t.surname || '@' || t.postcode ELSE '' END",
        "CASE WHEN t.surname <> '' AND t.given_name <> '' THEN t.surname || '@' || t.given_name ELSE '' END",
        "CASE WHEN t.given_name <> '' AND t.suburb <> '' THEN t.given_name || '@' || t.suburb ELSE '' END",
    ),
    threshold=8.0,
)


@dataclass(frozen=True)
class Truth:
    """Figures of one set of records."""

    records: int
    pairs: int
    compared: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Of what was found, how much is true."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Of what is true, how much was found."""
        return self.right / self.pairs if self.pairs else 0.0

    def as_line(self) -> dict[str, Any]:
        """Return what the command prints."""
        return asdict(self) | {"precision": round(self.precision, 4), "recall": round(self.recall, 4)}


def measured(rows: Mapping[str, Mapping[str, str]], truth: set[frozenset[str]]) -> Truth:
    """Find the duplicates among `rows` and compare them with `truth`; nothing is kept in the database."""
    columns = [each.key for each in PEOPLE.comparators]
    with transaction.atomic(), connection.cursor() as cursor:
        shape = ", ".join(f"{column} text" for column in columns)
        cursor.execute(f"CREATE TEMPORARY TABLE known_people (id text, {shape}) ON COMMIT DROP")  # names of ours
        with cursor.cursor.copy(f"COPY known_people (id, {', '.join(columns)}) FROM STDIN") as stream:
            for key, row in rows.items():
                stream.write_row((key, *(row[column] for column in columns)))
        cursor.execute(pairs_sql(PEOPLE, "known_people"))
        pairs = cursor.fetchall()
        cursor.execute("DROP TABLE known_people")
    found = {frozenset(pair) for pair in pairs if judge(PEOPLE, rows[pair[0]], rows[pair[1]]).is_suggested}
    return Truth(len(rows), len(truth), len(pairs), len(found), len(found & truth))
