"""What a request for a campaign must say: a versioned form, and whether a request is complete by it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.text import slugify

from apps.campaigns.models import CampaignRequest, IntakeForm
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.technology.domain.currencies import refuse_currency

if TYPE_CHECKING:
    from apps.accounts.models import User

# The fields a form may require, in the order of the page.
FIELDS = {
    "objective": "Objective",
    "audience": "Audience",
    "starts_on": "Start",
    "ends_on": "End",
    "budget": "Budget",
    "success_metrics": "Success metrics",
    "product": "Product",
    "region": "Region",
}
STANDARD = ("objective", "audience", "starts_on", "ends_on", "budget", "success_metrics")
MOST_QUESTIONS, LONGEST_ANSWER = 20, 5000


def current_form() -> IntakeForm | None:
    """Return the form requests are asked by now; None before the first is published: then the standard one counts."""
    return IntakeForm.objects.order_by("-number").first()


def read_questions(text: str) -> list[dict[str, Any]]:
    """Read further questions: one a line, "Label* | help"; a star makes it required.

    Raises:
        InvalidInput: names the line and what is wrong with it.
    """
    questions: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        label, _, said = (part.strip() for part in line.partition("|"))
        required, label = label.endswith("*"), label.rstrip("*").strip()
        key = slugify(label).replace("-", "_")[:50]
        if not key:
            raise InvalidInput(f"Line {number} asks nothing; write for instance “Which landing page?* | Its address”.")
        if key in FIELDS or key in {each["key"] for each in questions}:
            raise InvalidInput(f"Line {number} asks “{label}” a second time.")
        questions.append({"key": key, "label": label, "required": required, "help": said})
    if len(questions) > MOST_QUESTIONS:
        raise InvalidInput(f"A form asks at most {MOST_QUESTIONS} further questions; nobody answers more.")
    return questions


def written(questions: Iterable[Mapping[str, Any]]) -> str:
    """Write questions the way `read_questions` reads them."""
    lines = (f"{each['label']}{'*' if each['required'] else ''} | {each['help']}".rstrip(" |") for each in questions)
    return "\n".join(lines)


def refuse_publishing(user: "User", form: IntakeForm | None = None) -> str | None:
    """Return why `user` cannot publish a form, None when they can."""
    if access.has_model_permission(user, "add", IntakeForm):
        return None
    return "You may not publish request forms."


def publish_form(
    form: IntakeForm | None = None,
    *,
    by: "User",
    required: Iterable[str],
    questions: str = "",
    lead_days: int = 0,
) -> str:
    """Publish what requests must say from now on; those asked earlier keep the version they were asked by.

    Args:
        form: the version it began from; not read.
        by: who publishes.
        required: names of fields that must be filled in, of `FIELDS`.
        questions: further questions, as `read_questions` reads them.
        lead_days: how many days before the first day one must ask.

    Raises:
        NotAllowed: see `refuse_publishing`.
        InvalidInput: a line cannot be read, a field is unknown, or nothing has changed.
    """
    if refused := refuse_publishing(by):
        raise NotAllowed(refused)
    wanted = [name for name in FIELDS if name in set(required)]
    if unknown := sorted(set(required) - set(FIELDS)):
        raise InvalidInput(f"There is no such field: {', '.join(unknown)}.")
    asked = read_questions(questions)
    with transaction.atomic(), acting_as(by):
        last = IntakeForm.objects.order_by("-number").first()
        if last is not None and (last.required, last.questions, last.lead_days) == (wanted, asked, lead_days):
            raise InvalidInput("Nothing has changed; the form stays as it is.")
        made = IntakeForm.objects.create(
            number=last.number + 1 if last else 1,
            required=wanted,
            questions=asked,
            lead_days=lead_days,
            author=by,
            published_at=clock.now(),
        )
    return f"{made} asks for {len(wanted)} fields and {len(asked)} further answers from now on."


def checked(request: CampaignRequest, form: IntakeForm | None, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the further answers as they are kept, once the whole request is complete.

    Args:
        request: with the values that were given, saved or not.
        form: by which it is asked.
        given: further answers by key.

    Raises:
        InvalidInput: with a sentence for each field that is missing or cannot be used.
    """
    wrong = _wrong_fields(request, form)
    answers: dict[str, str] = {}
    for each in form.questions if form is not None else []:
        value = str(given.get(each["key"]) or "").strip()
        if not value and each["required"]:
            wrong[each["key"]] = f"“{each['label']}” needs an answer."
        elif len(value) > LONGEST_ANSWER:
            wrong[each["key"]] = f"“{each['label']}”: at most {LONGEST_ANSWER:,} characters fit."
        elif value:
            answers[each["key"]] = value
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return answers


def _wrong_fields(request: CampaignRequest, form: IntakeForm | None) -> dict[str, str]:
    required = form.required if form is not None else STANDARD
    wrong = {
        name: f"{FIELDS[name]} is missing; work cannot begin without it."
        for name in FIELDS
        if name in required and getattr(request, name) in (None, "")
    }
    if not request.title.strip():
        wrong["title"] = "Give it a name in one line."
    if request.starts_on and request.ends_on and request.ends_on < request.starts_on:
        wrong["ends_on"] = "A campaign cannot end before it starts; look at the two dates."
    if request.budget is not None and request.budget < 0:
        wrong["budget"] = "A budget cannot be less than nothing."
    if refused := refuse_currency(request.currency):
        wrong["currency"] = refused
    if form is not None and form.lead_days and request.starts_on and "starts_on" not in wrong:
        earliest = request.asked_at.date() + dt.timedelta(days=form.lead_days)
        if request.starts_on < earliest:
            wrong["starts_on"] = (
                f"It takes {form.lead_days} days to prepare a campaign: {earliest:%-d %B %Y} is the first day possible."
            )
    return wrong
