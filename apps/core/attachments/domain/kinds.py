"""Which kinds of files may be attached, and whether a file's content is what its name says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import filetype

from apps.core.attachments.domain.names import extension_of
from apps.core.attachments.domain.packages import refuse_open_document, refuse_open_xml
from apps.core.attachments.domain.texts import refuse_text

HEAD = 8192  # what filetype looks at


@dataclass(frozen=True)
class FileKind:
    """One kind of file: what people call it, how it is served, and its check.

    `refuse` gets the open file and returns why its content is not of this kind, None when it is.
    """

    label: str
    media_type: str
    refuse: Callable[[IO[bytes]], str | None]


def _magic(media_type: str) -> Callable[[IO[bytes]], str | None]:
    def refuse(file: IO[bytes]) -> str | None:
        found = filetype.guess(file.read(HEAD))
        if found is None:
            return "its content is of no kind that mops knows"
        return None if found.mime == media_type else f"its content is {found.mime}"

    return refuse


_XML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
KINDS: dict[str, FileKind] = {
    "pdf": FileKind("PDF", "application/pdf", _magic("application/pdf")),
    "docx": FileKind("Word", f"{_XML}wordprocessingml.document", refuse_open_xml("word/")),
    "xlsx": FileKind("Excel", f"{_XML}spreadsheetml.sheet", refuse_open_xml("xl/")),
    "pptx": FileKind("PowerPoint", f"{_XML}presentationml.presentation", refuse_open_xml("ppt/")),
    "odt": FileKind("OpenDocument text", f"{_ODF}text", refuse_open_document(f"{_ODF}text")),
    "ods": FileKind("OpenDocument sheet", f"{_ODF}spreadsheet", refuse_open_document(f"{_ODF}spreadsheet")),
    "odp": FileKind("OpenDocument slides", f"{_ODF}presentation", refuse_open_document(f"{_ODF}presentation")),
    "png": FileKind("PNG image", "image/png", _magic("image/png")),
    "jpg": FileKind("JPEG image", "image/jpeg", _magic("image/jpeg")),
    "jpeg": FileKind("JPEG image", "image/jpeg", _magic("image/jpeg")),
    "gif": FileKind("GIF image", "image/gif", _magic("image/gif")),
    "webp": FileKind("WebP image", "image/webp", _magic("image/webp")),
    "csv": FileKind("CSV", "text/csv", refuse_text),
    "txt": FileKind("Text", "text/plain", refuse_text),
    "md": FileKind("Markdown", "text/markdown", refuse_text),
}
ACCEPTED = ", ".join(name for name in KINDS if name != "jpeg")
# Worth a way out of their own: people have these and can turn them into something accepted.
_INSTEAD = {
    "doc": "save it as .docx or .pdf",
    "xls": "save it as .xlsx or .csv",
    "ppt": "save it as .pptx or .pdf",
    "docm": "save it as .docx, without its macros",
    "xlsm": "save it as .xlsx, without its macros",
    "pptm": "save it as .pptx, without its macros",
    "zip": "unpack it and attach the files it holds, because mops does not look into archives",
    "svg": "export it as .png, because an SVG can carry scripts",
    "html": "print it to .pdf, because a page can carry scripts",
    "htm": "print it to .pdf, because a page can carry scripts",
    "heic": "save it as .jpg",
}


def refuse_kind(name: str) -> str | None:
    """Return why a file of this name cannot be attached, None when its kind is accepted."""
    extension = extension_of(name)
    if extension in KINDS:
        return None
    if way_out := _INSTEAD.get(extension):
        return f"Files of type .{extension} are not accepted: {way_out}."
    what = f"Files of type .{extension}" if extension else "Files without an extension"
    return f"{what} are not accepted. Accepted are: {ACCEPTED}."


def refuse_content(name: str, file: IO[bytes]) -> str | None:
    """Return why the content of `file` does not fit its (accepted) name, None when it does."""
    file.seek(0)
    why = KINDS[extension_of(name)].refuse(file)
    file.seek(0)
    return None if why is None else f"{name} was not attached: {why}, which does not fit its name."
