"""`manage.py bench qa`: 200 rules over 200 kB of HTML in one pass, beside a pass per rule.

The limit is what cannot be left out: reading the document once. The usual way is to let every rule look for itself.
It is measured twice: once kindly, where all rules share the text that was read once and each searches it with its own
compiled expression; once as checkers are usually written, where each reads the document too.
"""

import datetime as dt
import random
import re
from collections.abc import Iterator

from apps.content.domain.qa.engine import Checker
from apps.content.domain.qa.findings import BODY, Given, Rule
from apps.content.domain.qa.reading import read_html
from apps.core.bench.registry import Result, benchmark, interleaved

SIZE, GOAL, SAMPLE = 200_000, 10.0, 10
TODAY = dt.date(2026, 1, 1)


@benchmark("qa", default_rows=200)
def qa(rows: int) -> Iterator[Result]:
    """Check a document of 200 kB with `rows` rules of five terms each."""
    source, rules = document(SIZE), rules_for(rows)
    checker, alone = Checker(rules), [Checker([rule]) for rule in rules[:SAMPLE]]
    patterns = [_pattern(rule) for rule in rules]
    text = read_html(source).text

    def one_pass() -> int:
        return len(checker.check(Given({BODY: read_html(source)}), today=TODAY))

    def read_once() -> None:
        read_html(source)

    def pass_per_rule() -> int:
        read_html(source)
        return sum(sum(1 for _ in pattern.finditer(text)) for pattern in patterns)

    def reading_per_rule() -> None:
        for each in alone:
            each.check(Given({BODY: read_html(source)}), today=TODAY)

    seconds, limit, shared, single = interleaved(one_pass, read_once, pass_per_rule, reading_per_rule, rounds=5)
    whole = single * rows / len(alone)
    more = {
        "bytes": len(source),
        "findings": one_pass(),
        "shared_text_per_rule_seconds": round(shared, 4),
        "to_shared_text": round(shared / seconds, 2),
    }
    goal = f"at least {GOAL:.0f} times as fast as a pass per rule"
    yield Result("qa one pass", rows, seconds, limit, whole, goal, whole / seconds >= GOAL, more)


def document(size: int) -> str:
    """Return HTML of at least `size` characters as newsletters look, the same every time."""
    chance = random.Random(7)  # noqa: S311  # a fixture, no secret
    words = [
        f"{start}{end}" for start in ("mark", "camp", "lead", "pip", "con") for end in ("et", "aign", "line", "ent")
    ]
    parts, length = ['<!DOCTYPE html>\n<html lang="en"><body>\n'], 0
    while length < size:
        text = " ".join(chance.choices(words, k=60))
        part = (
            f'<table><tr><td style="color:#333;background:#fff"><p>{text}</p>'
            '<p><a href="https://www.example.com/a?utm_source=m&amp;utm_medium=mail&amp;utm_campaign=x">Read</a></p>'
            '<p>The best ever 7</p><img src="a.png" alt="A chart of growth"></td></tr></table>\n'
        )
        parts.append(part)
        length += len(part)
    return "".join([*parts, "</body></html>"])


def rules_for(number: int) -> list[Rule]:
    """Return rules of five terms each, of which a few are found."""
    return [
        Rule(
            f"bench/{each}",
            f"Rule {each}",
            "forbidden",
            (f"term{each}", f"best ever {each}", f"guarantee{each} of all", f"number {each}", f"word{each} market"),
        )
        for each in range(number)
    ]


def _pattern(rule: Rule) -> re.Pattern[str]:
    terms = "|".join(re.escape(each).replace(r"\ ", r"\s+") for each in rule.terms)
    return re.compile(rf"\b(?:{terms})\b", re.IGNORECASE)
