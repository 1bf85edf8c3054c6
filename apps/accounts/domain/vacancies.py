"""Handing over what a person answered for, or keeping on record that nobody does."""

from typing import Any

from django.db import transaction
from django.db.models import Count

from apps.accounts.domain.ownership import Post, post_of, posts
from apps.accounts.domain.rights import ONLY_ADMINISTRATORS, is_administrator
from apps.accounts.models import User, Vacancy
from apps.core import clock, events
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import Severity
from apps.core.errors import InvalidInput, NotAllowed, WrongState


def hand_over(person: User, successor: User) -> int:
    """Put `successor` in every place of `person`; where that makes one person owner and backup, the backup is freed.

    Returns:
        How many things changed hands.
    """
    number = 0
    for post in posts():
        for row in post.held_by(person):
            if post.model is User and row.pk == successor.pk:
                _put(post, row, None if person.manager_id == successor.pk else person.manager)
            else:
                _put(post, row, successor)
            number += 1
    return number


def _put(post: Post, row: Any, person: User | None) -> None:
    fields = [post.field]
    setattr(row, post.field, person)
    for other in ("owner_person", "backup_person"):
        if other != post.field and person is not None and getattr(row, f"{other}_id", None) == person.pk:
            if post.field == "backup_person":
                setattr(row, post.field, None)
            else:
                setattr(row, other, None)
                fields.append(other)
    row.save(update_fields=fields)


def record_vacancies(person: User) -> int:
    """Keep on record everything that nobody answers for once `person` is gone; returns how many there are."""
    number = 0
    for post in posts():
        for row in post.held_by(person):
            number += _record(post, row, person)
    return number


def _record(post: Post, row: Any, person: User) -> bool:
    _, made = Vacancy.objects.get_or_create(
        kind=post.kind,
        object_id=str(row.pk),
        field=post.field,
        filled_at=None,
        defaults={"left_by": person, "label": str(row)[:250], "capacity": post.capacity},
    )
    return made


def refuse_vacate(post: Post, row: Any) -> str | None:
    """Return why nobody can be left to answer for `row` in this capacity, None when it works."""
    if post.model._meta.get_field(post.field).null:
        return None
    return f"{row} always has its {post.capacity}; hand it over on its own page."


def vacate(post: Post, row: Any, *, by: User, reason: str) -> str:
    """Take a person out of their place; that nobody answers for it any more stays on record as a vacancy.

    Raises:
        NotAllowed: `by` is no administrator.
        WrongState: there is nobody, or the place cannot be empty.
    """
    if not is_administrator(by):
        raise NotAllowed(ONLY_ADMINISTRATORS)
    with transaction.atomic(), acting_as(by, reason=reason):
        row = post.model._base_manager.select_for_update(of=("self",)).get(pk=row.pk)
        person: User | None = getattr(row, post.field)
        if person is None:
            raise WrongState(f"Nobody is {post.capacity} of {row}.")
        if refused := refuse_vacate(post, row):
            raise WrongState(refused)
        _put(post, row, None)
        _record(post, row, person)
    return f"{person} is no longer {post.capacity} of {row}; the vacancy is on record."


def refuse_fill(by: User, vacancy: Vacancy) -> str | None:
    """Return why `by` cannot fill this vacancy now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if vacancy.filled_at:
        return "This vacancy has been filled."
    return None


def fill_vacancy(vacancy: Vacancy, *, person: User, by: User) -> str:
    """Let `person` answer for the thing from now on.

    Raises:
        NotAllowed: `by` is no administrator.
        WrongState: it is filled already, or the thing is gone.
        InvalidInput: the person is deactivated.
    """
    with transaction.atomic(), acting_as(by, reason=f"Vacancy left by {vacancy.left_by}"):
        vacancy = Vacancy.objects.select_for_update(of=("self",)).get(pk=vacancy.pk)
        if refused := refuse_fill(by, vacancy):
            raise (WrongState if is_administrator(by) else NotAllowed)(refused)
        if not person.is_active:
            raise InvalidInput(f"{person} is deactivated; choose somebody who works here.")
        post = post_of(vacancy.kind, vacancy.field)
        row = post.model._base_manager.filter(pk=vacancy.object_id).first() if post else None
        if post is None or row is None:
            raise WrongState(f"{vacancy.label} is not there any more.")
        _put(post, row, person)
        if getattr(row, f"{post.field}_id") != person.pk:
            raise InvalidInput(f"{person} is the owner of {vacancy.label}; the backup must be somebody else.")
        _close(vacancy, person)
        events.publish("vacancy.filled", vacancy_id=vacancy.pk)
    return f"{person} is now {vacancy.capacity} of {vacancy.label}."


def close_filled_vacancies() -> int:
    """Close the vacancies that were filled on the thing's own page, or whose thing is gone; returns how many."""
    number = 0
    for vacancy in Vacancy.objects.filter(filled_at=None):
        post = post_of(vacancy.kind, vacancy.field)
        row = post.model._base_manager.filter(pk=vacancy.object_id).first() if post else None
        holder = getattr(row, post.field) if post and row else None
        if row is None or (holder is not None and holder.is_active) or getattr(row, "archived_at", None):
            _close(vacancy, holder)
            number += 1
    return number


def _close(vacancy: Vacancy, person: User | None) -> None:
    vacancy.filled_at, vacancy.filled_by = clock.now(), person
    vacancy.save(update_fields=["filled_at", "filled_by"])


def watch_vacancies() -> dict[str, int]:
    """Close what was filled elsewhere, and keep one alert per leaver open as long as something is vacant.

    Returns:
        How many were closed, and for how many people something is still vacant.
    """
    closed = close_filled_vacancies()
    left = Vacancy.objects.filter(filled_at=None).values("left_by").annotate(number=Count("pk"))
    numbers = {row["left_by"]: row["number"] for row in left}
    for person in User.objects.filter(vacancies__isnull=False).distinct():
        fingerprint = f"vacancies:{person.pk}"
        if number := numbers.get(person.pk):
            things = "one thing has" if number == 1 else f"{number} things have"
            raise_alert(
                fingerprint,
                title=f"Since {person} left, {things} nobody who answers for {'it' if number == 1 else 'them'}.",
                severity=Severity.WARNING,
                subject=person,
                runbook="Open Administration › Vacancies and fill each, or hand things over on their own pages.",
            )
        else:
            resolve_alert(fingerprint, why="Every vacancy is filled.")
    return {"closed": closed, "people": len(numbers)}
