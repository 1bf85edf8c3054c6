"""Opening a stranger's file from inside mops: rows come from a process of their own, refusals as sentences."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import structlog

from apps.core.errors import InvalidInput
from apps.core.exchange.reading.limits import SECONDS

ROOT = Path(__file__).resolve().parents[4]
DAMAGED = "The file is damaged, or not what it looks like, and cannot be read. Save it again, best as CSV in UTF-8."
TOO_LONG = "Reading the file takes too long; it is not the table it claims to be. Bring it as CSV, or in parts."
logger = structlog.get_logger(__name__)


class Line(NamedTuple):
    """One row of a file: its line, its cells by header, and why it cannot be used ("" when it can)."""

    number: int
    cells: dict[str, str]
    problem: str = ""


@dataclass
class Table:
    """A file being read. `notes` and `ended` grow while the rows are taken."""

    kind: str
    headers: list[str]
    facts: dict[str, Any]
    notes: list[str]
    rows: Iterator[Line]
    ended: bool = field(default=False)


@contextmanager
def open_table(path: Path, options: Mapping[str, str] | None = None, *, seconds: int = SECONDS) -> Iterator[Table]:
    """Open a file; whoever leaves the block early has read only what was taken.

    Args:
        path: a file on this machine.
        options: encoding, delimiter, sheet, header_line, and the name it came with; what is missing is told by the
            content.
        seconds: how much processor time reading may take.

    Raises:
        InvalidInput: the file cannot be read, at once or while its rows are taken.
    """
    told = json.dumps(dict(options or {}))
    command = [sys.executable, "-m", "apps.core.exchange.reading.child", str(path), told, str(seconds)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={"PYTHONIOENCODING": "utf-8"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        lines = _said(process)
        head = next(lines)
        table = Table(head.pop("kind"), head.pop("headers"), head, head.pop("notes"), iter(()))
        table.rows = _rows(table, lines)
        yield table
    finally:
        process.kill()
        process.communicate()


def _rows(table: Table, lines: Iterator[Any]) -> Iterator[Line]:
    for said in lines:
        if isinstance(said, dict):
            table.notes.extend(said["notes"])
            table.ended = True
            return
        for number, cells, problem in said:
            yield Line(number, dict(zip(table.headers, cells, strict=False)), problem)


def _said(process: "subprocess.Popen[bytes]") -> Iterator[Any]:
    """Yield what the reading process writes, until its end.

    Raises:
        InvalidInput: it refused the file, or died of it.
    """
    out: IO[bytes] | None = process.stdout
    for line in out or ():
        said = json.loads(line)
        if isinstance(said, dict) and "refused" in said:
            raise InvalidInput(said["refused"])
        yield said
        if isinstance(said, dict) and "end" in said:
            return
    _, complaint = process.communicate()
    logger.warning("file_reader_died", code=process.returncode, complaint=complaint[-2000:].decode(errors="replace"))
    raise InvalidInput(TOO_LONG if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else DAMAGED)
