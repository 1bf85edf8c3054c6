"""What the database refuses while a tool is implemented, each in a sentence."""

import pgtrigger

from apps.core.transitions import refusal
from apps.technology.enums import Gate

GATES_ORDER = "The gates are passed one after the other: phased, tested, trained, monitored."
GATES_OPEN = (
    "This tool cannot become active yet: its implementation still has gates to pass (phased, tested, trained, "
    "monitored). Pass them on its page, with evidence."
)

RUN_OPEN = (
    "This tool cannot become active yet: the run that implements it is under way. Finish its steps on the page of the "
    "run, or call it off and say why."
)


def gates_in_order() -> pgtrigger.Trigger:
    """Refuse that a gate is passed before the one ahead of it."""
    return pgtrigger.Trigger(
        name="in_order",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            IF NEW.passed_at IS NOT NULL AND OLD.passed_at IS NULL AND EXISTS (
                SELECT 1 FROM technology_implementationgate g
                WHERE g.tool_id = NEW.tool_id AND g.position < NEW.position AND g.passed_at IS NULL)
            THEN {refusal(GATES_ORDER)} END IF;
            RETURN NEW;
        """,
    )


def gates_before_active() -> pgtrigger.Trigger:
    """Refuse that a tool goes from implementing to active while a gate is open."""
    return pgtrigger.Trigger(
        name="gates_before_active",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            IF NEW.lifecycle = 'active' AND OLD.lifecycle = 'implementing' AND EXISTS (
                SELECT 1 FROM technology_implementationgate g WHERE g.tool_id = NEW.id AND g.passed_at IS NULL)
            THEN {refusal(GATES_OPEN)} END IF;
            IF NEW.lifecycle = 'active' AND OLD.lifecycle = 'implementing' AND EXISTS (
                SELECT 1 FROM processes_run r
                JOIN django_content_type kind ON kind.id = r.content_type_id
                WHERE kind.app_label = 'technology' AND kind.model = 'tool' AND r.object_id = NEW.id
                  AND r.state = 'active'
                  AND r.started_at >= (SELECT min(g.created_at) FROM technology_implementationgate g
                                       WHERE g.tool_id = NEW.id))
            THEN {refusal(RUN_OPEN)} END IF;
            RETURN NEW;
        """,
    )


def gates_open() -> pgtrigger.Trigger:
    """Give a tool its four gates the moment it is implemented, whatever path leads there."""
    kinds = ", ".join(f"('{gate.value}', {place})" for place, gate in enumerate(Gate, start=1))
    return pgtrigger.Trigger(
        name="gates_open",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF NEW.lifecycle = 'implementing' AND (TG_OP = 'INSERT' OR OLD.lifecycle IS DISTINCT FROM 'implementing')
            THEN
                INSERT INTO technology_implementationgate
                    (uuid, created_at, updated_at, row_version, tool_id, kind, position, evidence)
                SELECT gen_random_uuid(), now(), now(), 1, NEW.id, gate.kind, gate.position, ''
                FROM (VALUES {kinds}) gate(kind, position)
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN NULL;
        """,
    )
