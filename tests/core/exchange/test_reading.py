"""Files become tables, in a bounded process; whatever is none is refused in a sentence, quickly."""

import os
import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.exchange import formulas
from apps.core.exchange.reading.table import ROOT, open_table
from tests.core.exchange.hostile import CASES, cells, quadratic, strings_bomb

SECONDS, MEGABYTES = 2, 100


def _read(tmp_path, content, name="file.csv", **options):
    path = tmp_path / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_table(path, {"name": name, **options}) as table:
        rows = list(table.rows)
    return table, rows


def _cells(rows):
    return [list(row.cells.values()) for row in rows]


def _seconds():
    """Processor time of this process and of those it waited for: what a busy machine does not change."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak(path):
    """Megabytes a reading process needed at most."""
    code = [sys.executable, "-m", "apps.core.exchange.reading.child", str(path), "{}", "60"]
    with subprocess.Popen(code, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return usage.ru_maxrss / 1024


@pytest.mark.parametrize("case", CASES)
def test_hostile_files_are_refused_in_words_and_at_once(case, tmp_path):
    name, content, sentence = CASES[case]
    content = content() if callable(content) else content
    began = _seconds()
    with pytest.raises(InvalidInput) as refusal:
        _read(tmp_path, content, name)
    assert refusal.value.message == sentence
    assert _seconds() - began < SECONDS


@pytest.mark.parametrize(
    "case", ["zip bomb", "lying zip bomb", "one endless line", "million columns", "json of numbers"]
)
def test_hostile_files_take_little_memory(case, tmp_path):
    _, content, _ = CASES[case]
    small, big = tmp_path / "small", tmp_path / "big"
    small.write_text("a,b\n1,2\n")
    big.write_bytes(content() if callable(content) else content)
    assert _peak(big) - _peak(small) < MEGABYTES


def test_a_workbook_of_millions_of_strings_is_stopped_by_the_bounds(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(strings_bomb())
    with pytest.raises(InvalidInput) as refusal, open_table(path):
        pass
    assert refusal.value.message == "The workbook holds more text than a table of its size should. Save it as CSV."
    with pytest.raises(InvalidInput) as refusal, open_table(path, seconds=1):
        pass
    assert refusal.value.message == (
        "Reading the file takes too long; it is not the table it claims to be. Bring it as CSV, or in parts."
    )


@pytest.mark.parametrize(
    ("content", "encoding", "noted"),
    [
        ("name\nZoë\n".encode(), "utf-8-sig", False),
        ("name\nZoë\n".encode("utf-8-sig"), "utf-8-sig", False),
        ("name\nZoë\n".encode("utf-16"), "utf-16", False),
        ("name\nZoë\n".encode("utf-16-le"), "utf-16-le", True),
        ("name\nZoë\n".encode("cp1252"), "cp1252", True),
    ],
)
def test_encodings_are_told_and_guesses_are_said(content, encoding, noted, tmp_path):
    table, rows = _read(tmp_path, content)
    assert (table.headers, _cells(rows), table.facts["encoding"]) == (["name"], [["Zoë"]], encoding)
    assert bool(table.notes) == noted


def test_an_encoding_can_be_chosen(tmp_path):
    _, rows = _read(tmp_path, "name\nŁódź\n".encode("cp1250"), encoding="cp1250")
    assert _cells(rows) == [["Łódź"]]
    with pytest.raises(InvalidInput, match="is not written in the encoding chosen"):
        _read(tmp_path, "name\nŁódź\n".encode("cp1250"), encoding="utf-8-sig")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_separators_are_told(delimiter, tmp_path):
    text = f'a{delimiter}b\n"x,;{delimiter}y"{delimiter}2\n\n3{delimiter}4\n'
    table, rows = _read(tmp_path, text)
    assert table.facts["delimiter"] == delimiter
    assert [(row.number, *row.cells.values()) for row in rows] == [(2, f"x,;{delimiter}y", "2"), (4, "3", "4")]


def test_excel_says_its_separator(tmp_path):
    table, rows = _read(tmp_path, "sep=;\na;b\n1,2;3\n")
    assert (table.headers, _cells(rows), rows[0].number) == (["a", "b"], [["1,2", "3"]], 3)


def test_one_column_without_separator(tmp_path):
    table, rows = _read(tmp_path, "name\nDemand\n")
    assert (table.headers, _cells(rows)) == (["name"], [["Demand"]])


def test_ragged_rows_are_marked_and_the_others_stay(tmp_path):
    _, rows = _read(tmp_path, 'a,b\n1,2,3\n4\n5,6,,\n"7\n8",9\n10,11\n')
    assert [(row.number, row.problem) for row in rows] == [
        (2, "This row has 3 values, the header names 2 columns. Quote values that contain the separator."),
        (3, "This row has 1 values, the header names 2 columns. Is a line break inside a value not quoted?"),
        (4, ""),
        (5, ""),
        (7, ""),
    ]


def test_a_nul_here_and_there_refuses_its_row_alone(tmp_path):
    _, rows = _read(tmp_path, b"name,purpose\nGood,1\na\x00b,2\nBetter,3\n")
    assert _cells(rows) == [["Good", "1"], ["a␀b", "2"], ["Better", "3"]]
    assert [row.number for row in rows if row.problem] == [3]
    assert rows[1].problem.startswith("This row contains a NUL character")
    with pytest.raises(InvalidInput, match="Byte 2 is NUL"):
        _read(tmp_path, b"n\x00ame,purpose\na,b\nc,d\n")


def test_damaged_texts_of_other_files_refuse_their_row_alone(tmp_path):
    for name, content in (
        ("a.json", r'[{"a": "x\u0000", "b": "1"}, {"a": "y", "b": "2"}, {"a": "\ud800", "b": "3"}]'),
        ("a.yaml", '- a: "x\\0"\n  b: 1\n- a: y\n  b: 2\n- a: "\\0"\n  b: 3\n'),
        ("a.xlsx", cells([["a", "b"], ["x_x0000_", "1"], ["y", "2"], ["_xD800_", "3"]])),
    ):
        _, rows = _read(tmp_path, content, name)
        assert _cells(rows)[:2] == [["x␀", "1"], ["y", "2"]]
        assert [bool(row.problem) for row in rows] == [True, False, True]
        assert rows[0].problem.startswith("This row holds a NUL character or half a character")


def test_the_header_may_stand_further_down(tmp_path):
    table, rows = _read(tmp_path, "Report of May\n\na,b\n1,2\n", header_line="3", delimiter=",")
    assert (table.headers, _cells(rows)) == (["a", "b"], [["1", "2"]])


def test_workbooks_bring_typed_cells_as_text(tmp_path):
    import datetime as dt

    row = ["Zoë", 3.0, 2.5, True, dt.date(2026, 3, 31), dt.datetime(2026, 3, 31, 14, 30), None, "=1+1"]
    table, rows = _read(tmp_path, cells([[*"abcdefgh"], row], "Other"), "a.xlsx")
    assert _cells(rows) == [["Zoë", "3", "2.5", "true", "2026-03-31", "2026-03-31 14:30:00", "", "=1+1"]]
    assert table.facts == {"sheet": "Sheet", "sheets": ["Sheet", "Other"]}
    assert table.notes == [
        "The workbook has 2 sheets; “Sheet” was read.",
        (
            "1 cells hold a formula (the first is H2). Formulas are taken as the text they are, nothing is "
            "computed; to bring in results, paste them as values first."
        ),
    ]


def test_a_sheet_can_be_chosen(tmp_path):
    content = cells([["a"], ["b"]], "Other")
    with pytest.raises(InvalidInput) as refusal:
        _read(tmp_path, content, sheet="Third")
    assert refusal.value.message == "The workbook has no sheet “Third”; it has “Sheet”, “Other”."


def test_the_content_counts_not_the_name(tmp_path):
    table, _ = _read(tmp_path, cells([["a"], ["b"]]), "people.csv")
    assert table.notes == ["The name ends in .csv, the content is an Excel workbook; it was read as that."]


def test_yaml_is_taken_as_written(tmp_path):
    text = "# tools\n- name: Norway\n  on: no\n  version: 1.10\n  none: ~\n  tags: [a, b]\n  more: {x: 1}\n"
    text += "- name: 'null'\n"
    table, rows = _read(tmp_path, text, "a.yml")
    assert table.headers == ["name", "on", "version", "none", "tags", "more"]
    assert _cells(rows) == [["Norway", "no", "1.10", "", "a, b", '{"x": "1"}'], ["null", "", "", "", "", ""]]
    assert [row.number for row in rows] == [1, 2]


def test_yaml_may_hold_its_list_under_a_name_and_use_aliases(tmp_path):
    _, rows = _read(tmp_path, "base: &b {x: 1}\ntools:\n  - {<<: *b, name: a}\n  - name: b\n", "a.yml")
    assert _cells(rows) == [["1", "a"], ["", "b"]]


def test_yaml_aliases_of_long_texts_do_not_blow_up(tmp_path):
    _, rows = _read(tmp_path, quadratic(), "a.yml")
    assert len(rows[0].cells) == 401


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1.10, "b": null},\n{"a": true}]',
        '{"items": [{"a": 1.10, "b": null}, {"a": true}]}',
        '{"a": 1.10, "b": null}\n{"a": true}',
    ],
)
def test_json_lists_objects_and_lines(text, tmp_path):
    table, rows = _read(tmp_path, text, "a.json")
    assert (table.headers, _cells(rows)) == (["a", "b"], [["1.10", ""], ["true", ""]])


def test_leaving_early_reads_no_further(tmp_path):
    path = tmp_path / "many"
    path.write_text("a,b\n" + "1,2\n" * 400_000)
    began = _seconds()
    with open_table(path) as table:
        next(table.rows)
    assert _seconds() - began < 1
    assert not table.ended


@given(st.text(alphabet=st.sampled_from("'=+-@＝ \t\r\nab1"), max_size=12))
def test_formula_signs_come_back_as_they_were(text):
    escaped = formulas.escape(text)
    assert formulas.unescape(escaped) == text
    assert escaped.lstrip()[:1] not in ("=", "+", "-", "@", "＝")
    assert escaped[:1] not in ("\t", "\r", "\n")


def test_real_files(shared_data):
    with open_table(shared_data / "tech_stack.yml") as table:
        assert (table.kind, len(table.headers), sum(1 for _ in table.rows)) == ("yaml", 24, 219)
    with open_table(shared_data / "leads.csv") as table:
        assert (table.kind, len(table.headers), sum(1 for _ in table.rows)) == ("csv", 9, 9240)


def test_rows_before_a_refusal_are_told(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("Name,Note\n" + "".join(f"n{number},\n" for number in range(450)) + 'n450,"open\n')
    seen = []
    with pytest.raises(InvalidInput, match="452"), open_table(path) as table:
        seen.extend(line.cells["Name"] for line in table.rows)
    assert seen == [f"n{number}" for number in range(450)]
