"""How alike two records are: each thing compared speaks for or against, and the sum decides; with its evidence.

The weights are those of record linkage (Fellegi and Sunter 1969): the logarithm, to the base 2, of how much more often
records of one person agree (or disagree) than records of two. A value that is missing says nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio

Values = Mapping[str, Any]
Compare = Callable[[str, str], float]


def same(left: str, right: str) -> float:
    """1 where two values are the same, 0 otherwise."""
    return 1.0 if left == right else 0.0


def close(left: str, right: str) -> float:
    """How much of the characters two short codes share, 0 to 1; two swapped neighbours are one slip."""
    return OSA.normalized_similarity(left, right)


def name(left: str, right: str) -> float:
    """How alike two names sound written, 0 to 1, whatever the order of their words."""
    return max(JaroWinkler.normalized_similarity(left, right), token_sort_ratio(left, right) / 100)


@dataclass(frozen=True)
class Comparator:
    """One thing that is compared.

    Attributes:
        key: its name in the values of a record.
        said: what a person reads, for instance "phone".
        compare: returns 0 (nothing alike) to 1 (the same).
        alike: from which likeness on it speaks for one person.
        agrees: what it weighs where it is alike.
        differs: what it weighs where it is not; 0 or less.
    """

    key: str
    said: str
    compare: Compare
    alike: float
    agrees: float
    differs: float


@dataclass(frozen=True)
class Profile:
    """What is compared for one kind of record, which pairs are looked at, and from which sum on they are told.

    Attributes:
        comparators: what is compared.
        blocks: SQL over the record (`t`): records that share one of these values are compared, others never.
        threshold: the sum from which on a pair is suggested.
        crowded: a value that more records share than this says nothing about who they are.
    """

    comparators: Sequence[Comparator]
    blocks: Sequence[str]
    threshold: float
    crowded: int = 40


@dataclass(frozen=True)
class Judged:
    """What comparing a pair gave."""

    weight: float
    evidence: list[dict[str, Any]]
    is_suggested: bool

    @property
    def likeness(self) -> float:
        """How likely it is one person, as 0 to 1, where the two are as likely one as two before anything is known."""
        return float(1 / (1 + 2.0**-self.weight))


def judge(profile: Profile, left: Values, right: Values) -> Judged:
    """Compare two records; the evidence names no values, so that it may be kept."""
    total, evidence = 0.0, []
    for each in profile.comparators:
        mine, theirs = left.get(each.key), right.get(each.key)
        if not mine or not theirs:
            continue
        found = each.compare(mine, theirs)
        weight = each.agrees if found >= each.alike else each.differs
        total += weight
        evidence.append({"what": each.said, "alike": round(found, 3), "weight": weight})
    return Judged(total, evidence, total >= profile.threshold)


def pairs_sql(profile: Profile, rows: str, *, key: str = "id", only: str = "") -> str:
    """Return the SELECT of the pairs (one, two) that share a block.

    Args:
        profile: says the blocks.
        rows: the table or sub-select the records are in.
        key: its key.
        only: SQL over a key (`{0}`) that one of the two has to fulfil; all pairs where it is left out.
    """
    each = " UNION ALL ".join(
        f"SELECT t.{key} AS k, {number} AS block, {value} AS value FROM {rows} t WHERE {value} <> ''"
        for number, value in enumerate(profile.blocks)
    )
    wanted = f"AND ({only.format('a.k')} OR {only.format('b.k')})" if only else ""
    return f"""
        WITH blocked AS MATERIALIZED ({each}),
        shared AS MATERIALIZED (
            SELECT block, value FROM blocked GROUP BY 1, 2 HAVING count(*) BETWEEN 2 AND {profile.crowded}
        ), kept AS MATERIALIZED (SELECT b.* FROM blocked b JOIN shared USING (block, value))
        SELECT DISTINCT a.k AS one, b.k AS two FROM kept a
        JOIN kept b ON b.block = a.block AND b.value = a.value AND a.k < b.k {wanted}
    """
