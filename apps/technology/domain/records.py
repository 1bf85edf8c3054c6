"""Systems of record, and everything that writes what another tool decides, in one statement."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

# what flows where: one row per integration, way, entity and field (an entity without fields has one row without field)
_WRITES = """
    ways(integration_id, name, from_id, to_id) AS (
        SELECT i.id, i.name, i.source_id, i.target_id FROM technology_integration i
        WHERE i.state IN ('live', 'paused') AND i.archived_at IS NULL
        UNION ALL
        SELECT i.id, i.name, i.target_id, i.source_id FROM technology_integration i
        WHERE i.state IN ('live', 'paused') AND i.archived_at IS NULL AND i.direction = 'both'),
    writes AS (
        SELECT w.integration_id, w.name, w.from_id, w.to_id, f.entity_id, field.id AS field_id
        FROM ways w JOIN technology_dataflow f ON f.integration_id = w.integration_id AND f.archived_at IS NULL
        LEFT JOIN technology_datafield field ON field.entity_id = f.entity_id AND field.archived_at IS NULL
             AND (NOT EXISTS (SELECT 1 FROM technology_dataflow_fields c WHERE c.dataflow_id = f.id)
                  OR EXISTS (SELECT 1 FROM technology_dataflow_fields c
                             WHERE c.dataflow_id = f.id AND c.datafield_id = field.id)))
"""
_CONFLICTS = f"""
    WITH {_WRITES},
    judged AS (
        SELECT writes.*, coalesce(own.tool_id, whole.tool_id) AS record_id
        FROM writes
        LEFT JOIN technology_systemofrecord own ON own.entity_id = writes.entity_id
             AND own.field_id = writes.field_id AND own.archived_at IS NULL
        LEFT JOIN technology_systemofrecord whole ON whole.entity_id = writes.entity_id
             AND whole.field_id IS NULL AND whole.archived_at IS NULL)
    SELECT judged.integration_id, judged.name, e.id, e.name, field.name, record.id, record.name,
           writer.name, reached.name, judged.to_id = judged.record_id
    FROM judged JOIN technology_dataentity e ON e.id = judged.entity_id
         JOIN technology_tool record ON record.id = judged.record_id
         JOIN technology_tool writer ON writer.id = judged.from_id
         JOIN technology_tool reached ON reached.id = judged.to_id
         LEFT JOIN technology_datafield field ON field.id = judged.field_id
    WHERE judged.from_id <> judged.record_id
    ORDER BY (judged.to_id = judged.record_id) DESC, e.name, field.name NULLS FIRST, judged.name, writer.name
    LIMIT %(most)s
"""
MOST = 2000


@dataclass(frozen=True)
class Conflict:
    """One flow that writes what another tool decides."""

    integration_id: int
    integration: str
    entity_id: int
    entity: str
    field: str
    record_id: int
    record: str
    writer: str
    reached: str
    overwrites: bool

    @property
    def words(self) -> str:
        """What is wrong, in a sentence."""
        what = f"{self.entity}.{self.field}" if self.field else self.entity
        if self.overwrites:
            return f"{self.writer} writes {what} into {self.record}, which is its system of record."
        return f"{self.reached} gets {what} from {self.writer}, not from {self.record}, its system of record."


def conflicts() -> list[Conflict]:
    """Return every flow that writes a field of record from elsewhere: those that overwrite the record itself first.

    With both ways, the way back into the system of record overwrites it. A field names its own system of record, or
    that of its entity counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CONFLICTS, {"most": MOST})
        rows: list[Any] = cursor.fetchall()
    return [
        Conflict(integration, name, entity_id, entity, field or "", record_id, record, writer, reached, overwrites)
        for integration, name, entity_id, entity, field, record_id, record, writer, reached, overwrites in rows
    ]
