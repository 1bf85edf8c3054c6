"""Governed columns: a state changes inside its own operation, and the database refuses every other way.

`with transition(Campaign): …` opens the governed columns of one table for the writes of the block. What the block
opened travels with each write statement as `mops.transition`, local to the transaction, and the next write outside
closes it again. Form, list action, `update()`, history and raw SQL all meet the same trigger.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import pgtrigger
from django.db import models

_open: ContextVar[tuple[str, ...]] = ContextVar("mops_transition", default=())
_CLOSED = "NOT (TG_TABLE_NAME = ANY (string_to_array(coalesce(current_setting('mops.transition', true), ''), ',')))"


@contextmanager
def transition(*kinds: type[models.Model]) -> Iterator[None]:
    """Let the writes of this block change the governed columns of `kinds`; nothing else may."""
    token = _open.set((*_open.get(), *(kind._meta.db_table for kind in kinds)))
    try:
        yield
    finally:
        _open.reset(token)


def open_tables() -> str:
    """Return the tables whose governed columns are open now, as the triggers read them."""
    return ",".join(_open.get())


def guarded_columns(*columns: str, sentence: str, starts: dict[str, str] | None = None) -> list[pgtrigger.Trigger]:
    """Return the triggers that let `columns` change inside `transition` alone.

    Args:
        columns: the database columns that only an operation changes.
        sentence: what a person is told who tries otherwise; says which way to go.
        starts: for columns that every new row begins with, the value; a row born with another one is refused too.
    """
    changed = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in columns)
    triggers = [_refusing("guarded", pgtrigger.Update, changed, sentence)]
    if starts:
        other = " OR ".join(f"""NEW."{name}" IS DISTINCT FROM '{value}'""" for name, value in starts.items())
        triggers.append(_refusing("guarded_birth", pgtrigger.Insert, other, sentence))
    return triggers


def written_once(columns: Sequence[str], sentence: str) -> list[pgtrigger.Trigger]:
    """Return the trigger that never lets `columns` of an existing row change, in an operation or outside one."""
    changed = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in columns)
    return [
        pgtrigger.Trigger(
            name="written_once",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition(changed),
            func=refusal(sentence),
        )
    ]


def fixed_after_draft(columns: Sequence[str], sentence: str) -> list[pgtrigger.Trigger]:
    """Return the trigger that lets `columns` change while the row's `state` is "draft" alone."""
    changed = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in columns)
    return [
        pgtrigger.Trigger(
            name="fixed_after_draft",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition(f"OLD.state <> 'draft' AND ({changed})"),
            func=refusal(sentence),
        )
    ]


def refusal(sentence: str) -> str:
    """Return the statement with which a trigger refuses in the words of `sentence`."""
    return "RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = '" + sentence.replace("'", "''") + "';"


def _refusing(name: str, operation: pgtrigger.Operation, condition: str, sentence: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=operation,
        condition=pgtrigger.Condition(condition),
        func=f"IF {_CLOSED} THEN {refusal(sentence)} END IF; RETURN NEW;",
    )
