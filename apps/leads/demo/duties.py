"""The demo's duties, standards, availability and naming rules."""

import datetime as dt
from decimal import Decimal

from apps.accounts.models import User
from apps.core import clock
from apps.core.actors import acting_as
from apps.technology.domain.duties import do_duty, give_duties
from apps.technology.models import (
    AdminStandard,
    AvailabilitySample,
    NamingRule,
    OwnerDuty,
    ServiceTarget,
    StandardCheck,
    Tool,
)

People = dict[str, User]
STANDARDS = (
    ("naming", "How tools and campaigns are named", "Region, channel, what it is, and the month, in small letters."),
    ("folders", "Folders in every tool", "One folder per team, one per year below; nothing lies at the top."),
    ("permissions", "Who gets which access", "By role, never to a person alone; administrators have a second factor."),
    ("backups", "What is backed up", "Exported once a month to the archive; a restore is tried twice a year."),
)
CHECKS = (
    ("yes", "Looked at with the owner; follows it."),
    ("no", "Eleven lists lie at the top level."),
    ("unknown", ""),
    ("yes", "Export of October is in the archive."),
)


def fill_duties(people: People, today: dt.date) -> None:
    """Give duties and do some of them; write standards, targets, measurements and a naming rule down."""
    by = people["technology_administrator"]
    give_duties(today - dt.timedelta(days=20), by=by)
    tools = list(Tool.objects.filter(lifecycle="active").order_by("pk")[:8])
    for number, duty in enumerate(OwnerDuty.objects.filter(tool__in=tools).order_by("tool", "kind")):
        if number % 4 == 0:
            said = "Looked through errors and limits with the team; nothing open. Notes are in the journal."
            do_duty(duty, by=by, reason=said, at=dt.datetime.combine(today, dt.time(9), dt.UTC))
    with acting_as(by):
        rule = NamingRule.objects.create(
            name="Campaign names",
            pattern="{region}_{channel}_{name}_{month}",
            tokens={
                "region": {"kind": "choice", "values": ["dach", "nordics", "uk", "benelux", "global"]},
                "channel": {"kind": "choice", "values": ["email", "event", "paid", "social", "webinar"]},
                "month": {"kind": "date", "form": "YYYYMM"},
            },
            lower_case=True,
            longest=80,
            example="dach_webinar_attribution-basics_202611",
        )
        _standards(tools, rule, by)
        _targets(tools, by)


def _standards(tools: list[Tool], rule: NamingRule, by: User) -> None:
    for number, (kind, title, text) in enumerate(STANDARDS):
        made = AdminStandard.objects.create(
            kind=kind, title=title, text=text, owner_person=by, naming_rule=rule if kind == "naming" else None
        )
        for place, tool in enumerate(tools[:4]):
            follows, evidence = CHECKS[(number + place) % len(CHECKS)]
            StandardCheck.objects.create(standard=made, tool=tool, follows=follows, evidence=evidence)


def _targets(tools: list[Tool], by: User) -> None:
    end = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = []
    for number, tool in enumerate(tools[:5]):
        target = Decimal("99.9") if number == 0 else Decimal("99.5")
        ServiceTarget.objects.create(tool=tool, availability=target, response_ms=1500, source="Contract")
        if number == 4:  # nobody measures this one
            continue
        for days_ago in range(29):
            start = end - dt.timedelta(days=days_ago + 1)
            down = 55 * number if days_ago == 6 else 0
            rows.append(
                AvailabilitySample(
                    tool=tool,
                    starts_at=start,
                    ends_at=start + dt.timedelta(days=1),
                    up_minutes=1440 - down,
                    down_minutes=down,
                    response_ms=420 + 130 * number + 7 * days_ago,
                    source="Status page",
                    recorded_by=by.get_username(),
                )
            )
    AvailabilitySample.objects.bulk_create(rows)
