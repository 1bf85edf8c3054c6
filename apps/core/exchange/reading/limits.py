"""How much of a file mops reads before it says no."""

MEGABYTE = 1024 * 1024
BYTES = {"csv": 200 * MEGABYTE, "xlsx": 20 * MEGABYTE, "yaml": 20 * MEGABYTE, "json": 20 * MEGABYTE}
ROWS = {"csv": 1_000_000, "xlsx": 50_000, "yaml": 50_000, "json": 50_000}
COLUMNS = 500
CELL = 200_000  # characters
LINE = 4 * MEGABYTE  # characters in one line of a text file
NESTING = 20
VALUES = 2_000_000  # single values in a YAML or JSON file, aliases counted as what they stand for
ZIP_BYTES = 50 * MEGABYTE  # unpacked
ZIP_RATIO = 100
ZIP_FILES = 1_000
EMPTY_LINES = 10_000  # in a row, inside a workbook
STRINGS, STRING_CHARACTERS = 1_000_000, 40 * MEGABYTE  # in a workbook
MEMORY = 256 * MEGABYTE  # beyond what the interpreter itself needs
SECONDS = 120  # of processor time
PEEK_SECONDS = 10  # of processor time, while somebody waits
