"""Whether two deliveries brought the same, and under which key each of them counts."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from apps.core.storable import is_storable, storable_text
from apps.leads.domain.said_along import WORDING
from apps.leads.domain.touches import LONGEST_EVENT
from apps.leads.models import Intake

LONGEST_KEY = 120


def is_repeated(known: Intake, given: Mapping[str, Any]) -> bool:
    """Whether a payload, as it would be kept, is that of a known delivery.

    One that was emptied, because the person it named was erased, is repeated by any of its key.
    """
    is_erased = known.lead_id is not None and not known.payload
    return is_erased or _said(known.payload) == _said(given)


def _said(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the source itself said: the wording of its day is ours."""
    return {name: value for name, value in payload.items() if name != WORDING}


def key_of_content(key: str, payload: Mapping[str, Any]) -> str:
    """Return the key under which another content of a known key is kept, once."""
    return _within(key, LONGEST_KEY, json.dumps(_said(payload), sort_keys=True))


def key_of_touch(key: str) -> str:
    """Return the number of the touch that a delivery leaves: its key, or what stands for one that is longer."""
    return key if len(key) <= LONGEST_EVENT else _within(key, LONGEST_EVENT, key)


def key_within(key: str) -> str:
    """Return a key as a delivery has one, for a key that somebody else made up: however long, of whatever signs."""
    is_fine = len(key) <= LONGEST_KEY and is_storable(key)
    return key if is_fine else _within(storable_text(key), LONGEST_KEY, key)


def _within(text: str, most: int, told_apart_by: str) -> str:
    digest = hashlib.sha256(told_apart_by.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"{text[: most - len(digest) - 1]}#{digest}"
