"""What the database itself refuses about measurements of availability, each in a sentence."""

import pgtrigger

from apps.core.transitions import refusal

TOO_MANY = "A period has no more minutes than it is long; up and down together are more."
MEASURED_TWICE = "Part of this period is measured already for this tool; every minute counts once."


def every_minute_once() -> pgtrigger.Trigger:
    """Refuse more minutes than a period has, and a period that overlaps one that was measured."""
    return pgtrigger.Trigger(
        name="every_minute_once",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            IF NEW.up_minutes + NEW.down_minutes > extract(epoch FROM NEW.ends_at - NEW.starts_at) / 60
            THEN {refusal(TOO_MANY)} END IF;
            PERFORM 1 FROM technology_tool t WHERE t.id = NEW.tool_id FOR NO KEY UPDATE;
            IF EXISTS (SELECT 1 FROM technology_availabilitysample s WHERE s.tool_id = NEW.tool_id
                       AND s.starts_at < NEW.ends_at AND s.ends_at > NEW.starts_at)
            THEN {refusal(MEASURED_TWICE)} END IF;
            RETURN NEW;
        """,
    )
