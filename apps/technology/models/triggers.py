"""What the database itself refuses in the technology stack, each in a sentence."""

import pgtrigger

from apps.core.transitions import refusal

# A tool has its case when a request was approved, or a waiver stands today.
_CASE = """
    EXISTS (SELECT 1 FROM technology_toolrequest r WHERE r.tool_id = {tool} AND r.state = 'approved')
    OR EXISTS (SELECT 1 FROM technology_waiver w
               WHERE w.tool_id = {tool} AND w.state = 'approved' AND w.expires_on >= current_date)
"""
NO_CASE = (
    "Nothing is bought without a case: this tool has no approved request and no waiver in force. Send a tool request "
    "for approval, or have a waiver confirmed."
)
ACTIVE_NEEDS_CASE = (
    "This tool cannot become active: it has no approved request and no waiver in force. Send a tool request for "
    "approval, or have a waiver confirmed."
)
STILL_SEATS = "This tool cannot be retired: people still have seats on it. Release them first."
LINES_OVERLAP = (
    "This tool already has a cost of that name and type in the same period. Change its price from a date on, or close "
    "it first."
)
TERMS_OVERLAP = (
    "The term overlaps another contract of that name for the same tool. End the other one first, or name this one "
    "differently."
)
STANDS_IN_A_REVIEW = "This tool cannot be deleted: it stands in the figures of a review. Retire it or archive it."
CAPABILITY_LOOP = "A capability cannot stand below itself; choose another parent."


def case_before_active() -> pgtrigger.Trigger:
    """Refuse that a tool becomes active without an approved request or a waiver in force."""
    return pgtrigger.Trigger(
        name="needs_case",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Insert,
        func=f"""
            IF NEW.lifecycle = 'active' AND (TG_OP = 'INSERT' OR OLD.lifecycle IS DISTINCT FROM 'active')
               AND NOT ({_CASE.format(tool="NEW.id")})
            THEN {refusal(ACTIVE_NEEDS_CASE)} END IF;
            RETURN NEW;
        """,
    )


def stands_in_a_review() -> pgtrigger.Trigger:
    """Refuse that a tool of a review pack is deleted; waits for a pack that is being made."""
    return pgtrigger.Trigger(
        name="stands_in_a_review",
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=f"""
            PERFORM pg_advisory_xact_lock(hashtext('technology.review'));
            IF EXISTS (SELECT 1 FROM technology_reviewitem i WHERE i.tool_id = OLD.id)
            THEN {refusal(STANDS_IN_A_REVIEW)} END IF;
            RETURN OLD;
        """,
    )


def nothing_lives_on_it() -> pgtrigger.Trigger:
    """Refuse that a tool is retired while somebody still has a seat."""
    return pgtrigger.Trigger(
        name="nothing_lives_on_it",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            IF NEW.lifecycle = 'retired' AND OLD.lifecycle IS DISTINCT FROM 'retired' AND EXISTS (
                SELECT 1 FROM technology_seat s JOIN technology_licence l ON l.id = s.licence_id
                WHERE l.tool_id = NEW.id AND s.released_on IS NULL)
            THEN {refusal(STILL_SEATS)} END IF;
            RETURN NEW;
        """,
    )


def case_before_cost() -> pgtrigger.Trigger:
    """Refuse a cost that no case covers; ending or correcting one that is known needs no new case."""
    return pgtrigger.Trigger(
        name="needs_case",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            IF NOT EXISTS (SELECT 1 FROM technology_costline known
                           WHERE known.series = NEW.series AND known.tool_id = NEW.tool_id
                             AND known.valid_from = NEW.valid_from)
               AND NOT ({_CASE.format(tool="NEW.tool_id")})
            THEN {refusal(NO_CASE)} END IF;
            RETURN NEW;
        """,
    )


def one_price_at_a_time() -> pgtrigger.Trigger:
    """Refuse two costs of one name and type for one tool on the same day; the tool's row serialises the writers."""
    return pgtrigger.Trigger(
        name="one_price_at_a_time",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            PERFORM 1 FROM technology_tool t WHERE t.id = NEW.tool_id FOR NO KEY UPDATE;
            IF NEW.retired_at IS NULL AND EXISTS (
                SELECT 1 FROM technology_costline other
                WHERE other.tool_id = NEW.tool_id AND other.retired_at IS NULL
                  AND (other.series = NEW.series
                       OR (other.cost_type = NEW.cost_type AND lower(other.label) = lower(NEW.label)))
                  AND daterange(other.valid_from, CASE WHEN other.period = 'once' THEN other.valid_from
                                                       ELSE other.valid_to END, '[]')
                      && daterange(NEW.valid_from, CASE WHEN NEW.period = 'once' THEN NEW.valid_from
                                                        ELSE NEW.valid_to END, '[]'))
            THEN {refusal(LINES_OVERLAP)} END IF;
            RETURN NEW;
        """,
    )


def one_term_at_a_time() -> pgtrigger.Trigger:
    """Refuse two contracts of one name for one tool that are in force on the same day."""
    return pgtrigger.Trigger(
        name="one_term_at_a_time",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            PERFORM 1 FROM technology_tool t WHERE t.id = NEW.tool_id FOR NO KEY UPDATE;
            IF NEW.archived_at IS NULL AND EXISTS (
                SELECT 1 FROM technology_contract other
                WHERE other.tool_id = NEW.tool_id AND other.id IS DISTINCT FROM NEW.id AND other.archived_at IS NULL
                  AND lower(other.name) = lower(NEW.name)
                  AND daterange(other.starts_on, other.ends_on, '[]') && daterange(NEW.starts_on, NEW.ends_on, '[]'))
            THEN {refusal(TERMS_OVERLAP)} END IF;
            RETURN NEW;
        """,
    )


def tree_without_loops() -> pgtrigger.Trigger:
    """Refuse that a capability stands below itself."""
    return pgtrigger.Trigger(
        name="tree_without_loops",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF NEW.parent_id IS NOT NULL AND EXISTS (
                WITH RECURSIVE above(id, parent_id) AS (
                    SELECT c.id, c.parent_id FROM technology_capability c WHERE c.id = NEW.parent_id
                    UNION SELECT c.id, c.parent_id FROM technology_capability c JOIN above ON c.id = above.parent_id)
                SELECT 1 FROM above WHERE above.id = NEW.id)
            THEN {refusal(CAPABILITY_LOOP)} END IF;
            RETURN NEW;
        """,
    )
