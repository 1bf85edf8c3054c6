"""The operators of predicates: what each asks, and which ones merely say the opposite of another."""

from enum import StrEnum


class Op(StrEnum):
    """What a leaf of a predicate asks of a value. The words belong to the type of the field."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS = "starts_with"
    ENDS = "ends_with"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    LAST_DAYS = "last_days"
    OLDER_DAYS = "older_days"
    NEXT_DAYS = "next_days"
    LATER_DAYS = "later_days"
    HAS_ANY = "has_any"
    HAS_ALL = "has_all"
    HAS_NONE = "has_none"
    EMPTY = "empty"
    FILLED = "filled"


# The operators on the left are the plain opposite of those on the right, an empty value included: "country is not
# Spain" holds where no country is known. Engines know the right-hand side alone.
OPPOSITES: dict[Op, Op] = {
    Op.NE: Op.EQ,
    Op.NOT_IN: Op.IN,
    Op.NOT_CONTAINS: Op.CONTAINS,
    Op.HAS_NONE: Op.HAS_ANY,
    Op.FILLED: Op.EMPTY,
}
# On a value that is never empty these, too, are opposites; there an index serves the negation.
FLIPPED: dict[Op, Op] = {Op.GT: Op.LTE, Op.GTE: Op.LT, Op.LT: Op.GTE, Op.LTE: Op.GT}

WITHOUT_VALUE = (Op.EMPTY, Op.FILLED)
MANY_VALUES = (Op.IN, Op.NOT_IN, Op.HAS_ANY, Op.HAS_ALL, Op.HAS_NONE)
IN_DAYS = (Op.LAST_DAYS, Op.OLDER_DAYS, Op.NEXT_DAYS, Op.LATER_DAYS)

COMPARISONS: dict[Op, str] = {
    Op.EQ: "is",
    Op.NE: "is not",
    Op.GTE: "is at least",
    Op.GT: "is more than",
    Op.LTE: "is at most",
    Op.LT: "is less than",
    Op.BETWEEN: "is between",
    Op.EMPTY: "is empty",
    Op.FILLED: "is filled in",
}
DATE_COMPARISONS: dict[Op, str] = {
    Op.EQ: "is on",
    Op.NE: "is not on",
    Op.LT: "is before",
    Op.LTE: "is on or before",
    Op.GT: "is after",
    Op.GTE: "is on or after",
    Op.BETWEEN: "is between",
    Op.LAST_DAYS: "is in the last … days",
    Op.OLDER_DAYS: "is more than … days ago",
    Op.NEXT_DAYS: "is in the next … days",
    Op.LATER_DAYS: "is more than … days ahead",
    Op.EMPTY: "is empty",
    Op.FILLED: "is filled in",
}
TEXT_COMPARISONS: dict[Op, str] = {
    Op.EQ: "is",
    Op.NE: "is not",
    Op.CONTAINS: "contains",
    Op.NOT_CONTAINS: "does not contain",
    Op.STARTS: "starts with",
    Op.ENDS: "ends with",
    Op.IN: "is one of",
    Op.NOT_IN: "is none of",
    Op.EMPTY: "is empty",
    Op.FILLED: "is filled in",
}
CHOICE_COMPARISONS: dict[Op, str] = {
    op: TEXT_COMPARISONS[op] for op in (Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.EMPTY, Op.FILLED)
}
TAG_COMPARISONS: dict[Op, str] = {
    Op.HAS_ANY: "has one of",
    Op.HAS_ALL: "has all of",
    Op.HAS_NONE: "has none of",
    Op.EMPTY: "are none",
    Op.FILLED: "are some",
}
