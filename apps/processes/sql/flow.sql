-- What the steps of a version and the ways between them say, as one document. Installed anew by every
-- `manage.py migrate`. Rows made this document before: a change of its form changes what drafts say from then on,
-- never what was approved.
CREATE OR REPLACE FUNCTION mops_flow_of(wanted bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM processes_step WHERE version_id = wanted) THEN
        RETURN '{}';
    END IF;
    RETURN jsonb_build_object(
        'steps', (
            SELECT jsonb_agg(jsonb_build_object(
                'key', s.key, 'title', s.title, 'kind', s.kind, 'mode', s.mode, 'role', coalesce(r.name, ''),
                'minutes', s.minutes, 'blocking', s.is_blocking, 'instructions', s.instructions, 'links', s.links,
                'accountable', coalesce(a.name, ''), 'consulted', to_jsonb(s.consulted),
                'informed', to_jsonb(s.informed)) ORDER BY s.position, s.id)
            FROM processes_step s
            LEFT JOIN processes_processrole r ON r.id = s.role_id
            LEFT JOIN processes_processrole a ON a.id = s.accountable_id
            WHERE s.version_id = wanted),
        'edges', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'from', f.key, 'to', t.key, 'condition', e.condition, 'rework', e.is_rework)
                ORDER BY f.position, t.position, e.id), '[]')
            FROM processes_stepedge e
            JOIN processes_step f ON f.id = e.source_id
            JOIN processes_step t ON t.id = e.target_id
            WHERE e.version_id = wanted));
END $$;
