"""The filters of the ledger's list, in words, as they stand in a manifest."""

from collections.abc import Mapping, Sequence

from apps.accounts.models import User
from apps.audit.kinds import kind_of
from apps.audit.models import AuditEvent
from apps.core.actors import Channel

_PLAIN = {
    "object_id": "record number {}",
    "txid": "transaction {}",
    "request_id": "request {}",
    "job_id": "job run {}",
    "at_from_0": "from {}",
    "at_to_0": "until {}",
    "q": "containing “{}” in what, who, why, number or request",
    "reason": "reason contains “{}”",
    "object_label": "what contains “{}”",
}
_QUIET = ("p", "o", "e", "all", "at_from_1", "at_to_1", "_facets", "_popup", "view")


def in_words(query: Mapping[str, str], *, by_name: Sequence[str] = ()) -> list[str]:
    """Return what a list's address narrows, a phrase for each filter; what is unknown is told as it stands.

    Args:
        query: the names and values of the address.
        by_name: who and what the searched text names; entries by and about them are found beside those with the text.
    """
    words = []
    for name, value in sorted(query.items()):
        if name in _QUIET or value == "":
            continue
        time = query.get(name.replace("_0", "_1"), "") if name in ("at_from_0", "at_to_0") else ""
        phrase = _phrase(name, f"{value} {time}".strip())
        words.append(f"{phrase}, or by or about: {'; '.join(by_name)}" if name == "q" and by_name else phrase)
    return words


def _phrase(name: str, value: str) -> str:
    field = name.split("__", maxsplit=1)[0]
    if field == "actor":
        return f"done by {_person(value)}"
    if field == "person":
        return f"done by or to {_person(value)}"
    if field == "table_name":
        return f"kind {kind_of(value)}"
    if field == "action":
        return f"action {dict(AuditEvent.Action.choices).get(value, value)}"
    if field == "channel":
        return f"through {dict(Channel.choices).get(value, value)}"
    return _PLAIN.get(field, f"{name} = {{}}").format(value)


def _person(value: str) -> str:
    found = User.objects.filter(pk=value).first() if value.isdecimal() else None
    return f"{found} ({found.get_username()})" if found is not None else f"person {value}"
