"""Territories: where a role may be limited to; a tree, told apart by the names that records carry."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from apps.core.governed import GovernedModel


def spelled(name: str) -> str:
    """Return a name as it is compared: without surrounding blanks, in small letters."""
    return name.strip().lower()


class Territory(GovernedModel):
    """A part of the market, for instance DACH below EMEA; a role limited to it sees the rows of its whole tree."""

    name = models.CharField(max_length=60, help_text="As leads, companies and campaigns carry it, for instance DACH.")
    also_called = models.TextField(
        "also called",
        blank=True,
        help_text="Other names for it, one a line: spellings of other systems, countries, “global”.",
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name="part of",
        help_text="The territory above it. Whoever is limited to that one sees this one too.",
    )

    class Meta(GovernedModel.Meta):
        verbose_name_plural = "territories"
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="territory_once",
                violation_error_message="There is already a territory of this name.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""), name="territory_named", violation_error_message="A territory needs a name."
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="territory_not_its_own_part",
                violation_error_message="A territory cannot be part of itself.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def names(self) -> frozenset[str]:
        """Every name of it, as compared with what records carry."""
        given = (self.name, *self.also_called.splitlines())
        return frozenset(spelled(each) for each in given if each.strip())

    def clean(self) -> None:
        """Refuse a circle, and a name that another territory carries."""
        super().clean()
        # archived ones, too: roles are limited to them still, and they may be restored
        others: dict[Any, Territory] = {each.pk: each for each in Territory._default_manager.exclude(pk=self.pk)}
        above, steps = self.parent_id, 0
        while above is not None and steps <= len(others):
            if above == self.pk:
                raise ValidationError({"parent": f"{self.parent} is part of this one already; that would be a circle."})
            above, steps = others[above].parent_id if above in others else None, steps + 1
        for other in others.values():
            if shared := sorted(self.names & other.names):
                field = "name" if spelled(self.name) in shared else "also_called"
                raise ValidationError({field: f"“{shared[0]}” is a name of the territory {other} already."})
