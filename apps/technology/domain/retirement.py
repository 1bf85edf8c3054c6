"""What keeps a tool from being retired: everything that still lives on it, asked of whoever knows."""

from collections.abc import Callable

from apps.technology.models import Tool

# each returns what of a tool still lives, in words ("3 live seats"), "" for nothing
Claim = Callable[[Tool], str]
_claims: list[Claim] = []


def register_claim(claim: Claim) -> None:
    """Let `claim(tool)` keep a tool from being retired; from `AppConfig.ready`."""
    if claim not in _claims:
        _claims.append(claim)


def refuse_retirement(tool: Tool) -> str | None:
    """Return what still lives on `tool` and has to end before it is retired, None when nothing does."""
    alive = [words for claim in _claims if (words := claim(tool))]
    return f"{tool} cannot be retired: it still has {' and '.join(alive)}. End them first." if alive else None
