"""Links with UTM tags: what is wrong with one in words, and how it is put together. Pure but for the naming rules."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from apps.campaigns.models.utm import LONGEST_ADDRESS, LONGEST_TAG, NEEDED, PARAMETER, TAGS, WORDED
from apps.content.domain.qa.looking import link_problem
from apps.technology.domain.name_checks import NameFinding, checkers

LABEL = {**{name: name for name in TAGS}, "campaign_tag": "campaign", "landing_url": "landing page"}
_NEEDED_TAGS = ("source", "medium", "campaign_tag")
_GOOD = re.compile(NEEDED)
_E_MAIL = re.compile(r"[^@\s/?&=]+(?:@|%40|[(\[]at[)\]])[^@\s/?&=]+\.[a-z]{2,}", re.IGNORECASE)
_DIGITS = re.compile(r"\+?\d(?:[\s._()/-]?\d){8,14}")
_DATE = re.compile(r"(?:19|20)\d\d[._-]?(?:0[1-9]|1[0-2])(?:[._-]?(?:0[1-9]|[12]\d|3[01]))?")

Rules = Mapping[str, Callable[[str], tuple[NameFinding, ...]]]


def personal_data(text: str) -> str | None:
    """Return what in `text` names a person: "an e-mail address", "a telephone number"; None where nothing does.

    Nine to fifteen digits in a row, with single separators, are a telephone number unless they are dates.
    """
    plain = unquote(text)
    if _E_MAIL.search(plain) or _E_MAIL.search(text):
        return "an e-mail address"
    for found in _DIGITS.finditer(_DATE.sub("|", plain)):
        if 9 <= sum(each.isdigit() for each in found[0]) <= 15:
            return "a telephone number"
    return None


def naming_rules() -> Rules:
    """Return the naming rules of the tags, read at once: parameter → what they say about a value."""
    return checkers(*PARAMETER.values())


def tag_problem(name: str, value: str, rules: Rules) -> str | None:
    """Return what is wrong with the value of one tag in a sentence, None where it is right.

    Args:
        name: one of `TAGS`.
        value: what was given.
        rules: as `naming_rules` returns them.
    """
    if not value:
        return f"A link needs its {LABEL[name]}." if name in _NEEDED_TAGS else None
    if kind := personal_data(value):
        return f"“{value}” holds {kind}; personal data never stands in an address, which every server on its way keeps."
    if len(value) > LONGEST_TAG:
        return f"It has {len(value)} characters, at most {LONGEST_TAG} fit."
    if not _GOOD.match(value):
        better = suggestion(value)
        return f"{WORDED}{f' Write “{better}”.' if better else ''}"
    found = rules[PARAMETER[name]](value)
    return " ".join(each.sentence for each in found) or None


def suggestion(value: str) -> str:
    """Return how a tag would be written, "" where nothing of it is left."""
    plain = unquote(value).strip().lower().replace("ß", "ss")
    for sign, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("é", "e"), ("è", "e"), ("å", "a"), ("ø", "o")):
        plain = plain.replace(sign, letters)
    return re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9._-]+", "-", plain)).strip("-._")[:LONGEST_TAG]


def landing_problem(address: str) -> str | None:
    """Return what is wrong with a landing page in a sentence, None where it is right."""
    if not address:
        return "A link needs its landing page."
    if len(address) > LONGEST_ADDRESS:
        return f"It has {len(address):,} characters, at most {LONGEST_ADDRESS:,} fit."
    if wrong := link_problem(address):
        return wrong
    parts = urlsplit(address)
    if tagged := [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if name.startswith("utm_")]:
        return f"Leave {', '.join(tagged)} away: the tags are added here, once."
    if kind := personal_data(f"{parts.path}?{parts.query}#{parts.fragment}"):
        return f"The address holds {kind}; personal data never stands in an address."
    if not address.startswith("https://"):
        return "Write the whole address: https://…"
    return None


def problems_of(values: Mapping[str, str], rules: Rules | None = None) -> dict[str, str]:
    """Return what is wrong with a link, field by field; nothing where it is right.

    Args:
        values: the landing page and the tags by their names.
        rules: as `naming_rules` returns them; read here where not given.
    """
    known = naming_rules() if rules is None else rules
    found = {name: tag_problem(name, values.get(name, ""), known) for name in TAGS}
    found["landing_url"] = landing_problem(values.get("landing_url", ""))
    return {name: sentence for name, sentence in found.items() if sentence}


def tags_in(address: str) -> tuple[str, ...] | None:
    """Return the five tags an address carries, "" where one is missing; None where it carries none."""
    try:
        query = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    except ValueError:
        return None
    found = tuple(query.get(PARAMETER[name], "") for name in TAGS)
    return found if any(found) else None
