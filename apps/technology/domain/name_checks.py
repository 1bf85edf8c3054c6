"""Names of a kind held to the rules that check it: what other apps ask before a campaign or a link gets its name.

The kind is the key under which its app called `register_names` (`apps.technology.domain.name_trials`), for instance
"campaigns" or "utm_campaign"; staff write a rule and choose there what it checks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from apps.technology.domain.naming import Compiled, compiled, judge
from apps.technology.models import NamingRule


@dataclass(frozen=True)
class NameFinding:
    """A rule that a name does not follow, why, and how it would."""

    rule: str
    pattern: str
    problems: tuple[str, ...]
    suggestion: str = ""

    @property
    def sentence(self) -> str:
        """The finding in words, with the way out where it is known."""
        better = f" Write “{self.suggestion}”." if self.suggestion else ""
        return f"It does not follow {self.rule}, {self.pattern}: {' '.join(self.problems)}{better}"


def checker(kind: str) -> Callable[[str], tuple[NameFinding, ...]]:
    """Return a check of many names of a kind; the rules are read once, here.

    A kind may have several rules (one for mails, one for events): a name is right as soon as it follows one of them.
    """
    return checkers(kind)[kind]


def checkers(*kinds: str) -> dict[str, Callable[[str], tuple[NameFinding, ...]]]:
    """Return a check for each of several kinds of name; the rules of all of them are read at once, here."""
    rules: dict[str, list[tuple[str, Compiled]]] = {kind: [] for kind in kinds}
    for rule in NamingRule.objects.filter(applies_to__in=kinds, archived_at__isnull=True).order_by("name"):
        rules[rule.applies_to].append((rule.name, compiled(rule)))
    return {kind: partial(_judge_by_any, of_kind) for kind, of_kind in rules.items()}


def _judge_by_any(rules: list[tuple[str, Compiled]], text: str) -> tuple[NameFinding, ...]:
    found = []
    for name, rule in rules:
        judged = judge(text, rule)
        if judged.fits:
            return ()
        found.append(NameFinding(name, rule.pattern, judged.problems, judged.suggestion))
    return tuple(found)


def check_name(kind: str, text: str) -> tuple[NameFinding, ...]:
    """Return what the rules of a kind of name say against `text`: nothing where it follows one, or none checks it."""
    return checker(kind)(text)
