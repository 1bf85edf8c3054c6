"""Naming rules: does a name fit, what is wrong with it, how would it be right; for tools, campaigns and links alike.

`judge(name, compiled(rule))` is the whole of it; other apps call `judge_by(rule, name)` or take the values of the
tokens with `parts`. A suggestion is only made where it is sure to fit; what cannot be known is never invented.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.errors import InvalidInput
from apps.technology.models import NamingRule

KINDS = ("text", "choice", "number", "date")
DATE_FORMS = {"YYYY-MM-DD": "%Y-%m-%d", "YYYYMMDD": "%Y%m%d", "YYYY-MM": "%Y-%m", "YYYYMM": "%Y%m"}
_TOKEN = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_MOST_TOKENS, _MOST_VALUES, _LONGEST_NAME = 12, 500, 1000


@dataclass(frozen=True)
class Token:
    """One part of a name."""

    name: str
    kind: str = "text"
    values: tuple[str, ...] = ()
    form: str = "YYYY-MM-DD"
    optional: bool = False


@dataclass(frozen=True)
class Compiled:
    """A rule, ready to judge names."""

    pattern: str
    parts: tuple[str | Token, ...]
    lower_case: bool = False
    longest: int = 150

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Its tokens in their order."""
        return tuple(each for each in self.parts if isinstance(each, Token))

    @property
    def separators(self) -> str:
        """The characters that stand between tokens and so cannot stand in a text."""
        return "".join(sorted(set("".join(each for each in self.parts if isinstance(each, str)))))


@dataclass(frozen=True)
class Judgement:
    """What a rule says about one name."""

    name: str
    problems: tuple[str, ...]
    values: Mapping[str, str]
    suggestion: str = ""

    @property
    def fits(self) -> bool:
        """Whether it is right as it stands."""
        return not self.problems


def compile_rule(pattern: str, tokens: Mapping[str, Any], *, lower_case: bool = False, longest: int = 150) -> Compiled:
    """Return a rule ready to judge names.

    Args:
        pattern: tokens in braces, everything else as it is.
        tokens: per token a kind (text, choice, number, date), its values or its form; one left out is a text.
        lower_case: whether names are written in small letters only.
        longest: how many characters a name has at most.

    Raises:
        InvalidInput: the rule cannot work, saying what to change.
    """
    _refuse_pattern(pattern, tokens)
    parts: list[str | Token] = []
    for number, piece in enumerate(_TOKEN.split(pattern)):
        if number % 2:
            if parts and isinstance(parts[-1], Token):
                raise InvalidInput(
                    f"Put something between {{{parts[-1].name}}} and {{{piece}}}, so they can be told apart."
                )
            parts.append(_token(piece, tokens.get(piece, {}), lower_case=lower_case))
        elif piece:
            parts.append(piece)
    return Compiled(pattern, tuple(parts), lower_case, longest)


def _refuse_pattern(pattern: str, tokens: Mapping[str, Any]) -> None:
    if "{" in _TOKEN.sub("", pattern) or "}" in _TOKEN.sub("", pattern):
        raise InvalidInput("A token is written {like_this}: small letters, digits and underscores, begun by a letter.")
    names = _TOKEN.findall(pattern)
    if not names:
        raise InvalidInput("The pattern has no token; write at least one, for instance {name}.")
    if len(names) > _MOST_TOKENS:
        raise InvalidInput(f"A pattern has at most {_MOST_TOKENS} tokens.")
    if doubled := sorted({each for each in names if names.count(each) > 1}):
        raise InvalidInput(f"A token stands once in a pattern; this one stands twice: {', '.join(doubled)}.")
    if not isinstance(tokens, Mapping):
        raise InvalidInput("Tokens are told by name, each with its kind.")
    if unknown := sorted(set(tokens) - set(names)):
        raise InvalidInput(f"The pattern does not have these tokens: {', '.join(unknown)}.")


def _token(name: str, told: Any, *, lower_case: bool) -> Token:
    if not isinstance(told, Mapping):
        raise InvalidInput(f"Token {name}: tell its kind, for instance {{'kind': 'text'}}.")
    kind, values = told.get("kind", "text"), told.get("values", [])
    if kind not in KINDS:
        raise InvalidInput(f"Token {name}: its kind is one of {', '.join(KINDS)}.")
    if not isinstance(values, list) or not all(isinstance(each, str) and each for each in values):
        raise InvalidInput(f"Token {name}: its values are a list of texts.")
    if kind == "choice" and not values:
        raise InvalidInput(f"Token {name}: a choice needs its values.")
    if len(values) > _MOST_VALUES:
        raise InvalidInput(f"Token {name}: at most {_MOST_VALUES} values.")
    if lower_case and (upper := [each for each in values if each != each.lower()]):
        raise InvalidInput(f"Token {name}: names are written in small letters, but {upper[0]} is not.")
    form = told.get("form", "YYYY-MM-DD")
    if form not in DATE_FORMS:
        raise InvalidInput(f"Token {name}: a date is written as one of {', '.join(DATE_FORMS)}.")
    return Token(name, kind, tuple(values), form)


def compiled(rule: NamingRule) -> Compiled:
    """Return a stored rule ready to judge names."""
    return compile_rule(rule.pattern, rule.tokens, lower_case=rule.lower_case, longest=rule.longest)


def judge(name: str, rule: Compiled) -> Judgement:
    """Return whether `name` fits, what is wrong with it, and how it would be right where that is sure."""
    if len(name) > _LONGEST_NAME:
        return Judgement(name, (f"It has {len(name):,} characters, at most {rule.longest} fit.",), {})
    values, problems = _read(name, rule)
    if len(name) > rule.longest:
        problems.append(f"It has {len(name)} characters, at most {rule.longest} fit.")
    if rule.lower_case and name != name.lower():
        problems.append("It has capital letters; names are written in small letters.")
    suggestion = ""
    if problems:
        suggestion = suggest(name, rule)
    return Judgement(name, tuple(problems), values, suggestion)


def judge_by(rule: NamingRule, name: str) -> Judgement:
    """Return what a stored rule says about one name."""
    return judge(name, compiled(rule))


def parts(rule: NamingRule, name: str) -> Mapping[str, str]:
    """Return the value of each token of a name that fits.

    Raises:
        InvalidInput: it does not fit, saying why and how it would.
    """
    found = judge_by(rule, name)
    if not found.fits:
        better = f" For instance {found.suggestion}." if found.suggestion else ""
        raise InvalidInput(f"“{name}” does not follow {rule.name} ({rule.pattern}): {' '.join(found.problems)}{better}")
    return found.values


def compose(rule: Compiled, values: Mapping[str, str]) -> str:
    """Return the name that these values make.

    Raises:
        InvalidInput: a value is missing or does not fit its token.
    """
    missing = [token.name for token in rule.tokens if not values.get(token.name)]
    if missing:
        raise InvalidInput(f"A name needs these as well: {', '.join(missing)}.")
    name = "".join(each if isinstance(each, str) else values[each.name] for each in rule.parts)
    name = name.lower() if rule.lower_case else name
    found = judge(name, rule)
    if not found.fits:
        raise InvalidInput(" ".join(found.problems))
    return name


def suggest(name: str, rule: Compiled) -> str:
    """Return how `name` would be right, "" where that cannot be known without asking."""
    plain = unicodedata.normalize("NFC", name).strip()
    pieces = [each for each in re.split(r"[\s_\-|/.;:,]+", plain) if each]
    tokens = rule.tokens
    taken: dict[str, str] = {}
    free = list(pieces)
    for token in tokens:
        if token.kind == "text":
            continue
        for place, piece in enumerate(free):
            if (value := _as_value(piece, token)) is not None:
                taken[token.name] = value
                del free[place]
                break
        else:
            if token.kind == "date" and (found := _date_in(plain, token)):
                taken[token.name], digits = found
                free = [each for each in free if each not in digits]
    texts = [token for token in tokens if token.kind == "text"]
    joiner = next((mark for mark in ("-", "_", ".") if mark not in rule.separators), "")
    if len(texts) == 1 and free:
        taken[texts[0].name] = joiner.join(free)
    elif len(texts) == len(free):
        taken |= {token.name: piece for token, piece in zip(texts, free, strict=True)}
    elif free or texts:
        return ""
    if any(token.name not in taken for token in tokens):
        return ""
    made = "".join(each if isinstance(each, str) else taken[each.name] for each in rule.parts)
    made = made.lower() if rule.lower_case else made
    _, wrong = _read(made, rule)
    return "" if wrong or len(made) > rule.longest else made


def _read(name: str, rule: Compiled) -> tuple[dict[str, str], list[str]]:
    """Return the values of the tokens, and what is wrong: read from left to right, each up to what follows it."""
    rest, values, problems = name, dict[str, str](), list[str]()
    for number, part in enumerate(rule.parts):
        if isinstance(part, str):
            if not rest.startswith(part):
                problems.append(f"“{part}” is missing before “{rest}”." if rest else f"It ends before “{part}”.")
                return values, problems
            rest = rest[len(part) :]
            continue
        after = rule.parts[number + 1] if number + 1 < len(rule.parts) else None
        value, rest = _cut(rest, part, after if isinstance(after, str) else None)
        values[part.name] = value
        if wrong := _wrong(value, part, rule):
            problems.append(wrong)
    if rest:
        problems.append(f"“{rest}” is too much.")
    return values, problems


def _cut(rest: str, token: Token, after: str | None) -> tuple[str, str]:
    """Cut the value of a token off: the longest of its choices that fits, else up to what follows it."""
    for value in sorted(token.values, key=len, reverse=True):
        if rest.startswith(value) and (after is None or rest[len(value) :].startswith(after)):
            return value, rest[len(value) :]
    if token.kind == "date" and after is not None:
        length = len(token.form)
        if rest[length:].startswith(after):
            return rest[:length], rest[length:]
    if after is None:
        return rest, ""
    place = rest.find(after)
    return (rest, "") if place < 0 else (rest[:place], rest[place:])


def _wrong(value: str, token: Token, rule: Compiled) -> str | None:
    if not value:
        return f"{token.name} is missing."
    if token.kind == "choice" and value not in token.values:
        shown = ", ".join(token.values[:8]) + (" …" if len(token.values) > 8 else "")
        return f"{token.name} is “{value}”, not one of {shown}."
    if token.kind == "number" and not (value.isascii() and value.isdigit()):
        return f"{token.name} is “{value}”, not a number."
    if token.kind == "date" and _date(value, token.form) is None:
        return f"{token.name} is “{value}”, not a date written {token.form}."
    if token.kind == "text" and (bad := re.search(r"\s", value)) and " " not in rule.separators:
        return f"{token.name} has a blank in it." if bad else None
    return None


def _as_value(piece: str, token: Token) -> str | None:
    if token.kind == "choice":
        return next((each for each in token.values if each.casefold() == piece.casefold()), None)
    if token.kind == "number":
        return piece if piece.isascii() and piece.isdigit() else None
    for form in DATE_FORMS:
        if (day := _date(piece, form)) is not None and not (form.count("D") < token.form.count("D")):
            return day.strftime(DATE_FORMS[token.form])
    return None


def _date_in(text: str, token: Token) -> tuple[str, set[str]] | None:
    found = re.search(r"(20\d\d)[-/.](\d\d)(?:[-/.](\d\d))?", text)
    if found is None or ("DD" in token.form and found[3] is None):
        return None
    day = _date(f"{found[1]}-{found[2]}-{found[3] or '01'}", "YYYY-MM-DD")
    return (day.strftime(DATE_FORMS[token.form]), {each for each in found.groups() if each}) if day else None


def _date(text: str, form: str) -> dt.date | None:
    digits = re.fullmatch(r"[0-9-]+", text)
    if digits is None or len(text) != len(form):
        return None
    try:
        return dt.datetime.strptime(text, DATE_FORMS[form]).replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None
