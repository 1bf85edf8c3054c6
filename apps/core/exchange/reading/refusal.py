"""Why a file is not read."""


class Unreadable(Exception):
    """The file cannot be read; the message is a sentence for the person who brought it."""


def mark(text: str, length: int = 40) -> str:
    """Return `text` in quotation marks on one line, shortened."""
    flat = " ".join(text.split())
    return f"“{flat[:length]}…”" if len(flat) > length else f"“{flat}”"
