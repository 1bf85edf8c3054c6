"""What the database itself refuses about integrations and data, each in a sentence."""

import pgtrigger

from apps.core.transitions import refusal

SELF = "A tool does not exchange data with itself; choose another source or target."
RETIRED_END = "A live integration needs two tools that are not retired; end it, or choose another tool."
STILL_FLOWS = "This tool cannot be retired: data still flows over it. End its live integrations first."
STILL_RECORDS = "This tool cannot be retired: it is the system of record of data. Name another one first."
FIELD_ELSEWHERE = "This field belongs to another entity."
RECORD_RETIRED = "A retired tool is no system of record; choose one in use."

_FIELD_BELONGS = f"""IF NEW.field_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM technology_datafield f
                WHERE f.id = NEW.field_id AND f.entity_id = NEW.entity_id)
            THEN {refusal(FIELD_ELSEWHERE)} END IF;"""


def ends_are_alive() -> pgtrigger.Trigger:
    """Refuse a live integration of a retired tool; the tools' rows serialise it with their retirement."""
    return pgtrigger.Trigger(
        name="ends_are_alive",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF NEW.state IN ('live', 'paused') AND NEW.archived_at IS NULL THEN
                PERFORM 1 FROM technology_tool t WHERE t.id IN (NEW.source_id, NEW.target_id)
                ORDER BY t.id FOR NO KEY UPDATE;
                IF EXISTS (SELECT 1 FROM technology_tool t
                           WHERE t.id IN (NEW.source_id, NEW.target_id) AND t.lifecycle = 'retired')
                THEN {refusal(RETIRED_END)} END IF;
            END IF;
            RETURN NEW;
        """,
    )


def nothing_flows_over_it() -> pgtrigger.Trigger:
    """Refuse that a tool is retired while data flows over it or it is a system of record."""
    return pgtrigger.Trigger(
        name="nothing_flows_over_it",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            IF NEW.lifecycle = 'retired' AND OLD.lifecycle IS DISTINCT FROM 'retired' THEN
                IF EXISTS (SELECT 1 FROM technology_integration i WHERE NEW.id IN (i.source_id, i.target_id)
                           AND i.state IN ('live', 'paused') AND i.archived_at IS NULL)
                THEN {refusal(STILL_FLOWS)} END IF;
                IF EXISTS (SELECT 1 FROM technology_systemofrecord r WHERE r.tool_id = NEW.id AND r.archived_at IS NULL)
                THEN {refusal(STILL_RECORDS)} END IF;
            END IF;
            RETURN NEW;
        """,
    )


def field_of_its_entity() -> pgtrigger.Trigger:
    """Refuse a field of another entity, and a retired tool as system of record."""
    return pgtrigger.Trigger(
        name="field_of_its_entity",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            {_FIELD_BELONGS}
            IF NEW.archived_at IS NULL AND EXISTS (SELECT 1 FROM technology_tool t
                WHERE t.id = NEW.tool_id AND t.lifecycle = 'retired')
            THEN {refusal(RECORD_RETIRED)} END IF;
            RETURN NEW;
        """,
    )


def definition_of_its_entity() -> pgtrigger.Trigger:
    """Refuse a definition of a field that belongs to another entity."""
    return pgtrigger.Trigger(
        name="field_of_its_entity",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            {_FIELD_BELONGS}
            RETURN NEW;
        """,
    )
