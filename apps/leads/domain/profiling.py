"""Progressive profiling: what a form asks next, of what is not known yet or was said too long ago."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from apps.core import clock
from apps.leads.models import FieldValue, IntakeSource, Lead

QUESTIONS = ("name", "email", "phone", "job_title", "company", "country", "product_interest")


@dataclass(frozen=True)
class Question:
    """One field a form asks for, and why now."""

    field: str
    label: str
    why: str


def wrong_plan(plan: object) -> str | None:
    """Return what is wrong with a plan of questions, None when it can be used."""
    if not isinstance(plan, list) or not all(isinstance(name, str) for name in plan):
        return "The plan is a list of our fields, for instance [“job_title”, “phone”]."
    unknown = [name for name in plan if name not in QUESTIONS]
    if unknown:
        return f"A form does not ask for “{unknown[0]}”; it asks for {', '.join(QUESTIONS)}."
    return "Each field is asked once." if len(set(plan)) < len(plan) else None


def next_questions(source: IntakeSource, lead: Lead | None, *, now: dt.datetime | None = None) -> list[Question]:
    """Return what `source` asks `lead` next: what it must bring, then as many of its plan as it asks at once.

    Args:
        source: with its plan (`asks`), how many it asks at once and after how many days it asks again.
        lead: as far as it is known; None where nobody is.
        now: another moment, where one is meant.
    """
    moment = now or clock.now()
    seen = dict(_seen(lead)) if lead is not None else {}
    due = [name for name in source.asks if _is_due(source, lead, name, seen, moment)]
    first = [name for name in source.required if lead is None or not getattr(lead, name)]
    asked: Sequence[str] = [*first, *(name for name in due if name not in first)]
    wanted = asked[: max(len(first), source.asks_at_once)]
    return [Question(name, _label(name), _why(lead, name)) for name in wanted]


def _seen(lead: Lead) -> list[tuple[str, dt.datetime]]:
    rows = FieldValue.objects.filter(lead=lead, is_taken=True).order_by("observed_at", "pk")
    return list(rows.values_list("field", "observed_at"))


def _is_due(source: IntakeSource, lead: Lead | None, name: str, seen: dict[str, dt.datetime], now: dt.datetime) -> bool:
    if lead is None or not getattr(lead, name):
        return True
    return bool(
        source.asks_again_after and name in seen and now - seen[name] > dt.timedelta(days=source.asks_again_after)
    )


def _label(name: str) -> str:
    words = str(Lead._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return words[:1].upper() + words[1:]


def _why(lead: Lead | None, name: str) -> str:
    return "said long ago" if lead is not None and getattr(lead, name) else "not known yet"
