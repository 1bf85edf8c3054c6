"""What a person answers for, across every app: registered once, asked when somebody leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Count

from apps.accounts.models import OwnedModel, User
from apps.core import access
from apps.core.governed import GovernedBase

SHOWN_PER_POST = 20


@dataclass(frozen=True)
class Post:
    """One way to answer for something: a foreign key to a person.

    Attributes:
        model: whose rows are answered for.
        field: the foreign key to the person.
        capacity: the person's part, in words: "owner", "backup".
        still_matters: narrows to the rows for which a vacancy would hurt; archived rows never do.
    """

    model: type[models.Model]
    field: str
    capacity: str
    still_matters: Callable[[models.QuerySet[Any]], models.QuerySet[Any]] | None = None

    @property
    def kind(self) -> str:
        """The model as "app.model"."""
        return self.model._meta.label_lower

    def held_by(self, person: User) -> models.QuerySet[Any]:
        """Return the rows for which `person` answers in this capacity."""
        rows: models.QuerySet[Any] = self.model._base_manager.filter(**{self.field: person}).order_by("pk")
        if issubclass(self.model, GovernedBase):
            rows = rows.filter(archived_at__isnull=True)
        return self.still_matters(rows) if self.still_matters else rows


@dataclass(frozen=True)
class Holding:
    """What one person holds in one capacity, as another person may see it."""

    post: Post
    number: int
    shown: list[Any]

    @property
    def title(self) -> str:
        """The capacity and the kind, for instance "Owner of 3 tools"."""
        opts = self.post.model._meta
        kind = opts.verbose_name if self.number == 1 else opts.verbose_name_plural
        return f"{self.post.capacity.capitalize()} of {self.number} {kind}"

    @property
    def hidden(self) -> int:
        """How many rows are not listed."""
        return self.number - len(self.shown)


_registered: list[Post] = []


def register_ownership(
    model: type[models.Model],
    field: str,
    capacity: str,
    *,
    still_matters: Callable[[models.QuerySet[Any]], models.QuerySet[Any]] | None = None,
) -> None:
    """Say that the person in `field` answers for rows of `model`; from `AppConfig.ready`. OwnedModel needs no call."""
    _registered.append(Post(model, field, capacity, still_matters))


def posts() -> list[Post]:
    """Return every way to answer for something: those of OwnedModel, then the registered ones."""
    owned = [model for model in apps.get_models() if issubclass(model, OwnedModel)]
    own = [
        Post(model, field, capacity)
        for model in owned
        for field, capacity in (("owner_person", "owner"), ("backup_person", "backup"))
    ]
    return [*own, *_registered]


def holdings_of(person: User, *, seen_by: User) -> list[Holding]:
    """Return what `person` answers for; rows that `seen_by` may not see are counted, not named."""
    found = []
    for post, number in _counted(person):
        held = post.held_by(person)
        visible = access.visible(seen_by, post.model).filter(pk__in=held.values("pk"))
        found.append(Holding(post, number, list(visible[:SHOWN_PER_POST])))
    return found


def _counted(person: User) -> list[tuple[Post, int]]:
    """The posts in which `person` answers for something, with how many rows: one question however many posts are."""
    every = posts()
    counts = [
        post.held_by(person).order_by().annotate(post=models.Value(place)).values("post").annotate(rows=Count("pk"))
        for place, post in enumerate(every)
    ]
    numbers = {row["post"]: row["rows"] for row in counts[0].union(*counts[1:], all=True) if row["rows"]}
    return [(post, numbers[place]) for place, post in enumerate(every) if place in numbers]


def post_of(kind: str, field: str) -> Post | None:
    """Find the post that a vacancy names; None when no app has it any more."""
    return next((post for post in posts() if (post.kind, post.field) == (kind, field)), None)


def owned_by(person: User) -> models.Q:
    """Return the condition on an OwnedModel: the person owns it, or one of their teams does and no person is named."""
    teams = person.team_keys()
    return models.Q(owner_person=person) | models.Q(owner_person__isnull=True, owner_team__in=teams)
