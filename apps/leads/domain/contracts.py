"""What can be wrong with the contract of a source, in sentences, field by field."""

from urllib.parse import urlsplit

from apps.leads.domain.intake import FIELDS
from apps.leads.domain.profiling import wrong_plan
from apps.leads.models import IntakeSource


def problems(source: IntakeSource) -> dict[str, str]:
    """Return what cannot be used, by field; nothing where the contract holds."""
    found: dict[str, str] = {}
    if not isinstance(source.fields, dict) or (
        unknown := [each for each in source.fields.values() if each not in FIELDS]
    ):
        told = f"“{unknown[0]}” is no field of ours" if isinstance(source.fields, dict) else "Write their name → ours"
        found["fields"] = f"{told}; ours are {', '.join(FIELDS)}."
    if not isinstance(source.required, list) or any(each not in FIELDS for each in source.required):
        found["required"] = f"Name fields of ours: {', '.join(FIELDS)}."
    if refused := wrong_plan(source.asks):
        found["asks"] = refused
    if not isinstance(source.origins, list) or not all(_is_origin(each) for each in source.origins):
        found["origins"] = "Write sites as https://www.example.com, without a path."
    return found


def _is_origin(text: object) -> bool:
    parts = urlsplit(text) if isinstance(text, str) else None
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc) and parts.path in ("", "/")
