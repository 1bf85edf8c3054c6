"""What apps that stand above the demo's story add to it, in the same transaction."""

from collections.abc import Callable
from typing import Any

Chapter = Callable[[Any], None]
_chapters: list[tuple[str, Chapter]] = []


def register_chapter(title: str, tell: Chapter) -> None:
    """Let `tell(company)` add to the demo once everything else is there; from `AppConfig.ready`.

    Args:
        title: what is made, for whoever waits.
        tell: is given the people and teams of the demo, and today.
    """
    _chapters.append((title, tell))


def chapters() -> list[tuple[str, Chapter]]:
    """Return what was registered, in that order."""
    return list(_chapters)
