"""Every file for spreadsheets is written by one module, which lets no text become a formula.

`tests/core/exchange/test_exports.py` holds that module to it for lists (CSV and Excel), `tests/audit/test_evidence.py`
for evidence from the ledger, `tests/rights/test_reviews.py` for access reviews.
"""

import ast
import csv
import io
from pathlib import Path

from apps.core.exchange.writing.tables import csv_bytes

ROOT = Path(__file__).resolve().parent.parent.parent
WRITER = "apps/core/exchange/writing/tables.py"
WRITING = {("csv", "writer"), ("csv", "DictWriter"), ("openpyxl", "Workbook")}


def writers(folder):
    """Where the product writes a table for spreadsheets by itself."""
    found = set()
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            taken = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            imported = isinstance(node, ast.ImportFrom) and {(node.module, each.name) for each in node.names}
            if (taken and (node.value.id, node.attr) in WRITING) or (imported and imported & WRITING):
                found.add(path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name)
    return found


def test_one_module_writes_tables():
    assert writers(ROOT / "apps") | writers(ROOT / "mops") == {WRITER}


def test_the_rule_sees_what_it_forbids(tmp_path):
    (tmp_path / "one.py").write_text("import csv\ncsv.writer(None)\n")
    (tmp_path / "two.py").write_text("from openpyxl import Workbook\n")
    (tmp_path / "three.py").write_text("import csv\ncsv.reader(None)\n")
    assert writers(tmp_path) == {"one.py", "two.py"}


def test_texts_are_escaped_and_figures_stay():
    written = csv_bytes([["=1+1", "@x", "plain", -5, None, True], ["\t=1", "＝1", "'=1", 1.5, "", False]])
    assert list(csv.reader(io.StringIO(written.decode(), newline=""))) == [
        ["'=1+1", "'@x", "plain", "-5", "", "true"],
        ["'\t=1", "'＝1", "''=1", "1.5", "", "false"],
    ]
