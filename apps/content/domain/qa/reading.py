"""Reading HTML once, in time that grows with its length and nothing else, however broken or hostile it is.

A scanner of our own rather than a parser that repairs: findings must say where something was written, and what a
browser would silently repair is exactly what has to be found. Every search that fails is remembered, so that a
thousand opening quotes without an end cost one look.
"""

import html
import re
from typing import Any

from apps.content.domain.qa.document import Document, Element, Run

VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
INLINE = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike "  # noqa: SIM905
    "strong sub sup time tt u var wbr".split()
)
RAW = frozenset(("script", "style", "title", "textarea", "xmp", "noscript", "iframe"))
OPTIONAL_END = frozenset("li p td th tr tbody thead tfoot dt dd option html body head colgroup".split())  # noqa: SIM905
HARMFUL = frozenset(("script", "iframe", "object", "embed", "applet", "form", "base", "frame", "frameset"))
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_NAME = re.compile(r"[a-zA-Z][^\s/>]{0,60}")
_BETWEEN = re.compile(r"[\s/]*")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(\s*=\s*)?")
_BARE = re.compile(r"[^\s\"'<>`]*")
_COLOUR = re.compile(r"(?:^|;)\s*(color|background(?:-color)?)\s*:\s*([^;]+)", re.IGNORECASE)
_HIDES = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
MOST_FAULTS, DEEPEST = 50, 500


def read_html(source: str) -> Document:
    """Return what people read of `source`, its links, pictures and colours, and what is wrong with it."""
    reader = _Reader(source)
    reader.read()
    return reader.document


def read_plain(source: str) -> Document:
    """Return a text without markup: it reads as it was written, but for characters that nobody sees."""
    document = Document(source)
    parts: list[str] = []
    _add_text(document, parts, source, 0, hidden=False, entities=False, length=0)
    document.text = "".join(parts)
    return document


class _Reader:
    """The state of one reading."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.document = Document(source)
        self.parts: list[str] = []
        self.length = 0
        # open elements: name, offset, whether hidden, colours, the link it is (its place among the elements)
        self.stack: list[tuple[str, int, bool, str, str]] = []
        self.hidden, self.fore, self.back = False, "", ""
        self.painted: set[tuple[str, str]] = set()
        self.open_link: tuple[dict[str, str], int, int] | None = None
        self.missing: set[str] = set()  # what was searched for once and is nowhere further on

    def read(self) -> None:
        """Go through the source once."""
        source, at, end = self.source, 0, len(self.source)
        while at < end:
            tag = source.find("<", at)
            if tag < 0:
                self._text(at, end)
                break
            if tag > at:
                self._text(at, tag)
            at = self._markup(tag)
        self._close_link()
        for name, offset, *_ in self.stack:
            if name not in OPTIONAL_END:
                self._fault(offset, f"<{name}> is never closed.")
        self.document.text = "".join(self.parts)

    def _markup(self, at: int) -> int:
        source = self.source
        following = source[at + 1 : at + 2]
        if following.isascii() and following.isalpha():
            return self._start(at)
        if following == "/":
            return self._end(at)
        if following in ("!", "?"):
            return self._declaration(at)
        self._text(at, at + 1)
        return at + 1

    def _declaration(self, at: int) -> int:
        mark, size = ("-->", 3) if self.source.startswith("<!--", at) else (">", 1)
        end = self._find(mark, at + 2)
        if end < 0:
            self._fault(at, "A comment or declaration is never closed: nothing behind it is shown.", blocks=True)
            return len(self.source)
        return end + size

    def _find(self, mark: str, at: int) -> int:
        if mark in self.missing:
            return -1
        found = self.source.find(mark, at)
        if found < 0:
            self.missing.add(mark)
        return found

    def _start(self, at: int) -> int:
        named = _NAME.match(self.source, at + 1)
        name = named[0].lower() if named else ""
        attributes, end, closed = self._attributes(named.end() if named else at + 1, at)
        self._harm(name, attributes, at)
        hidden = self.hidden or "hidden" in attributes or bool(_HIDES.search(attributes.get("style", "")))
        if name == "img":
            self.document.elements.append(Element("img", attributes, at))
            self._hidden_text(attributes.get("alt", ""), at)
        elif name == "a" and "href" in attributes:
            self._close_link()
            self.open_link = (attributes, at, len(self.parts))
        elif name in ("link", "area", "form", "iframe"):
            self.document.elements.append(Element(name, attributes, at))
        if name not in INLINE:
            self._break()
        if name in RAW and not closed:
            return self._raw(name, end)
        if name not in VOID and not closed:
            self._push(name, at, hidden, attributes)
        return end

    def _push(self, name: str, at: int, hidden: bool, attributes: dict[str, str]) -> None:
        if len(self.stack) >= DEEPEST:
            self._fault(at, f"More than {DEEPEST} elements stand inside each other.", blocks=True)
            return
        self.stack.append((name, at, self.hidden, self.fore, self.back))
        self.hidden = hidden
        style = attributes.get("style", "")
        if style or "bgcolor" in attributes or "color" in attributes:
            for what, value in _COLOUR.findall(style):
                if what.lower() == "color":
                    self.fore = value.strip()
                else:
                    self.back = value.strip()
            self.back = attributes.get("bgcolor", self.back) or self.back
            if name == "font":
                self.fore = attributes.get("color", self.fore) or self.fore

    def _attributes(self, at: int, tag: int) -> tuple[dict[str, str], int, bool]:
        """Read to the end of a tag: its attributes, where it ends, whether it closes itself."""
        found: dict[str, str] = {}
        source, end = self.source, len(self.source)
        while (at := _end_of(_BETWEEN, source, at)) < end:
            mark = source[at]
            if mark == ">":
                return found, at + 1, source[at - 1] == "/"
            if mark == "<":
                self._fault(tag, "A tag is not closed before the next one begins.", blocks=True)
                return found, at, False
            matched = _ATTRIBUTE.match(source, at)
            if matched is None:
                at += 1
                continue
            at = matched.end()
            value = ""
            if matched[2]:
                value, at = self._value(at, tag)
            found.setdefault(matched[1].lower(), value)
        self._fault(tag, "A tag is never closed: nothing behind it is shown.", blocks=True)
        return found, end, False

    def _value(self, at: int, tag: int) -> tuple[str, int]:
        quote = self.source[at : at + 1]
        if quote in ('"', "'"):
            end = self._find(quote, at + 1)
            if end < 0:
                self._fault(tag, "A quotation mark in a tag is never closed.", blocks=True)
                return "", len(self.source)
            return html.unescape(self.source[at + 1 : end]), end + 1
        bare = _BARE.match(self.source, at)
        return (html.unescape(bare[0]), bare.end()) if bare else ("", at)

    def _end(self, at: int) -> int:
        close = self._find(">", at)
        if close < 0:
            self._fault(at, "A closing tag is never finished.", blocks=True)
            return len(self.source)
        named = _NAME.match(self.source, at + 2)
        name = named[0].lower() if named else ""
        if name == "a":
            self._close_link()
        if name not in INLINE:
            self._break()
        if name not in VOID:
            self._pop(name, at)
        return close + 1

    def _pop(self, name: str, at: int) -> None:
        depth = next((n for n in range(len(self.stack) - 1, -1, -1) if self.stack[n][0] == name), None)
        if depth is None:
            self._fault(at, f"</{name}> closes nothing.")
            return
        for inner, offset, *_ in self.stack[depth + 1 :]:
            if inner not in OPTIONAL_END:
                self._fault(offset, f"<{inner}> is still open where </{name}> closes what is around it.")
        _, _, self.hidden, self.fore, self.back = self.stack[depth]
        del self.stack[depth:]

    def _raw(self, name: str, at: int) -> int:
        """Leave out what is no text: scripts, styles; the title of a page is text that stands nowhere on it."""
        closing = self._closing(name, at)
        if closing < 0:
            self._fault(at, f"<{name}> is never closed: nothing behind it is shown.", blocks=True)
            return len(self.source)
        if name == "title":
            self._hidden_text(self.source[at:closing], at)
        end = self._find(">", closing)
        return len(self.source) if end < 0 else end + 1

    def _closing(self, name: str, at: int) -> int:
        key = f"</{name}"
        if key in self.missing:
            return -1
        found = re.compile(f"</{name}", re.IGNORECASE).search(self.source, at)
        if found is None:
            self.missing.add(key)
            return -1
        return found.start()

    def _text(self, start: int, end: int) -> None:
        text = self.source[start:end]
        if not self.hidden and text.strip() and (self.fore or self.back):
            pair = (self.fore, self.back)
            if pair not in self.painted:
                self.painted.add(pair)
                self.document.painted.append((*pair, start))
        self.length = _add_text(
            self.document, self.parts, text, start, hidden=self.hidden, entities=True, length=self.length
        )

    def _hidden_text(self, text: str, at: int) -> None:
        """Let the words of an alternative text be checked too; all of them stand where its element stands."""
        if text.strip():
            self._break()
            self.document.runs.append(Run(self.length, at, hidden=True, origins=[at]))
            self.parts.append(text)
            self.length += len(text)
            self._break()

    def _break(self) -> None:
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")
            self.length += 1

    def _close_link(self) -> None:
        if self.open_link is not None:
            attributes, at, since = self.open_link
            said = " ".join("".join(self.parts[since:]).split())
            self.document.elements.append(Element("a", attributes, at, said[:200]))
            self.open_link = None

    def _harm(self, name: str, attributes: dict[str, str], at: int) -> None:
        if name in HARMFUL:
            self._fault(at, f"<{name}> is not allowed in content: mailboxes and pages block it.", blocks=True)
        for key, value in attributes.items():
            if key.startswith("on") and len(key) > 2:
                self._fault(at, f"“{key}” runs a script; take it out.", blocks=True)
            elif key in ("href", "src", "action") and "".join(value.split()).lower().startswith(
                ("javascript:", "vbscript:", "data:text")
            ):
                self._fault(at, f"“{key}” runs a script; give an address.", blocks=True)

    def _fault(self, at: int, sentence: str, *, blocks: bool = False) -> None:
        if len(self.document.faults) < MOST_FAULTS:
            self.document.faults.append((at, sentence, blocks))


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    matched = pattern.match(text, at)
    return matched.end() if matched else at


def _add_text(
    document: Document, parts: list[str], text: str, source: int, *, hidden: bool, entities: bool, length: int
) -> int:
    """Append a stretch of text to what was read; returns the length of it all."""
    origins: list[int] | None = None
    if (entities and "&" in text) or (not text.isascii() and INVISIBLE.search(text)):
        text, origins = _spelt_out(text, source, entities=entities)
    if text:
        document.runs.append(Run(length, source, hidden, origins))
        parts.append(text)
    return length + len(text)


def _spelt_out(text: str, source: int, *, entities: bool) -> tuple[str, list[int]]:
    """Return a text with its entities as characters and without invisible ones, and where each was written."""
    made: list[str] = []
    origins: list[int] = []
    at = 0

    def take(piece: str, start: int, step: int) -> None:
        for offset, letter in enumerate(piece):
            if not INVISIBLE.match(letter):
                made.append(letter)
                origins.append(source + start + offset * step)

    found: Any
    for found in _ENTITY.finditer(text) if entities else ():
        take(text[at : found.start()], at, 1)
        take(html.unescape(found[0]), found.start(), 0)
        at = found.end()
    take(text[at:], at, 1)
    return "".join(made), origins
