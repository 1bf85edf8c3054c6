"""Questions that a page asks many times over, answered once: each button of a page asks for the same right.

Only for pages that are looked at: nothing may be written inside `asking_once`, so no answer can go stale.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
_answers: ContextVar[dict[Hashable, object] | None] = ContextVar("mops_answers", default=None)


@contextmanager
def asking_once() -> Iterator[None]:
    """Within the block `once` remembers what it was told; a block inside another one shares its answers."""
    if _answers.get() is not None:
        yield
        return
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once(key: Hashable, ask: Callable[[], T]) -> T:
    """Return the answer to a question, asked at most once inside `asking_once` and every time outside of it.

    Args:
        key: names the question with everything its answer depends on.
        ask: finds the answer.
    """
    known = _answers.get()
    if known is None:
        return ask()
    if key not in known:
        known[key] = ask()
    return known[key]  # type: ignore[return-value]  # what `ask` of this key returned


def remember(key: Hashable, answer: object) -> None:
    """Keep an answer that was found along with another question; outside of `asking_once` nothing is kept."""
    known = _answers.get()
    if known is not None:
        known.setdefault(key, answer)
