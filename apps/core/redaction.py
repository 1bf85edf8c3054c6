"""Takes secrets out of texts and structures before they reach a log, a row or a screen."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[redacted]"
_NAMES = r"pass(?:word|wd|phrase|code)?|secret|token|api[_-]?key|authori[sz]ation|cookie|credential|otp|private[_-]?key"
_SECRET_NAME = re.compile(
    rf"(?i)(?:^|[_\-. ])(?:\w*(?:password|secret|token)\w*|{_NAMES}|sessionid|session_key)s?(?:$|[_\-. ])"
)
_PATTERNS = (
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)(authori[sz]ation['\"]?\s*[:=]\s*['\"]?)(?:[a-z]+\s+)?[^\s'\",]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?=\S*\d)[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            rf"(?i)(\b[\w-]*(?:{_NAMES}|sessionid|mops_session)(?:s|\d+|[_-]key)?['\"]?\s*[:=]\s*)(b?['\"]?)[^\s'\",&;]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"([?&](?:key|code|state|sig|signature|invitation)=)[^&\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=/)(?=[\w.:=~-]*\d)[\w.:=~-]{24,}(?=[/?#\s'\",]|$)"), HIDDEN),  # one-time links: /reset/key/…/
)


def redact(text: str) -> str:
    """Return `text` without what looks like a password, a token, a key or a one-time link."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def names_secret(name: str) -> bool:
    """Whether a value called `name` is one nobody may read in a log."""
    return bool(_SECRET_NAME.search(name))


def redact_value(value: Any) -> Any:
    """Return `value` with every text redacted and every entry of a telling name hidden, however deep."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: HIDDEN if names_secret(str(key)) and each else redact_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact_value(each) for each in value]
    return value
