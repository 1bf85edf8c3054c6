"""What may be attached, judged by the content and not by the name."""

import io
import time
import tracemalloc
import zipfile

import pytest

from apps.core.attachments.domain.kinds import ACCEPTED, KINDS, refuse_content, refuse_kind
from apps.core.attachments.domain.names import safe_name
from apps.core.errors import InvalidInput
from tests.factories.files import GIF, JPEG, ODT, PDF, PNG, WEBP, office, package

GOOD = {
    "a.pdf": PDF,
    "a.png": PNG,
    "a.jpg": JPEG,
    "a.jpeg": JPEG,
    "a.gif": GIF,
    "a.webp": WEBP,
    "a.docx": office("word"),
    "a.xlsx": office("xl"),
    "a.pptx": office("ppt"),
    "a.odt": package(mimetype=ODT.encode()),
    "a.ods": package(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
    "a.odp": package(mimetype=b"application/vnd.oasis.opendocument.presentation"),
    "a.csv": "name;größe\nÄ;1\n".encode("cp1252"),
    "a.txt": "Grüße\r\n".encode("utf-16"),
    "a.md": "# Überschrift\n".encode(),
}


def refusal(name, content):
    return refuse_kind(name) or refuse_content(name, io.BytesIO(content))


def test_every_accepted_kind_has_a_good_example():
    assert {name.rsplit(".", 1)[1] for name in GOOD} == set(KINDS)


@pytest.mark.parametrize("name", GOOD)
def test_good_files_are_accepted(name):
    assert refusal(name, GOOD[name]) is None


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("a.doc", "save it as .docx or .pdf"),
        ("a.xls", "save it as .xlsx or .csv"),
        ("a.ppt", "save it as .pptx or .pdf"),
        ("a.docm", "save it as .docx, without its macros"),
        ("a.xlsm", "save it as .xlsx, without its macros"),
        ("a.pptm", "save it as .pptx, without its macros"),
        ("a.zip", "unpack it and attach the files it holds, because mops does not look into archives"),
        ("a.svg", "export it as .png, because an SVG can carry scripts"),
        ("a.html", "print it to .pdf, because a page can carry scripts"),
        ("a.htm", "print it to .pdf, because a page can carry scripts"),
        ("a.heic", "save it as .jpg"),
    ],
)
def test_near_misses_are_told_the_way_out(name, way_out):
    assert refuse_kind(name) == f"Files of type .{name[2:]} are not accepted: {way_out}."


def test_other_kinds_are_told_what_is_accepted():
    assert refuse_kind("setup.exe") == f"Files of type .exe are not accepted. Accepted are: {ACCEPTED}."
    assert refuse_kind("README") == f"Files without an extension are not accepted. Accepted are: {ACCEPTED}."


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.pdf", PNG, "its content is image/png"),
        ("a.png", b"<script>alert(1)</script>", "its content is of no kind that mops knows"),
        ("a.pdf", b"MZ\x90\x00" + bytes(100), "its content is application/x-msdownload"),
        ("a.docx", PDF, "it is damaged or no office document"),
        ("a.docx", office("xl"), "its content is another kind of document"),
        ("a.docx", package(**{"word/document.xml": b""}), "its content is another kind of document"),
        ("a.docx", office("word", **{"word/vbaProject.bin": b"x"}), "it carries macros"),
        ("a.docx", office("word")[:-30], "it is damaged or no office document"),
        ("a.odt", package(mimetype=b"application/zip"), "its content is another kind of document"),
        ("a.odt", package(other=b""), "its content is another kind of document"),
        ("a.odt", package(mimetype=b"x" * 5000), "its content is another kind of document"),
        ("a.odt", package(mimetype=ODT.encode(), **{"Basic/m.xml": b""}), "it carries macros"),
        ("a.txt", PNG, "its content is binary, not text"),
        ("a.csv", PDF + b"\x00", "its content is binary, not text"),
        ("a.md", b"\xff\xfea\x00\x00\x00", "its content is binary, not text"),
        ("a.md", b"\xff\xfea\x00\x00\xd8", "its content is binary, not text"),
    ],
)
def test_content_must_be_what_the_name_says(name, content, why):
    assert refusal(name, content) == f"{name} was not attached: {why}, which does not fit its name."


def test_a_package_made_to_exhaust_the_reader_is_refused_quickly():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number in range(120_000):
            archive.writestr(f"word/{number}", b"")
    held.seek(0)
    tracemalloc.start()
    started = time.perf_counter()
    assert refuse_content("a.docx", held).startswith("a.docx was not attached: it is damaged")
    assert time.perf_counter() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Plan.PDF", "Plan.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\eve\\Plan.pdf", "Plan.pdf"),
        ("in\u202egnp.exe", "ingnp.exe"),
        ("a\x00b\r\nc.txt", "abc.txt"),
        ('we"ird<na|me>?.txt', "we_ird_na_me__.txt"),
        ("  spaced   out .txt", "spaced out .txt"),
        (".htaccess", "htaccess"),
        ("", "file"),
        ("Gru\u0308n.txt", "Grün.txt"),
    ],
)
def test_names_are_cleaned(given, kept):
    assert safe_name(given) == kept


def test_a_name_too_long_is_refused():
    with pytest.raises(InvalidInput, match=r"^The file's name has 154 characters; shorten it to 150 or fewer"):
        safe_name("x" * 150 + ".pdf")
