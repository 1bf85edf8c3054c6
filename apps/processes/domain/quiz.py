"""Questions about a version: written as plain lines, checked against what readers answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.core.errors import InvalidInput

MOST_QUESTIONS, MOST_ANSWERS = 20, 8
WRONG, RIGHT = "- ", "* "


@dataclass(frozen=True)
class Question:
    """One question, its answers, and which of them (by place) are right."""

    text: str
    answers: tuple[str, ...]
    right: frozenset[int]

    @property
    def has_several(self) -> bool:
        """Whether more than one answer is right."""
        return len(self.right) > 1


def read_questions(text: str) -> list[Question]:
    """Read questions as people write them: a line, then answers after "- ", right ones after "* ".

    Raises:
        InvalidInput: something cannot be asked; says which and what to do.
    """
    if problem := problem_of(text):
        raise InvalidInput(problem, fields={"questions": problem})
    return [
        Question(
            text=lines[0],
            answers=tuple(line[2:].strip() for line in lines[1:]),
            right=frozenset(place for place, line in enumerate(lines[1:]) if line.startswith(RIGHT)),
        )
        for lines in _blocks(text)
    ]


def problem_of(text: str) -> str | None:
    """Return in a sentence why these questions cannot be asked, None when they can."""
    blocks = _blocks(text)
    if len(blocks) > MOST_QUESTIONS:
        return f"{len(blocks)} questions are too many; nobody answers more than {MOST_QUESTIONS}."
    return next((problem for block in blocks if (problem := _problem_of_one(block))), None)


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            blocks[-1].append(line.strip())
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _problem_of_one(lines: list[str]) -> str | None:
    head, rest = lines[0], lines[1:]
    if head.startswith((WRONG, RIGHT)):
        return f"“{head}” is an answer without a question; write the question on the line before it."
    if strange := [line for line in rest if not line.startswith((WRONG, RIGHT))]:
        return (
            f"“{strange[0]}” is neither a question nor an answer: answers begin with “- ” or “* ”, and an empty line "
            "stands before the next question."
        )
    if not 2 <= len(rest) <= MOST_ANSWERS:
        return f"“{head}” has {len(rest)} answers; offer between two and {MOST_ANSWERS}."
    if not any(line.startswith(RIGHT) for line in rest):
        return f"“{head}” has no right answer; mark it with “* ”."
    return None


def wrong_answers(questions: Sequence[Question], given: Mapping[int, frozenset[int]]) -> list[Question]:
    """Return the questions that were answered wrongly or not at all.

    Args:
        questions: what was asked.
        given: for the place of each question the places of the answers that were chosen.
    """
    return [each for place, each in enumerate(questions) if given.get(place, frozenset()) != each.right]
