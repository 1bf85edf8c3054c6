"""Data quality: what the checks in force find, counted every night, with its trend and who answers for it."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.rules.bodies import Rule
from apps.core.rules.domain.counting import in_use
from apps.leads.models import Lead, QualityCount
from apps.leads.quality_rules import checks_in_force, found_by

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

DAYS = 30


@dataclass(frozen=True)
class Standing:
    """One check as it stands now, among the leads somebody sees, with its trend over all leads."""

    rule: Rule
    owner: str
    wrong: int
    asked: int
    trend: list[QualityCount]

    @property
    def share(self) -> float:
        """The share of leads it finds."""
        return self.wrong / self.asked if self.asked else 0.0

    @property
    def is_met(self) -> bool:
        """Whether the goal is kept."""
        return self.share * 100 <= float(self.rule.outcome["goal"])

    @property
    def change_words(self) -> str:
        """How many more or fewer than on the first day of the trend."""
        if len(self.trend) < 2:
            return "no trend yet"
        change = self.trend[-1].wrong - self.trend[0].wrong
        word = "more" if change > 0 else "fewer"
        return f"{abs(change)} {word} than on {self.trend[0].day:%-d %b}" if change else "as many as then"


def count_quality(*, at: dt.datetime | None = None) -> dict[str, int]:
    """Count what each check finds and keep it for the day; safe to repeat."""
    now = at or clock.now()
    version, rules = checks_in_force()
    if version is None:
        return {"checks": 0, "wrong": 0}
    everybody, day, total = Lead.objects.all(), clock.today(), 0
    asked = in_use(everybody).count()
    with transaction.atomic():
        for rule in rules:
            wrong = found_by(everybody, rule, as_of=now).count()
            QualityCount.objects.update_or_create(
                check_key=rule.key, day=day, defaults={"version": version, "asked": asked, "wrong": wrong}
            )
            total += wrong
    return {"checks": len(rules), "wrong": total}


def standings(user: User) -> "tuple[RuleVersion | None, list[Standing]]":
    """Return each check in force as it stands among the leads that `user` sees."""
    version, rules = checks_in_force()
    seen, now = access.visible(user, Lead), clock.now()
    asked = in_use(seen).count()
    since = clock.today() - dt.timedelta(days=DAYS)
    trends: dict[str, list[QualityCount]] = {}
    for row in QualityCount.objects.filter(day__gte=since).order_by("day"):
        trends.setdefault(row.check_key, []).append(row)
    owners = {person.pk: str(person) for person in User.objects.filter(pk__in=[_owner(rule) for rule in rules])}
    told = [
        Standing(
            rule,
            owners.get(_owner(rule), "nobody any more"),
            found_by(seen, rule, as_of=now).count(),
            asked,
            trends.get(rule.key, []),
        )
        for rule in rules
    ]
    return version, told


def _owner(rule: Rule) -> Any:
    owner = rule.outcome["owner"]
    return getattr(owner, "pk", owner)


def failing(rows: "QuerySet[Any]", key: str) -> "QuerySet[Any]":
    """Return those of `rows` that the check of this key finds, none where there is no such check."""
    rule = next((each for each in checks_in_force()[1] if each.key == key), None)
    return rows.none() if rule is None else found_by(rows, rule, as_of=clock.now())
