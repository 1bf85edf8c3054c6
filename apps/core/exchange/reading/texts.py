"""In which encoding a text file is written."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from apps.core.exchange.reading.limits import LINE, MEGABYTE
from apps.core.exchange.reading.refusal import Unreadable

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (little endian)",
    "utf-16-be": "UTF-16 (big endian)",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "iso8859-15": "ISO 8859-15 (Western Europe)",
    "mac-roman": "Mac Roman",
    "cp932": "Shift JIS (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
}
GUESSED = (
    "The text is not UTF-8; it was read as Windows-1252 (Western Europe). If letters look wrong below, choose another "
    "encoding, or save the file as UTF-8."
)
NOT_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")
SAMPLE = 4096
EVERY_OTHER = 0.6


@dataclass(frozen=True)
class Guess:
    """An encoding, and what to tell about it."""

    encoding: str
    note: str = ""


def guess(path: Path, *, by_rows: bool = False) -> Guess:
    """Return the encoding: by byte-order mark, UTF-8 if it all is, UTF-16 by its zeros, else Windows-1252.

    Args:
        path: the file.
        by_rows: a NUL here and there is a matter of the row it stands in, which the reader refuses. One in the header,
            or more of them than lines, is no damaged row but no text at all.

    Raises:
        Unreadable: it contains bytes that none of them has.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        for bom, encoding in BOMS:
            if head.startswith(bom):
                return Guess(encoding)
        if wide := _without_mark(head):
            return Guess(wide, "The text is UTF-16 without a byte-order mark.")
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        utf8, odd, at = True, False, 0
        nuls = lines = first = 0
        header = len(head.partition(b"\n")[0])
        while chunk := file.read(MEGABYTE):
            if (nul := chunk.find(b"\x00")) >= 0:
                first = first or at + nul + 1
                nuls += chunk.count(b"\x00")
            lines += chunk.count(b"\n")
            if nuls and (not by_rows or first <= header or nuls > lines):
                raise Unreadable(f"Byte {first:,} is NUL: the file is damaged, or it is not text.")
            if utf8:
                utf8 = _decodes(decoder, chunk)
            odd = odd or bool(NOT_CP1252.intersection(chunk))
            at += len(chunk)
        if utf8 and _decodes(decoder, b"", final=True):
            return Guess("utf-8-sig")
    if odd:
        raise Unreadable("The text is in an encoding mops cannot tell. Save the file as UTF-8 and bring it again.")
    return Guess("cp1252", GUESSED)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _without_mark(head: bytes) -> str:
    even, odd = head[0::2], head[1::2]
    if len(head) > 1 and odd.count(0) > EVERY_OTHER * len(odd) and 0 not in even:
        return "utf-16-le"
    if len(head) > 1 and even.count(0) > EVERY_OTHER * len(even) and 0 not in odd:
        return "utf-16-be"
    return ""


def lines_of(file: TextIO) -> Iterator[str]:
    """Yield the lines of a text file, none of them longer than a line can be.

    Raises:
        Unreadable: a longer line, or bytes that are not of the encoding.
    """
    number = 0
    while True:
        number += 1
        try:
            line = file.readline(LINE + 1)
        except UnicodeError as error:
            raise Unreadable(f"Line {number:,} is not written in the encoding chosen; choose another.") from error
        if not line:
            return
        if len(line) > LINE:
            raise Unreadable(f"Line {number:,} is longer than {LINE:,} characters: this is not a table with rows.")
        yield line
