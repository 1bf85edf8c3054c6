"""The tags of a record as a field of a catalog."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef

from apps.core.records import kind_of
from apps.core.rules import expressions as sql
from apps.core.rules.field_types import Reference, listed
from apps.core.rules.moment import Moment
from apps.core.rules.operators import TAG_COMPARISONS, Op
from apps.core.workspace.models import Tag, TaggedRecord


class Tags(Reference):
    """The tags on a record of `subject`, by key."""

    key = "tags"
    words = TAG_COMPARISONS

    def __init__(self, subject: type[models.Model]) -> None:
        super().__init__(Tag)
        self.subject = subject

    def actual(self, given: Iterable[int] | None) -> frozenset[int] | None:
        """Return the keys of the tags; no tags are none."""
        return frozenset(given or ()) or None

    def holds(self, op: Op, actual: Any, operand: Any, moment: Moment) -> bool:
        """Whether some, or all, of the tags are there."""
        return actual >= set(operand) if op == Op.HAS_ALL else bool(actual & set(operand))

    def condition(self, op: Op, left: Any, operand: Any, moment: Moment) -> Any:
        """Return the same as SQL."""
        about = TaggedRecord.objects.about_model(self.subject).filter(object_id=OuterRef("pk"))
        if op == Op.EMPTY:
            return sql.not_true(Exists(about))
        if op == Op.HAS_ANY:
            return Exists(about.filter(tag__in=list(operand)))
        return sql.joined("AND", [Exists(about.filter(tag=each)) for each in operand])

    def phrase(self, op: Op, operand: Any) -> str:
        """Return "has all of a and b"."""
        if op == Op.HAS_ALL:
            return f"{self.words[op]} {listed((self.say(each) for each in operand), 'and')}"
        return super().phrase(op, operand)

    def tags_of(self, keys: Iterable[Any]) -> dict[Any, set[int]]:
        """Return the tags of some records, by key."""
        found: dict[Any, set[int]] = {key: set() for key in keys}
        rows = TaggedRecord.objects.filter(content_type=kind_of(self.subject), object_id__in=list(found))
        for record, tag in rows.values_list("object_id", "tag_id"):
            found[record].add(tag)
        return found
