"""What a ticket can be about: kinds of records, how they are called in SQL, and what they are found by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Coalesce, NullIf


@dataclass(frozen=True)
class Subject:
    """A kind of record that tickets are about.

    Attributes:
        key: of the kind, "campaigns.campaign".
        title: the expression for its name, as text.
        found_by: lookups that words are looked for in.
    """

    key: str
    title: Any
    found_by: Sequence[str]

    @property
    def model(self) -> type[models.Model]:
        """Its model."""
        return apps.get_model(self.key)

    @property
    def name(self) -> str:
        """What one of them is called."""
        return str(self.model._meta.verbose_name)


def _plain(key: str, name: str) -> Subject:
    return Subject(key, models.F(name), (f"{name}__icontains",))


_EMPTY = models.Value("")
_LEAD = Coalesce(
    NullIf("name", _EMPTY), NullIf("email", _EMPTY), NullIf("external_id", _EMPTY), models.Value("Lead without a name")
)
SUBJECTS = {
    each.key: each
    for each in (
        _plain("campaigns.campaign", "name"),
        Subject("leads.lead", _LEAD, ("name__icontains", "email__iexact", "external_id__iexact")),
        _plain("technology.tool", "name"),
        _plain("processes.process", "title"),
        _plain("processes.run", "title"),
    )
}
