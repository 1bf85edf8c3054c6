"""Checks that look at links, pictures, colours and whole fields: each is given all rules of its kind at once."""

import difflib
import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from apps.content.domain.addresses import addresses_in
from apps.content.domain.qa.colours import contrast_of, parse_colour
from apps.content.domain.qa.document import Document, Element
from apps.content.domain.qa.findings import BODY, COLOURS, SUBJECT, Collector, Given, Rule
from apps.content.enums import UTM_VALUE

_PICTURE = re.compile(r"!\[([^\]\n]{0,300})\]\(([^)\s]{1,500})[^)\n]{0,300}\)")
_FIELD = re.compile(r"\{\{\s*([^{}]{0,100}?)\s*\}\}")
_FILE_NAME = re.compile(r"\.(png|jpe?g|gif|webp|svg)$", re.IGNORECASE)
_HOST = re.compile(r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")
_E_MAIL = re.compile(r"[^@\s/?&=]+@[^@\s/?&=]+\.[a-z]{2,}", re.IGNORECASE)
_UTM_VALUE = re.compile(UTM_VALUE)
UTM_NEEDED = ("utm_source", "utm_medium", "utm_campaign")
PLACES = frozenset(("unsubscribe_link", "view_online_link", "preference_link", "imprint", "sender_address"))
_SAYS_NOTHING = frozenset(("image", "picture", "photo", "img", "logo", "banner", "untitled", "graphic"))
NORMAL_CONTRAST, SUBJECT_LENGTH = 4.5, 60


def links_of(document: Document) -> Iterator[tuple[str, int, str]]:
    """Return the links of a text: address, where it is written, what people read on it."""
    for element in document.elements:
        if element.name == "a":
            yield element.attributes["href"].strip(), element.offset, element.text
    if "<" not in document.source:
        for offset, address in addresses_in(document.source):
            yield address, offset, ""


def links(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Look whether every link can be opened, is encrypted, and leads to an allowed host."""
    for part, document in given.documents.items():
        for address, offset, said in links_of(document):
            for rule in rules:
                if sentence := link_problem(address, rule.terms):
                    collector.add(rule, part, document, offset, address, sentence)
                elif not said and "<" in document.source and not _holds_picture(document, offset):
                    collector.add(rule, part, document, offset, address, "A link has no words: say where it leads.")


def link_problem(address: str, hosts: Sequence[str] = ()) -> str | None:
    """Return what is wrong with the address of a link, None where nothing is."""
    if not address or address == "#":
        return "A link leads nowhere."
    if _FIELD.fullmatch(address) or address.startswith(("#", "mailto:", "tel:")):
        return None
    filled = _FIELD.sub("x", address)
    try:
        parts = urlsplit(filled)
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError):
        return f"“{address}” is no address a browser can open."
    if parts.scheme not in ("http", "https"):
        return f"“{address}” does not begin with https://."
    if re.search(r"\s", filled) or not _HOST.match(host.lower()):
        return f"“{address}” is no address a browser can open."
    if parts.username is not None:
        return f"“{address}” names a user before the host, as forged links do."
    if hosts and not any(host == each or host.endswith(f".{each}") for each in (name.lower() for name in hosts)):
        return f"“{host}” is not among the allowed hosts."
    if parts.scheme == "http":
        return f"“{address}” is not encrypted: use https://."
    return None


def utm(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Look whether web links carry source, main_channel and campaign, in small letters and without personal data."""
    for part, document in given.documents.items():
        for address, offset, _ in links_of(document):
            if not address.lower().startswith(("http://", "https://")):
                continue
            for rule in rules:
                if sentence := utm_problem(address, rule.terms):
                    collector.add(rule, part, document, offset, address, sentence)


def utm_problem(address: str, hosts: Sequence[str] = ()) -> str | None:
    """Return what is wrong with the UTM parameters of a link, None where nothing is or none are needed.

    Args:
        address: of the link.
        hosts: of our own sites, where parameters are needed; all hosts where there are none.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return None  # the check of links says so
    host = parts.hostname or ""
    if hosts and not any(host == each or host.endswith(f".{each}") for each in hosts):
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if missing := [name for name in UTM_NEEDED if not query.get(name, "").strip()]:
        return f"The link lacks {', '.join(missing)}."
    if _E_MAIL.search(unquote(parts.query)):
        return "The link carries an e-mail address; personal data never stands in addresses."
    for name, value in query.items():
        if name.startswith("utm_") and not _FIELD.search(value) and not _UTM_VALUE.match(value):
            return (
                f"{name}={value!r} is written in small letters, digits, dots, hyphens and underscores, without spaces."
            )
    return None


def alt_texts(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Look whether every picture says in words what it shows; an empty alt="" marks one that only decorates."""
    for part, document in given.documents.items():
        for offset, alt, source in _pictures(document):
            sentence = None
            if alt is None or (not alt.strip() and "<" not in document.source):
                sentence = 'A picture has no alternative text; alt="" where it only decorates.'
            elif alt.strip().lower() in _SAYS_NOTHING or re.search(
                r"\.(png|jpe?g|gif|webp|svg)$", alt.strip(), re.IGNORECASE
            ):
                sentence = f"“{alt.strip()}” does not say what the picture shows."
            if sentence is not None:
                for rule in rules:
                    collector.add(rule, part, document, offset, source, sentence)


def _pictures(document: Document) -> Iterator[tuple[int, str | None, str]]:
    for element in document.elements:
        if element.name == "img":
            yield element.offset, element.attributes.get("alt"), element.attributes.get("src", "")
    if "<" not in document.source:
        for found in _PICTURE.finditer(document.source):
            yield found.start(), found[1], found[2]


def _holds_picture(document: Document, offset: int) -> bool:
    """Whether the link at an offset has a picture inside, whose alternative text is what it says."""
    end = document.source.lower().find("</a", offset) if len(document.source) < 20_000 else offset + 2_000
    return any(each.name == "img" and offset < each.offset < max(end, offset) for each in document.elements)


def subject(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Look whether there is a subject, and whether it is shown whole."""
    document = given.documents.get(SUBJECT)
    text = document.text.strip() if document is not None else ""
    for rule in rules:
        most = int(rule.limit or SUBJECT_LENGTH)
        if not text:
            collector.add(rule, SUBJECT, document, 0, "", "There is no subject.")
        elif len(text) > most:
            sentence = f"The subject has {len(text)} characters; {most} are shown."
            collector.add(rule, SUBJECT, document, most, text, sentence)


def unsubscribe(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Look whether an e-mail has a link to unsubscribe that can be seen."""
    if given.kind != "email" or (body := given.documents.get(BODY)) is None:
        return
    for rule in rules:
        words = tuple(each.lower() for each in rule.terms) or ("unsubscribe",)
        if not any(_leads_out(element, words) for element in body.elements if element.name == "a"):
            sentence = "An e-mail needs a link to unsubscribe, for instance to {{ unsubscribe_link }}."
            collector.add(rule, BODY, body, len(body.source), "", sentence)


def _leads_out(element: Element, words: Sequence[str]) -> bool:
    said = f"{element.text} {element.attributes.get('href', '')}".lower()
    return bool(element.text) and ("unsubscribe_link" in said or any(word in said for word in words))


def contrast(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Look whether colours that are read on each other differ enough: WCAG 2.2, 1.4.3, 4.5 to 1 unless said else."""
    body = given.documents.get(BODY)
    pairs = [(fore, back, BODY, body, offset) for fore, back, offset in (body.painted if body else ())]
    lines = Document(given.colours)
    offset = 0
    for line in given.colours.splitlines(keepends=True):
        fore, _, back = line.partition(" on ")
        if line.strip():
            pairs.append((fore.strip(), back.strip(), COLOURS, lines, offset))
        offset += len(line)
    for fore, back, part, document, at in pairs:
        one, two = parse_colour(fore or "#000000"), parse_colour(back or "#ffffff")
        said = f"{fore or 'black'} on {back or 'white'}"
        if one is None or two is None:
            if part == COLOURS:
                for rule in rules:
                    collector.add(rule, part, document, at, said, f"“{said}” is no pair of colours like #333 on #fff.")
            continue
        ratio = contrast_of(one, two)
        for rule in rules:
            least = rule.limit or NORMAL_CONTRAST
            if ratio < least:
                sentence = f"{said} has a contrast of {ratio:.2f} to 1; {least:g} to 1 are needed."
                collector.add(rule, part, document, at, said, sentence)


def merge_fields(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Look whether every place to fill in stands in the data dictionary, and no personal data in an address."""
    known = given.merge_fields or {}
    for part, document in given.documents.items():
        addresses = [address for address, _, _ in links_of(document)]
        for found in _FIELD.finditer(document.source):
            name = found[1].split("|")[0].strip()
            sentence = field_problem(name, known)
            if sentence is None and known.get(name.lower()) and any(found[0] in each for each in addresses):
                sentence = f"“{name}” is personal data and must not stand in the address of a link."
            if sentence is not None:
                for rule in rules:
                    collector.add(rule, part, document, found.start(), found[0], sentence)


def field_problem(name: str, known: dict[str, bool]) -> str | None:
    """Return why nothing could be filled in at a place called `name`, None where something is."""
    if not name:
        return "A place to fill in has no name."
    if name.lower() in known or name in PLACES:
        return None
    alike = difflib.get_close_matches(name.lower(), [*known, *PLACES], n=1)
    hint = f" Is “{alike[0]}” meant?" if alike else ""
    return f"“{name}” stands in no data dictionary, so nothing would be filled in.{hint}"


def places_in(text: str) -> list[str]:
    """Return the names of the places to fill in, each once, in their order."""
    return list(dict.fromkeys(found[1].split("|")[0].strip() for found in _FIELD.finditer(text)))


def markup(given: Given, rules: Sequence[Rule], collector: Collector) -> None:
    """Tell what is broken or harmful in the HTML; what harms blocks, whatever the rule says."""
    for part, document in given.documents.items():
        for offset, sentence, blocks in document.faults:
            for rule in rules:
                severity = "block" if blocks else ""
                written = document.written(offset)
                collector.add(rule, part, document, offset, written, sentence, severity=severity)
