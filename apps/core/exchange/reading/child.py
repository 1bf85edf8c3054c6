"""The process that reads one file: `python -m apps.core.exchange.reading.child FILE OPTIONS SECONDS`.

Writes JSON lines: the header, then lists of rows, each `[line, cells, problem]`, then the end with the number of rows;
or at any point `{"refused": sentence}`. Memory and processor time are bounded before the first byte is read.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TextIO

from apps.core.exchange.reading import sniffing
from apps.core.exchange.reading.limits import BYTES, MEGABYTE, MEMORY
from apps.core.exchange.reading.refusal import Unreadable
from apps.core.exchange.reading.sheet import Line, Sheet

# loaded when the kind of the file is known: the others take a sixth of the time of a small file
READERS = {"csv": "delimited", "xlsx": "workbook", "yaml": "yaml_list", "json": "json_list"}
TOGETHER, LONGEST = 200, MEGABYTE  # so many rows, or so many characters, go into one line
TOO_BIG = "The file needs more memory than reading a table should. Bring it as CSV, or in parts."


def bound_resources(seconds: int) -> None:
    """Let this process have no more than it should need; where the system has no such bound, go on without."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    statm = Path("/proc/self/statm")
    if statm.exists():
        has = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + MEMORY, has + MEMORY))


def open_sheet(path: Path, options: dict[str, str]) -> Sheet:
    """Tell the kind and open the table.

    Raises:
        Unreadable: with a sentence.
    """
    kind = sniffing.kind_of(path, encoding=options.get("encoding", ""), name=options.get("name", ""))
    size = path.stat().st_size
    if size > BYTES[kind]:
        raise Unreadable(
            f"The file has {size / MEGABYTE:,.0f} MB; as {sniffing.NAMES[kind]} mops reads up to "
            f"{BYTES[kind] // MEGABYTE} MB."
        )
    reader = import_module(f"apps.core.exchange.reading.{READERS[kind]}")
    sheet: Sheet = reader.read(path, options)
    sheet.notes[:0] = sniffing.name_note(options.get("name", ""), kind)
    return sheet


def write(path: Path, options: dict[str, str], out: TextIO) -> None:
    """Write the table as JSON lines."""
    encode = json.JSONEncoder().encode
    try:
        sheet = open_sheet(path, options)
        out.write(encode({"kind": sheet.kind, "headers": sheet.headers, "notes": sheet.notes, **sheet.facts}) + "\n")
        told = len(sheet.notes)
        if not (count := _write_rows(sheet.lines, lambda rows: out.write(encode(rows) + "\n"))):
            raise Unreadable("The file has a header and no rows below it.")
        out.write(encode({"end": count, "notes": sheet.notes[told:]}) + "\n")
    except Unreadable as refusal:
        out.write(encode({"refused": str(refusal)}) + "\n")
    except (MemoryError, RecursionError):
        out.write(encode({"refused": TOO_BIG}) + "\n")


def _write_rows(lines: Iterable[Line], write_some: Callable[[list[Line]], object]) -> int:
    """Write the rows, some at a time: a line of JSON for each takes thrice as long. Returns how many there were."""
    count, size = 0, 0
    some: list[Line] = []
    try:
        for line in lines:
            some.append(line)
            size += sum(map(len, line[1]))
            if len(some) == TOGETHER or size > LONGEST:
                count += len(some)
                write_some(some)
                some, size = [], 0
    finally:  # what was read before a refusal is told as well
        if some:
            write_some(some)
    return count + len(some)


if __name__ == "__main__":
    bound_resources(int(sys.argv[3]))
    try:
        write(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()  # whoever asked has seen enough
