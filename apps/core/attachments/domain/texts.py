"""Whether a file that calls itself text is text, in any encoding an office produces."""

import codecs
from typing import IO

CHUNK = 256 * 1024
_ALLOWED_CONTROLS = b"\t\n\r\f"
_CONTROLS = bytes(set(range(32)) - set(_ALLOWED_CONTROLS)) + b"\x7f"


def refuse_text(file: IO[bytes]) -> str | None:
    """Return why the content is no text, None when it is.

    UTF-8, UTF-16 with its mark, and the one-byte encodings of spreadsheets are text; bytes that no text holds are not.
    """
    if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        file.seek(0)
        return _refuse_utf16(file)
    file.seek(0)
    while chunk := file.read(CHUNK):
        if len(chunk.translate(None, _CONTROLS)) != len(chunk):
            return "its content is binary, not text"
    return None


def _refuse_utf16(file: IO[bytes]) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        while chunk := file.read(CHUNK):
            if "\x00" in decoder.decode(chunk):
                return "its content is binary, not text"
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "its content is binary, not text"
    return None
