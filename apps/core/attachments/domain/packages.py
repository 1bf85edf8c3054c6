"""Office documents are ZIP packages: read their table of contents without unpacking anything."""

import io
import struct
import zipfile
from collections.abc import Callable
from typing import IO

_END, _END64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE, _END64_SIZE, _LONGEST_COMMENT = 22, 20, 65535
MOST_CONTENTS = 1024 * 1024  # bytes of table of contents: about 15,000 parts, where a real document has tens
_LONGEST_TYPE = 100

Refusal = Callable[[IO[bytes]], str | None]
_BROKEN = "it is damaged or no office document"


def refuse_open_xml(folder: str) -> Refusal:
    """Return the check for a document of Word ("word/"), Excel ("xl/") or PowerPoint ("ppt/"), without macros."""

    def refuse(file: IO[bytes]) -> str | None:
        if (archive := _open(file)) is None:
            return _BROKEN
        names = archive.namelist()
        if "[Content_Types].xml" not in names or not any(name.startswith(folder) for name in names):
            return "its content is another kind of document"
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            return "it carries macros"
        return None

    return refuse


def refuse_open_document(media_type: str) -> Refusal:
    """Return the check for an OpenDocument file of the given type, without macros."""

    def refuse(file: IO[bytes]) -> str | None:
        if (archive := _open(file)) is None:
            return _BROKEN
        names = archive.namelist()
        if "mimetype" not in names or archive.getinfo("mimetype").file_size > _LONGEST_TYPE:
            return "its content is another kind of document"
        try:
            found = archive.read("mimetype").decode("ascii", "replace").strip()
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
            return _BROKEN
        if found != media_type:
            return "its content is another kind of document"
        if any(name.startswith(("Basic/", "Scripts/")) for name in names):
            return "it carries macros"
        return None

    return refuse


def _open(file: IO[bytes]) -> zipfile.ZipFile | None:
    """Return the package, None where its table of contents is broken or made to exhaust who reads it."""
    length = file.seek(0, io.SEEK_END)
    start = max(0, length - _END_SIZE - _END64_SIZE - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_SIZE:
        return None
    (size,) = struct.unpack_from("<L", tail, end + 12)
    if size > MOST_CONTENTS or tail[max(0, end - _END64_SIZE) : end].startswith(_END64):
        return None
    file.seek(0)
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        return None
