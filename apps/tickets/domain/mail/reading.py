"""A mail as it came over the wire, read into what a ticket needs; nothing in it is obeyed, fetched or run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from html.parser import HTMLParser

MOST_PARTS = 100
MOST_FILES = 20
LONGEST_TEXT = 45_000
LONGEST_QUOTE = 200_000
LONGEST_LINE = 2_000
MOST_LINES = 20_000
LONGEST_ID = 500
CUT = "[The rest of this mail is longer than fits here; the mail itself is kept.]"
# Where people's programs put what they answer to: "On … wrote:", "Am … schrieb …:", and the block of an old mail.
_INTRODUCES = re.compile(
    r"^(on|am|le|el|il|op) .{5,200}(wrote|schrieb|écrit|escribió|scritto|schreef)\b.{0,120}:$", re.IGNORECASE
)
_OLD_MAIL = re.compile(
    r"^(-{2,} ?(original message|ursprüngliche nachricht|message d'origine)|_{20,}$|from: .{3,200}$)", re.IGNORECASE
)
_ID = re.compile(r"<[^<>\s]{1,480}>")
_BLOCKS = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "table", "ul", "ol"}
_UNSEEN = {"script", "style", "head", "title", "template", "object", "noscript"}
_BULK = {"bulk", "junk", "list", "auto_reply", "auto-reply"}


@dataclass(frozen=True)
class File:
    """A file that came with a mail."""

    name: str
    content: bytes


@dataclass
class Mail:
    """What a ticket needs of a mail.

    Attributes:
        header_id: its Message-ID, empty where it has none.
        sender: the address it claims to be from, in lower case. Reply-To is never looked at.
        text: the new words; quoted: what was cut off below them.
        refers: the ids it answers to, the newest first; recipients: every address it went to.
        automatic: why it was written by a machine, empty where a person wrote it.
        files: what came with it; remarks: what was left out, in sentences.
    """

    header_id: str
    sender: str
    sender_name: str
    subject: str
    text: str = ""
    quoted: str = ""
    refers: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    automatic: str = ""
    results: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_mail(raw: bytes) -> Mail:
    """Read a mail; whatever is wrong with it becomes an empty value or a remark, never an error."""
    message = message_from_bytes(raw, policy=policy.default)
    mail = read_head(message)
    parts = _parts(message, mail)
    plain = [part for part in parts if _is_text(part, "plain")]
    pages = [part for part in parts if _is_text(part, "html")]
    whole = "\n".join(_content(part) for part in plain).strip()
    if not whole and pages:
        whole = "\n".join(text_of_html(_content(part)) for part in pages).strip()
    mail.text, mail.quoted = cut_quote(whole)
    if len(mail.text) > LONGEST_TEXT:
        mail.text = f"{mail.text[:LONGEST_TEXT].rstrip()}\n\n{CUT}"
    mail.quoted = mail.quoted[:LONGEST_QUOTE]
    _take_files(mail, [part for part in parts if part not in plain and part not in pages])
    return mail


def read_head(message: EmailMessage) -> Mail:
    """Read the headers alone."""
    name, address = parseaddr(_header(message, "From"))
    refers = _ID.findall(_header(message, "In-Reply-To")) + _ID.findall(_header(message, "References"))[::-1]
    to = [text for header in ("To", "Cc", "Delivered-To", "X-Original-To") for text in _headers(message, header)]
    found = _ID.search(_header(message, "Message-ID"))
    return Mail(
        header_id=found[0][:LONGEST_ID] if found else "",
        sender=address.strip().lower()[:254],
        sender_name=" ".join(name.split())[:150],
        subject=" ".join(_header(message, "Subject").split())[:500],
        refers=list(dict.fromkeys(refers))[:100],
        recipients=[each.lower() for _, each in getaddresses(to) if each][:100],
        automatic=_automatic(message),
        results=_headers(message, "Authentication-Results"),
    )


def cut_quote(text: str) -> tuple[str, str]:
    """Return the new words and what was quoted below them; a mail that only quotes keeps its quote as its words."""
    lines = text.replace("\r", "").split("\n")
    looked_at = range(min(len(lines), MOST_LINES))
    at = next((number for number in looked_at if _begins_quote(lines, number)), len(lines))
    while at and not lines[at - 1].strip():
        at -= 1
    said, rest = lines[:at], lines[at:]
    new = "\n".join(line for line in said if not line.startswith(">")).strip()
    inside = [line for line in said if line.startswith(">")]
    quoted = "\n".join([*inside, *rest]).strip()
    return (new, quoted) if new else (quoted, "")


def text_of_html(page: str) -> str:
    """Return the words of a page: no script, no style, no address but those written out."""
    reader = _Words()
    reader.feed(page[: 4 * LONGEST_QUOTE])
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.words).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Words(HTMLParser):
    """Collects what a reader of the page would read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.words.append("\n> " if tag == "blockquote" else "\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag in _BLOCKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data.replace("\n", " "))


def _begins_quote(lines: list[str], number: int) -> bool:
    line = lines[number][:LONGEST_LINE].strip()
    if _INTRODUCES.match(line) or _OLD_MAIL.match(line):
        return True
    # some programs break "On … <address>" and "wrote:" over two lines
    if (
        number + 1 < len(lines)
        and len(line) < 200
        and _INTRODUCES.match(f"{line} {lines[number + 1][:LONGEST_LINE].strip()}")
    ):
        return True
    return line.startswith(">") and all(
        not each.strip() or each.startswith(">") for each in lines[number : number + 200]
    )


def _parts(message: EmailMessage, mail: Mail) -> list[EmailMessage]:
    """Return the parts that are no containers; not more than fit, and nothing inside attached mails."""
    found: list[EmailMessage] = []
    for number, part in enumerate(_leaves(message)):
        if number >= MOST_PARTS:
            mail.remarks.append(f"It has more than {MOST_PARTS} parts; the others were left out.")
            break
        found.append(part)
    return found


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    waiting = [message]
    seen = 0
    while waiting and seen < 10 * MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        if part.get_content_maintype() == "multipart" and isinstance(part.get_payload(), list):
            waiting = [*part.get_payload(), *waiting]  # type: ignore[list-item]  # parts of a multipart are messages
        else:
            yield part


def _is_text(part: EmailMessage, kind: str) -> bool:
    return part.get_content_type() == f"text/{kind}" and part.get_content_disposition() != "attachment"


def _content(part: EmailMessage) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        return raw.decode(charset, errors="replace").replace("\x00", "")
    except LookupError:  # a character set nobody knows
        return raw.decode("utf-8", errors="replace").replace("\x00", "")


def _take_files(mail: Mail, parts: list[EmailMessage]) -> None:
    for part in parts:
        name = part.get_filename() or ""
        kind = part.get_content_type()
        if kind == "text/calendar" or name.lower().endswith(".ics"):
            mail.remarks.append("A calendar invitation was left out: tickets have no calendar.")
            continue
        if kind == "message/rfc822":
            mail.remarks.append("A mail attached to it was left out; it is in the mail that is kept.")
            continue
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or (not name and kind != "application/octet-stream" and not content):
            continue
        if len(mail.files) >= MOST_FILES:
            mail.remarks.append(f"It has more than {MOST_FILES} files; the others were left out.")
            break
        mail.files.append(File(name or f"unnamed.{kind.partition('/')[2]}", content))


def _automatic(message: EmailMessage) -> str:
    """Say why a machine wrote it, empty where nothing says so."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return f"It is an automatic mail (Auto-Submitted: {submitted[:40]}); machines are not answered."
    precedence = _header(message, "Precedence").strip().lower()
    if precedence in _BULK:
        return f"It is an automatic mail (Precedence: {precedence}); machines are not answered."
    if message.get("X-Autoreply") or message.get("X-Autorespond"):
        return "It is an automatic answer; machines are not answered."
    if message.get("List-Id") or message.get("List-Unsubscribe"):
        return "It came from a mailing list; lists are not answered."
    if message.get_content_type() == "multipart/report":
        return "It is a report about another mail (delivery or reading); machines are not answered."
    if "Return-Path" in message and _header(message, "Return-Path").strip() in ("<>", ""):
        return "It is a bounce: it has no sender to return to."
    return ""


def _header(message: EmailMessage, name: str) -> str:
    found = _headers(message, name)
    return found[0] if found else ""


def _headers(message: EmailMessage, name: str) -> list[str]:
    """Return a header as text; one that cannot be parsed is as good as absent."""
    try:
        return [str(value).replace("\x00", "") for value in message.get_all(name, [])]
    except (ValueError, IndexError, AttributeError, TypeError, KeyError):  # what the parser of headers stumbles over
        return []
