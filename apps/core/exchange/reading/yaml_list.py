"""YAML: a list of records, or a mapping that holds one such list.

Values are taken as they are written: `no` stays "no", `1.10` stays "1.10"; only null is empty. The events of the
parser are counted as they come, so that neither depth nor aliases ("billion laughs") can blow up.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from apps.core.exchange.reading.limits import NESTING, VALUES
from apps.core.exchange.reading.records import Record, Value, table_of
from apps.core.exchange.reading.refusal import Unreadable, mark
from apps.core.exchange.reading.sheet import Sheet

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NULL = frozenset({"", "~", "null", "Null", "NULL"})
PLAIN_TAGS, PYTHON_TAGS = "tag:yaml.org,2002:", "tag:yaml.org,2002:python"
_NO_LIST = "The YAML must be a list of records (each begins with a dash), or a mapping that holds one such list."


def read(path: Path, options: dict[str, str]) -> Sheet:
    """Read the file.

    Raises:
        Unreadable: with a sentence.
    """
    return table_of("yaml", path, options, records)


def records(text: str) -> Iterator[Record]:
    """Yield each record with the line on which it begins."""
    try:
        yield from _Reader(text).records()
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        line = f"Line {where.line + 1:,}, column {where.column + 1:,}: t" if where else "T"
        raise Unreadable(f"{line}his is not YAML ({error.problem or error.context}).") from error
    except yaml.YAMLError as error:
        raise Unreadable("The file holds characters that YAML does not allow.") from error


class _Reader:
    """Makes values of the parser's events, keeping count."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=LOADER)
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.count = 0

    def records(self) -> Iterator[Record]:
        first = self._next()
        while isinstance(first, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            first = self._next()
        if isinstance(first, yaml.SequenceStartEvent):
            yield from self._items()
        elif isinstance(first, yaml.MappingStartEvent):
            yield from self._held(first)
        else:
            raise Unreadable(_NO_LIST)
        for rest in self.events:
            if isinstance(rest, yaml.DocumentStartEvent):
                raise Unreadable("The file holds more than one YAML document; keep one list.")

    def _items(self) -> Iterator[Record]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            yield event.start_mark.line + 1, self._value(event, 2)

    def _held(self, event: Any) -> Iterator[Record]:
        lists: list[Iterator[Record]] = []
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            self._value(key, 2)
            inner = self._next()
            if isinstance(inner, yaml.SequenceStartEvent):
                lists.append(iter(list(self._items())))
            else:
                self._value(inner, 2)
        if len(lists) != 1:
            raise Unreadable(_NO_LIST)
        yield from lists[0]

    def _next(self) -> Any:
        event = next(self.events, None)
        if event is None:
            raise Unreadable(_NO_LIST)
        return event

    def _value(self, event: Any, depth: int) -> Value:
        before = self.count
        self._more(1)
        if depth > NESTING:
            raise Unreadable(f"Line {event.start_mark.line + 1:,}: the YAML is nested deeper than {NESTING} levels.")
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        tag = event.tag or "!"
        if tag != "!" and (not tag.startswith(PLAIN_TAGS) or tag.startswith(PYTHON_TAGS)):
            raise Unreadable(
                f"Line {event.start_mark.line + 1:,}: the tag {mark(tag)} asks for more than plain values; remove it."
            )
        value = self._made(event, depth)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.count - before)
        return value

    def _aliased(self, event: Any) -> Value:
        if event.anchor not in self.anchors:
            raise Unreadable(f"Line {event.start_mark.line + 1:,}: *{event.anchor} stands for nothing.")
        value, size = self.anchors[event.anchor]
        self._more(size)
        return value

    def _made(self, event: Any, depth: int) -> Value:
        if isinstance(event, yaml.ScalarEvent):
            text = str(event.value)
            return None if not event.style and text in NULL else text
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Value] = []
            while not isinstance(inner := self._next(), yaml.SequenceEndEvent):
                items.append(self._value(inner, depth + 1))
            return items
        return self._mapping(depth)

    def _mapping(self, depth: int) -> Value:
        made: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            value = self._value(self._next(), depth + 1)
            if key == "<<" and isinstance(value, dict):
                merged.update(value)
                continue
            if not isinstance(key, str):
                raise Unreadable(f"Line {event.start_mark.line + 1:,}: the name of a value must be plain text.")
            if key in made:
                raise Unreadable(f"Line {event.start_mark.line + 1:,}: a record names {mark(key)} twice.")
            made[key] = value
        return {**merged, **made}

    def _more(self, number: int) -> None:
        self.count += number
        if self.count > VALUES:
            raise Unreadable(
                f"The YAML holds more than {VALUES:,} values once its aliases are written out. Bring the list as CSV."
            )
