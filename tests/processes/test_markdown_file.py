"""Processes as Markdown: there and back without a loss, and handbooks of other origin as far as they can be read."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.processes.domain.document import Document, Remark
from apps.processes.domain.flow import circle_in, problems_of
from apps.processes.domain.handbook import MOST_FILES, templates, unpack
from apps.processes.domain.markdown_file import read_file, write_file
from apps.processes.enums import StepKind, StepMode
from apps.processes.models.values import Flow, FlowEdge, FlowStep

LINE = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=30).map(str.strip)
WORDS = st.text(st.sampled_from("abc XYZ{}#:-*>|éß"), min_size=1, max_size=20).map(lambda t: " ".join(t.split()))
TEXT = st.lists(
    st.one_of(LINE, st.sampled_from(["<!-- steps -->", "\\<!-- questions -->", "> q", "### 1. x {#y}"])), max_size=6
)
TEXT = TEXT.map(lambda lines: "\n".join(lines).strip("\n"))
NAMES = st.lists(WORDS.map(lambda t: t.replace(",", "")).filter(bool), max_size=3, unique=True).map(tuple)


@st.composite
def documents(draw):
    number = draw(st.integers(0, 7))
    steps = tuple(
        FlowStep(
            f"s{n}",
            draw(WORDS.filter(bool)),
            kind=draw(st.sampled_from(StepKind.values)),
            mode=draw(st.sampled_from(StepMode.values)),
            role=draw(WORDS),
            minutes=draw(st.none() | st.integers(0, 14_400)),
            blocking=draw(st.booleans()),
            instructions=draw(TEXT),
            links="\n".join(draw(st.lists(st.just("Guide https://x.example/a"), max_size=2))),
            accountable=draw(WORDS),
            consulted=draw(NAMES),
            informed=draw(NAMES),
        )
        for n in range(number)
    )
    pairs = draw(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
    edges = tuple(
        FlowEdge(f"s{a}", f"s{b}", draw(WORDS), is_rework=b < a)
        for a, b in sorted(pairs)
        if a != b and a < number and b < number
    )
    facts = {"family": "lead", "summary": draw(LINE), "consulted": list(draw(NAMES))}
    return Document(
        draw(WORDS.filter(bool)),
        {name: value for name, value in facts.items() if value},
        draw(TEXT) if steps else "",
        Flow(steps, edges),
        draw(TEXT),
        draw(TEXT),
        draw(st.booleans()),
    )


@given(documents())
def test_there_and_back(document):
    back = read_file(write_file(document))
    assert [each for each in back.remarks if each.line] == []
    assert (back.title, back.body, back.questions, back.change_log, back.is_material) == (
        document.title,
        document.body,
        document.questions,
        document.change_log,
        document.is_material,
    )
    assert back.facts == document.facts
    assert back.flow.steps == document.flow.steps
    assert set(back.flow.edges) == set(document.flow.edges)


@given(st.text(max_size=300))
def test_anything_is_read_without_a_crash(text):
    assert isinstance(read_file(text, "x.md"), Document)


@given(documents(), st.integers(0, 400), st.text(max_size=5))
def test_a_damaged_file_is_read_without_a_crash(document, place, dirt):
    text = write_file(document)
    back = read_file(text[:place] + dirt + text[place:], "x.md")
    assert circle_in(back.flow) == []


def test_every_template_is_sound_and_whole():
    found = templates()
    assert len(found) == 11
    for each in found:
        assert each.document.remarks == [], each.key
        assert problems_of(each.document.flow) == [], each.key
        assert each.document.body.startswith("## Purpose"), each.key
        assert read_file(write_file(each.document)) == each.document


HANDBOOK = """# How we close a campaign

Some words.

## Steps

| Step | Who | Time | Type | Notes |
|------|-----|------|------|-------|
| Stop all sends | Automation specialist | 10 min | manual | Adverts too |
| Check **results** | Analyst | soon | check | |
|  | Nobody | 5 | | |
| Write a [report](https://x.example) | Analyst | 90 | song | |
"""


def test_a_table_becomes_steps_and_tells_what_it_could_not_read():
    document = read_file(HANDBOOK, "close.md")
    assert document.title == "How we close a campaign"
    assert [(each.title, each.role, each.minutes, each.kind) for each in document.flow.steps] == [
        ("Stop all sends", "Automation specialist", 10, "manual"),
        ("Check results", "Analyst", None, "check"),
        ("Write a report", "Analyst", 90, "manual"),
    ]
    assert document.remarks == [
        Remark(7, "The steps were read from this table (4 rows)."),
        Remark(10, "“soon” is no number of minutes; it was left out."),
        Remark(11, "This row names no step; it was left out."),
        Remark(12, "“song” is no kind of step; it became work."),
    ]


def test_a_numbered_list_under_steps_becomes_steps():
    text = "# Intake\n\n## Why\n\n1. Not a step\n\n## Procedure\n\n1. Read it\n2) Answer it.\n\n## After\n\n1. None\n"
    document = read_file(text)
    assert [each.title for each in document.flow.steps] == ["Read it", "Answer it"]
    assert [(edge.source, edge.target) for edge in document.flow.edges] == [("read-it", "answer-it")]
    assert document.remarks[0] == Remark(9, "The steps were read from this list (2 of them); name their roles.")


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("---\ntitle: x\n", 1, "The front matter never ends"),
        ("---\ntitle: [\n---\n", 2, "The front matter is no YAML"),
        ("---\n- a\n---\n", 1, "The front matter is no list of names and values"),
        ("\x00", 0, "It holds a zero byte"),
        ("x" * 400_001, 0, "It has more than 400 thousand characters"),
        ("---\ntitle: x\n---\n<!-- steps -->\n### 1. A {#a}\n- then: nowhere\n", 5, "“A” leads to “nowhere”"),
        (
            "---\ntitle: x\n---\n<!-- steps -->\n### 1. A {#a}\n### 2. B {#b}\n- then: a\n",
            5,
            "The steps lead in a circle",
        ),
        ("---\ntitle: x\n---\n<!-- steps -->\n### 1. {#a}\n", 5, "A step without a title"),
    ],
)
def test_what_cannot_come_in_is_refused_by_line(text, line, sentence):
    document = read_file(text)
    assert document.is_refused
    refusal = next(each for each in document.remarks if each.is_refusal)
    assert (refusal.line, refusal.text[: len(sentence)]) == (line, sentence)


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (
            "---\ntitle: x\nfamily: circus\n---\n",
            3,
            "“circus” is no family; known are campaign, lead, content, operations",
        ),
        ("---\ntitle: x\nmood: good\n---\n", 3, "“mood” means nothing here; it was left out."),
        ("---\ntitle: x\n---\n<!-- steps -->\n- role: Me\n", 5, "This stands before the first step"),
        ("---\ntitle: x\n---\n<!-- steps -->\n### A\n- kind: dance\n", 6, "“dance” is not known as kind"),
        ("---\ntitle: x\n---\n<!-- steps -->\n### A\n- minutes: many\n", 6, "“minutes: many” cannot be read"),
        ("---\ntitle: x\n---\n<!-- steps -->\n### A\nwords\n", 6, "Neither “- name: value” nor a quoted line"),
        ("---\ntitle: x\n---\n<!-- steps -->\n### A {#a}\n### B {#a}\n", 6, "The key “a” is taken by an earlier step"),
    ],
)
def test_what_is_left_out_is_told_by_line(text, line, sentence):
    document = read_file(text)
    assert not document.is_refused
    assert [each for each in document.remarks if each.line == line and each.text.startswith(sentence)]


def test_without_any_title_the_file_names_it():
    assert read_file("words", "lead_capture-2.md").title == "lead capture 2"
    assert read_file("words").is_refused


def zipped(files, **given):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return held.getvalue()


def test_a_zip_gives_its_markdown_in_order():
    content = zipped([("b/two.md", "2"), ("a/one.MD", "1"), ("a/x.png", "p"), ("__MACOSX/._one.md", "n")])
    assert unpack("h.zip", content) == [("a/one.MD", "1"), ("b/two.md", "2")]


def _link():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        entry = zipfile.ZipInfo("a.md")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return held.getvalue()


def _encrypted():
    content = bytearray(zipped([("a.md", "x")]))
    for place in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[place] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: zipped([("../a.md", "x")]), "holds a file that points outside of it"),
        (lambda: zipped([("/a.md", "x")]), "holds a file that points outside of it"),
        (lambda: zipped([("c:\\a.md", "x")]), "holds a file that points outside of it"),
        (_link, "holds a link instead of a file"),
        (_encrypted, "is protected by a password"),
        (
            lambda: zipped([(f"{n}.md", "x") for n in range(MOST_FILES + 1)]),
            "holds 201 files; the most at once are 200",
        ),
        (lambda: zipped([("bomb.md", "0" * 20_000_000)]), "unpacks to more than it may"),
        (lambda: zipped([(f"{n}.md", "0" * 900_000) for n in range(6)]), "unpacks to more than it may"),
        (lambda: zipped([("a.txt", "x")]), "holds no Markdown file"),
        (lambda: zipped([("a.md", b"\xff\xfe\xff")]), "is not text in UTF-8"),
        (lambda: zipped([("a.md", "words " * 50)]).replace(b"PK\x03\x04", b"PK\x03\x05", 1), "is damaged"),
    ],
)
def test_hostile_zips_are_refused_in_words(content, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        unpack("h.zip", content())


def test_only_markdown_is_taken():
    with pytest.raises(InvalidInput, match=r"x.exe is no Markdown file"):
        unpack("x.exe", b"MZ")
    with pytest.raises(InvalidInput, match=r"x.zip is damaged or no zip; pack it again"):
        unpack("x.zip", b"PK\x03\x04 and no more")
    with pytest.raises(InvalidInput, match=r"x.md has more than 1 MB"):
        unpack("x.md", b"0" * 1_000_001)


def test_what_is_too_long_is_shortened_and_said_so():
    found = read_file(
        f"---\ntitle: {'t' * 151}\npersona: {'p' * 201}\n---\nText.\n\n<!-- steps -->\n\n### 1. {'s' * 151}\n"
    )
    assert (len(found.title), len(found.facts["persona"]), len(found.flow.steps[0].title)) == (150, 200, 150)
    said = "longer than the {} characters that fit; the rest was left out."
    assert [each.text.split(" is ", 1)[1] for each in found.remarks[:3]] == [said.format(n) for n in (150, 200, 150)]
