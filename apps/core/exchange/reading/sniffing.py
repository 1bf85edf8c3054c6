"""Which kind of file this is: told by the content, the name is only compared."""

import re
from pathlib import Path

from apps.core.exchange.reading import texts
from apps.core.exchange.reading.refusal import Unreadable

HEAD = 4096
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
OTHERS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a picture, sound or film"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
)
ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
}
NAMES = {"csv": "a text table (CSV)", "xlsx": "an Excel workbook", "yaml": "YAML", "json": "JSON"}
WANTED = "Bring a CSV, Excel (.xlsx), YAML or JSON file."
YAML_LIST = re.compile(r"(?:\s*(?:#[^\n]*)?\n)*\s*(?:%YAML|---|- |-\n|[A-Za-z_][\w -]*:\s*\n\s*- )")


def kind_of(path: Path, *, encoding: str = "", name: str = "") -> str:
    """Return csv, xlsx, yaml or json; the name decides only between plain text as YAML and as CSV.

    Raises:
        Unreadable: it is empty, or something else.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip():
        raise Unreadable(f"The file is empty. {WANTED}")
    if head.startswith(ZIP):
        return "xlsx"
    if head.startswith(OLE):
        raise Unreadable("This is an old Excel file (.xls). Open it and save it as an Excel workbook (.xlsx) or CSV.")
    for magic, what in OTHERS:
        if head.startswith(magic) and (magic != b"MZ" or b"\x00" in head):
            raise Unreadable(f"This is {what}, not a table. {WANTED}")
    start = head.decode(encoding or texts.guess(path, by_rows=True).encoding, errors="ignore").lstrip("\ufeff").lstrip()
    if start[:14].lower().startswith(("<!doctype", "<html", "<?xml", "<svg")):
        raise Unreadable(
            "This is a web page or XML, not a table. Perhaps the sign-in page of the other system was saved instead "
            f"of its export. {WANTED}"
        )
    if start.startswith(("[", "{")):
        return "json"
    return "yaml" if YAML_LIST.match(start) or ENDINGS.get(Path(name).suffix.lower()) == "yaml" else "csv"


def name_note(name: str, kind: str) -> list[str]:
    """Return a sentence where the file's name promises another kind."""
    promised = ENDINGS.get(Path(name).suffix.lower())
    if promised and promised != kind:
        return [f"The name ends in {Path(name).suffix}, the content is {NAMES[kind]}; it was read as that."]
    return []
