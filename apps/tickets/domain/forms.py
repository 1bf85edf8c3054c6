"""Forms of the catalogue: written by staff line by line, published as versions, and checked when answered."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.text import slugify

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.tickets.models import FormVersion, TicketType

if TYPE_CHECKING:
    from apps.accounts.models import User

KINDS = ("text", "long text", "choice", "date", "number", "yes or no")
MOST_QUESTIONS = 30
MOST_CHOICES = 50
LONGEST_ANSWER = 5000


@dataclass(frozen=True)
class Question:
    """One thing a form asks."""

    key: str
    label: str
    kind: str
    required: bool
    choices: tuple[str, ...] = ()
    help: str = ""


def read_questions(text: str) -> list[Question]:
    """Read a form as staff write it: one question a line, "Label* | kind | choices or help"; a star makes it required.

    Raises:
        InvalidInput: names the line and what is wrong with it.
    """
    questions: list[Question] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            questions.append(_read_line(line, number, {each.key for each in questions}))
    if len(questions) > MOST_QUESTIONS:
        raise InvalidInput(f"A form asks at most {MOST_QUESTIONS} questions; nobody answers more.")
    return questions


def written(questions: Sequence[Mapping[str, Any]]) -> str:
    """Write a form the way `read_questions` reads it."""
    lines = []
    for each in questions:
        label = f"{each['label']}{'*' if each['required'] else ''}"
        rest = ", ".join(each["choices"]) if each["kind"] == "choice" else each["help"]
        lines.append(" | ".join(filter(None, (label, each["kind"], rest))))
    return "\n".join(lines)


def refuse_form(user: "User", kind: TicketType) -> str | None:
    """Return why `user` cannot publish a form of `kind`, None when they can."""
    if not access.can(user, "change", kind):
        return f"You may not change {kind}."
    return f"{kind} is archived; restore it first." if kind.is_archived else None


def publish_form(kind: TicketType, *, by: "User", questions: str) -> str:
    """Publish what tickets of a type ask from now on; those asked earlier keep the version they were asked by.

    Raises:
        NotAllowed: see `refuse_form`.
        InvalidInput: a line cannot be read, or nothing has changed.
    """
    asked = [asdict(each) | {"choices": list(each.choices)} for each in read_questions(questions)]
    if refused := refuse_form(by, kind):
        raise NotAllowed(refused)
    with transaction.atomic(), acting_as(by):
        row = TicketType.objects.select_for_update(of=("self",)).get(pk=kind.pk)
        last = row.current_form
        if last is not None and last.questions == asked:
            raise InvalidInput("Nothing has changed; the form stays as it is.")
        made = FormVersion.objects.create(
            type=row, number=last.number + 1 if last else 1, questions=asked, author=by, published_at=clock.now()
        )
    return f"Form {made.number} of {row} asks {len(asked)} question{'' if len(asked) == 1 else 's'} from now on."


def checked_answers(form: FormVersion | None, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers as they are kept, by question.

    Raises:
        InvalidInput: with a sentence for each question that was not answered as it should.
    """
    answers, wrong = {}, {}
    for each in form.questions if form is not None else []:
        value = str(given.get(each["key"]) or "").strip()[:LONGEST_ANSWER]
        sentence = _wrong(each, value)
        if sentence:
            wrong[each["key"]] = sentence
        elif value:
            answers[each["key"]] = value
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return answers


def answered(form: FormVersion | None, answers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return questions and answers to show, in the order of the form."""
    asked = form.questions if form is not None else []
    return [(each["label"], answers[each["key"]]) for each in asked if each["key"] in answers]


def _read_line(line: str, number: int, taken: set[str]) -> Question:
    label, kind, rest = (*(part.strip() for part in line.split("|", 2)), "", "")[:3]
    kind = (kind or "text").lower()
    required, label = label.endswith("*"), label.rstrip("*").strip()
    key = slugify(label).replace("-", "_")[:50]
    if not key:
        raise InvalidInput(f"Line {number} asks nothing; write for instance “Campaign name* | text”.")
    if kind not in KINDS:
        raise InvalidInput(f"Line {number}: “{kind}” is no kind of answer; there are {', '.join(KINDS)}.")
    if key in taken:
        raise InvalidInput(f"Line {number} asks “{label}” a second time.")
    choices = tuple(dict.fromkeys(filter(None, (part.strip() for part in rest.split(",")))))
    if kind != "choice":
        return Question(key, label, kind, required, help=rest)
    if not 2 <= len(choices) <= MOST_CHOICES:
        raise InvalidInput(f"Line {number}: a choice needs 2 to {MOST_CHOICES} answers, separated by commas.")
    return Question(key, label, kind, required, choices=choices)


def _wrong(question: Mapping[str, Any], value: str) -> str:
    label, kind = question["label"], question["kind"]
    if not value:
        return f"“{label}” needs an answer." if question["required"] else ""
    if kind == "choice" and value not in question["choices"]:
        return f"“{label}”: choose one of {', '.join(question['choices'])}."
    if kind == "date":
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            return f"“{label}”: write a date like 2026-12-24."
    if kind == "number":
        try:
            Decimal(value)
        except InvalidOperation:
            return f"“{label}”: write a number."
    return ""
