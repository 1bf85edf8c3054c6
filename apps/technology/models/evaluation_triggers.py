"""What the database itself refuses while tools are compared, each in a sentence."""

import pgtrigger

from apps.core.transitions import refusal

WEIGHTS = "The weights of a set of criteria sum to 100 before it comes into force; look at the sum below its list."
CRITERIA_FIXED = "Criteria that have come into force stay as they are; start the next version to change them."
CANDIDATES_FIXED = "The candidates are fixed from the moment scoring starts; drop this evaluation to compare others."
SCORES_FIXED = "Submitted scores stay as they are, and scoring is open only between its start and its end."
SCORE_ELSEWHERE = "This score names a candidate or a criterion of another evaluation."
HOLES = "Every candidate needs a score with evidence by every criterion before scores are submitted."


def weights_sum() -> pgtrigger.Trigger:
    """Refuse that criteria come into force whose weights do not sum to 100."""
    return pgtrigger.Trigger(
        name="weights_sum",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF NEW.state = 'active' AND (TG_OP = 'INSERT' OR OLD.state IS DISTINCT FROM 'active')
               AND (SELECT coalesce(sum(c.weight), 0) FROM technology_criterion c
                    WHERE c.criteria_id = NEW.id AND c.archived_at IS NULL) <> 100
            THEN {refusal(WEIGHTS)} END IF;
            RETURN NEW;
        """,
    )


def criteria_fixed() -> pgtrigger.Trigger:
    """Refuse changes of criteria whose set is no draft any more."""
    return pgtrigger.Trigger(
        name="fixed",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=f"""
            IF EXISTS (SELECT 1 FROM technology_criteriaset s WHERE s.state <> 'draft'
                       AND s.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.criteria_id END,
                                    CASE WHEN TG_OP <> 'INSERT' THEN OLD.criteria_id END))
            THEN {refusal(CRITERIA_FIXED)} END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        """,
    )


def field_of_candidates_fixed() -> pgtrigger.Trigger:
    """Refuse another candidate, or another name for one, once scoring has started; figures may still come in."""
    return pgtrigger.Trigger(
        name="field_fixed",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF (TG_OP = 'INSERT' OR (NEW.evaluation_id, NEW.tool_id, NEW.name, NEW.archived_at)
                    IS DISTINCT FROM (OLD.evaluation_id, OLD.tool_id, OLD.name, OLD.archived_at))
               AND EXISTS (SELECT 1 FROM technology_evaluation e WHERE e.id = NEW.evaluation_id AND e.state <> 'draft'
                           AND NOT (e.state = 'scored' AND TG_OP = 'UPDATE' AND OLD.tool_id IS NULL
                                    AND (NEW.evaluation_id, NEW.name, NEW.archived_at)
                                        IS NOT DISTINCT FROM (OLD.evaluation_id, OLD.name, OLD.archived_at)))
            THEN {refusal(CANDIDATES_FIXED)} END IF;
            RETURN NEW;
        """,
    )


def scores_in_place() -> pgtrigger.Trigger:
    """Refuse scores that were submitted, that come too early or late, or that mix evaluations."""
    return pgtrigger.Trigger(
        name="in_place",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        declare=[("mine", "record")],
        func=f"""
            mine := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
            IF NOT EXISTS (SELECT 1 FROM technology_evaluator r JOIN technology_evaluation e ON e.id = r.evaluation_id
                           WHERE r.id = mine.evaluator_id AND r.submitted_at IS NULL AND r.excused_at IS NULL
                             AND e.state = 'scoring')
               OR (TG_OP = 'UPDATE' AND NEW.evaluator_id <> OLD.evaluator_id)
            THEN {refusal(SCORES_FIXED)} END IF;
            IF NOT EXISTS (SELECT 1 FROM technology_evaluator r JOIN technology_evaluation e ON e.id = r.evaluation_id
                           JOIN technology_candidate c ON c.evaluation_id = e.id AND c.id = mine.candidate_id
                           JOIN technology_criterion k ON k.criteria_id = e.criteria_id AND k.id = mine.criterion_id
                           WHERE r.id = mine.evaluator_id)
            THEN {refusal(SCORE_ELSEWHERE)} END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        """,
    )


def all_scored() -> pgtrigger.Trigger:
    """Refuse that scores are submitted while one is missing."""
    return pgtrigger.Trigger(
        name="all_scored",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF NEW.submitted_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.submitted_at IS NULL) AND EXISTS (
                SELECT 1 FROM technology_evaluation e
                JOIN technology_candidate c ON c.evaluation_id = e.id AND c.archived_at IS NULL
                JOIN technology_criterion k ON k.criteria_id = e.criteria_id AND k.archived_at IS NULL
                LEFT JOIN technology_score s
                       ON s.candidate_id = c.id AND s.criterion_id = k.id AND s.evaluator_id = NEW.id
                WHERE e.id = NEW.evaluation_id AND s.id IS NULL)
            THEN {refusal(HOLES)} END IF;
            RETURN NEW;
        """,
    )
