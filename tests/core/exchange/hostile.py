"""Files that mean harm, or were never tables: (name, content, sentence)."""

import io
import json
import random
import struct
import zipfile
import zlib


def workbook(**parts: bytes) -> bytes:
    """A minimal workbook of these parts; names with __ for /."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return out.getvalue()


def cells(rows: list[list[object]], *more: str) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title in more:
        book.create_sheet(title).append([title])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def flat_bomb() -> bytes:
    return workbook(xl__workbook=b"<workbook/>", xl__worksheets__sheet1=b"<row/>" * 20_000_000)


def tight_bomb() -> bytes:
    """Under the sum of sizes, over the ratio."""
    return workbook(xl__workbook=b"<workbook/>", xl__worksheets__sheet1=b" " * 40_000_000)


def lying_bomb() -> bytes:
    """The directory says 10 bytes, the stream unpacks to 30 MB."""
    content = b"<worksheet><sheetData>" + b"<row/>" * 5_000_000
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = packed.compress(content) + packed.flush()
    real = cells([["a"], ["b"]])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(real)) as source, zipfile.ZipFile(out, "w") as archive:
        for entry in source.infolist():
            if not entry.filename.startswith("xl/worksheets/sheet"):
                archive.writestr(entry.filename, source.read(entry.filename))
    body, name = out.getvalue(), b"xl/worksheets/sheet1.xml"
    end = body.rindex(b"PK\x05\x06")
    start, entries = (
        struct.unpack("<I", body[end + 16 : end + 20])[0],
        struct.unpack("<H", body[end + 10 : end + 12])[0],
    )
    sizes = struct.pack("<III", 0, len(stream), 10)
    local = (
        b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0) + sizes + struct.pack("<HH", len(name), 0) + name + stream
    )
    central = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0) + sizes
    central += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, start) + name
    directory = body[start:end] + central
    tail = struct.pack("<HHHHIIH", 0, 0, entries + 1, entries + 1, len(directory), start + len(local), 0)
    return body[:start] + local + directory + b"PK\x05\x06" + tail


def entities() -> bytes:
    """A sheet whose entities stand for a billion words."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE w [<!ENTITY e0 "lol">{levels}]>'.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(cells([["a"], ["b"]]))) as source, zipfile.ZipFile(out, "w") as archive:
        for entry in source.infolist():
            content = source.read(entry.filename)
            if entry.filename.startswith("xl/worksheets/sheet"):
                content = bomb + content.replace(b"<t>b</t>", b"<t>&e9;</t>")
            archive.writestr(entry.filename, content)
    return out.getvalue()


def strings_bomb(number: int = 1_100_000) -> bytes:
    """So many different shared strings: within the sizes, too much for memory or time."""
    rng = random.Random(1)
    strings = b"".join(b"<si><t>%x</t></si>" % rng.getrandbits(64) for _ in range(number))
    namespace = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
    real = cells([["a"], ["b"]])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(real)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, source.read(entry.filename).replace(b"</Types>", part))
        archive.writestr("xl/sharedStrings.xml", b"<sst " + namespace + b">" + strings + b"</sst>")
    return out.getvalue()


def laughs() -> bytes:
    levels = ["a: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    levels += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return ("- " + "\n  ".join(levels)).encode()


def quadratic() -> bytes:
    return ("- a: &a " + "x" * 100_000 + "\n" + "".join(f"  b{n}: *a\n" for n in range(400)) * 1).encode()


PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
NUL = b"name,purpose\na\x00b,\x00c\x00\n"
CASES: dict[str, tuple[str, object, str]] = {
    "empty": ("a.csv", b"", "The file is empty. Bring a CSV, Excel (.xlsx), YAML or JSON file."),
    "blank": ("a.csv", b" \n\r\n ", "The file is empty. Bring a CSV, Excel (.xlsx), YAML or JSON file."),
    "header only": ("a.csv", b"name,purpose\n", "The file has a header and no rows below it."),
    "picture": ("a.csv", PNG, "This is a PNG picture, not a table. Bring a CSV, Excel (.xlsx), YAML or JSON file."),
    "old excel": (
        "a.xlsx",
        b"\xd0\xcf\x11\xe0\xa1\xb1",
        "This is an old Excel file (.xls). Open it and save it as an Excel workbook (.xlsx) or CSV.",
    ),
    "page": (
        "a.csv",
        b"<!DOCTYPE html><html>",
        (
            "This is a web page or XML, not a table. Perhaps the sign-in page of the other system was saved "
            "instead of its export. Bring a CSV, Excel (.xlsx), YAML or JSON file."
        ),
    ),
    "nul": ("a.csv", NUL, "Byte 15 is NUL: the file is damaged, or it is not text."),
    "encoding": (
        "a.csv",
        b"name\n\x81\x8d\n",
        "The text is in an encoding mops cannot tell. Save the file as UTF-8 and bring it again.",
    ),
    "twins": ("a.csv", b"name,x,Name\na,b,c\n", "Two columns are called “Name” (columns 1 and 3). Rename one of them."),
    "open quote": (
        "a.csv",
        b'name,purpose\n"a,b\nc,d\n',
        "Line 2: a quotation mark inside a quoted value must be doubled, and every opened one closed.",
    ),
    "stray quote": (
        "a.csv",
        b'name,purpose\n"a"b,c\n',
        "Line 2: a quotation mark inside a quoted value must be doubled, and every opened one closed.",
    ),
    "big cell": (
        "a.csv",
        b"name,purpose\na," + b"x" * 10_000_000 + b"\n",
        "Line 2 is longer than 4,194,304 characters: this is not a table with rows.",
    ),
    "cell over the limit": (
        "a.csv",
        b"name,purpose\na," + b"x" * 300_000 + b"\n",
        (
            "A value that begins on line 2 has more than 200,000 characters. Is a quotation mark missing, so "
            "that several rows run together?"
        ),
    ),
    "million columns": (
        "a.csv",
        b",".join(b"c%d" % n for n in range(500_000)) + b"\n1\n",
        "The file has 500,000 columns; mops reads up to 500. Leave out what is not needed.",
    ),
    "one endless line": (
        "a.csv",
        b"a," * 20_000_000,
        "Line 1 is longer than 4,194,304 characters: this is not a table with rows.",
    ),
    "no workbook": (
        "a.xlsx",
        lambda: workbook(readme=b"<x/>"),
        "This is a ZIP archive, not an Excel workbook. Unpack it, or save the table as .xlsx or CSV.",
    ),
    "cut off workbook": (
        "a.xlsx",
        lambda: cells([["a"], ["b"]])[:900],
        (
            "The Excel workbook is damaged or incomplete. Open it in your spreadsheet program and save it again "
            "as .xlsx, or as CSV."
        ),
    ),
    "zip bomb": (
        "a.xlsx",
        flat_bomb,
        (
            "The workbook unpacks to 114 MB from 0.2 MB; mops unpacks up to 50 MB, and 100 times the size. Save "
            "the table alone as CSV."
        ),
    ),
    "tight zip bomb": (
        "a.xlsx",
        tight_bomb,
        (
            "The workbook unpacks to 38 MB from 0.0 MB; mops unpacks up to 50 MB, and 100 times the size. Save "
            "the table alone as CSV."
        ),
    ),
    "lying zip bomb": (
        "a.xlsx",
        lying_bomb,
        "The file is damaged, or not what it looks like, and cannot be read. Save it again, best as CSV in UTF-8.",
    ),
    "entities in a workbook": (
        "a.xlsx",
        entities,
        "The file is damaged, or not what it looks like, and cannot be read. Save it again, best as CSV in UTF-8.",
    ),
    "wide workbook": (
        "a.xlsx",
        lambda: cells([[f"c{n}" for n in range(600)], ["x"]]),
        "The file has 501 columns; mops reads up to 500. Leave out what is not needed.",
    ),
    "deep json": (
        "a.json",
        b"[" * 200_000 + b"]" * 200_000,
        "The JSON is nested too deeply: mops reads a list of records with plain values.",
    ),
    "deep json record": (
        "a.json",
        b'[{"a":' * 5_000,
        "The JSON is nested too deeply: mops reads a list of records with plain values.",
    ),
    "broken json": (
        "a.json",
        b'[{"a": 1},\n {"a" 2}]',
        "Line 2, column 7: this is not JSON (Expecting ':' delimiter).",
    ),
    "json of numbers": (
        "a.json",
        b"[" + b"1," * 3_000_000 + b"1]",
        "The JSON holds more than 2,000,000 values. Bring the list as CSV.",
    ),
    "json of plain values": (
        "a.json",
        b"[1, 2]",
        "Line 1: every entry of the list must be a record with named values.",
    ),
    "json twins": ("a.json", b'[{"a": 1, "a": 2}]', "A record names “a” twice."),
    "json not a number": ("a.json", b'[{"a": NaN}]', "NaN is not JSON; write null for what is unknown."),
    "json object": (
        "a.json",
        b'{"a": 1}',
        "The JSON must be a list of records, or an object that holds one such list.",
    ),
    "json with a million keys": (
        "a.json",
        lambda: json.dumps([{f"k{n}": 1 for n in range(200_000)}]).encode(),
        "The records have more than 500 different keys: this is not a table.",
    ),
    "yaml laughs": (
        "a.yml",
        laughs,
        "The YAML holds more than 2,000,000 values once its aliases are written out. Bring the list as CSV.",
    ),
    "deep yaml": ("a.yml", b"- " + b"[" * 5_000, "Line 1: the YAML is nested deeper than 20 levels."),
    "yaml object": (
        "a.yml",
        b"- !!python/object/apply:os.system ['true']\n",
        "Line 1: the tag “tag:yaml.org,2002:python/object/apply:os…” asks for more than plain values; remove it.",
    ),
    "broken yaml": (
        "a.yml",
        b"- name: a\n  purpose: 'b\n- name: c\n",
        "Line 4, column 1: this is not YAML (found unexpected end of stream).",
    ),
    "two documents": (
        "a.yml",
        b"---\n- a: 1\n---\n- a: 2\n",
        "The file holds more than one YAML document; keep one list.",
    ),
    "yaml twins": ("a.yml", b"- a: 1\n  a: 2\n", "Line 2: a record names “a” twice."),
    "yaml of a mapping": (
        "a.yml",
        b"---\na: 1\nb: 2\n",
        "The YAML must be a list of records (each begins with a dash), or a mapping that holds one such list.",
    ),
}
